"""How fast an index is built: embedded by itself, on Elasticsearch beside the client's plain bulk.

The judged catalogue in BENCH_BUILD_COPIES copies (5: 97,030 products), from documents in memory,
vectors made and included. The plain bulk sends the same bodies, made beforehand, with the client's
own helper and its own batches; both fill indices of one shape, in turns.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from elasticsearch import Elasticsearch, OrjsonSerializer
from elasticsearch.helpers import bulk

from bench.catalogue import SHARED
from bench.elasticsearch_at_hand import elasticsearch_at_hand
from bench.figures import Figure
from bench.icecat import documents
from bench.judged_index import BATCH, BRAND, LANGUAGE, fill
from indexer.elasticsearch import ElasticsearchEngine
from indexer.elasticsearch.mapping import IndexShape, index_body, source
from indexer.elasticsearch.writing import product_of
from indexer.embed_text import embed_text
from indexer.embedded import EmbeddedEngine
from indexer.engine import Upsert
from kernel.embedding.encoder import Encoder, load_encoder

DATA = SHARED / "data" / "search"
COPIES = int(os.environ.get("BENCH_BUILD_COPIES", "5"))
ON_ELASTICSEARCH = int(os.environ.get("BENCH_BUILD_ELASTICSEARCH", "6000"))
"""Products; the engine itself takes most of the time, so the ratio is the same with more."""
TURNS = 3


def measure() -> Iterator[Figure]:
    """Embedded, then Elasticsearch."""
    if not DATA.is_dir():
        yield Figure("building an index", f"left out: {DATA} is absent")
        return
    encoder = load_encoder()
    yield from _embedded(encoder)
    with elasticsearch_at_hand() as url:
        if url is None:
            yield Figure("building on Elasticsearch", "left out: ELASTICSEARCH_HOME is absent")
            return
        yield from _beside_plain_bulk(url, encoder)


def _embedded(encoder: Encoder) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as name:
        before = time.process_time()
        count, seconds = fill(EmbeddedEngine(Path(name)), DATA, COPIES, encoder)
        used = time.process_time() - before
    yield Figure(
        f"embedded index of {count:,} products, vectors included",
        f"{count / seconds:,.0f} products a second ({seconds:.1f} s; {used:.1f} s of processor "
        "time, reading the file included)",
        "5,000 a second",
    )


def _beside_plain_bulk(url: str, encoder: Encoder) -> Iterator[Figure]:
    rows = list(islice(documents(DATA), ON_ELASTICSEARCH))
    ours: list[float] = []
    plain: list[float] = []
    with Elasticsearch(
        url, request_timeout=120, serializers={"application/json": OrjsonSerializer()}
    ) as client:
        bodies = _bodies(rows, encoder)
        for turn in range(TURNS):
            ours.append(_ours(url, rows, encoder, turn))
            plain.append(_plainly(client, bodies, encoder, turn))
    best, raw = min(ours), min(plain)
    yield Figure(
        f"Elasticsearch index of {len(rows):,} products, analysis and vectors included",
        f"{len(rows) / best:,.0f} products a second, {best / raw:.2f} of the plain bulk's time "
        f"({len(rows) / raw:,.0f} a second)",
        "at most 1.5",
    )


def _bodies(rows: list[Any], encoder: Encoder) -> list[tuple[str, dict[str, Any]]]:
    vectors = encoder.encode([embed_text(row, LANGUAGE) for row in rows])
    changes = [Upsert(row, vector, 1) for row, vector in zip(rows, vectors, strict=True)]
    return [(product_of(each), source(each, encoder.model_id)) for each in changes]


def _ours(url: str, rows: list[Any], encoder: Encoder, turn: int) -> float:
    engine = ElasticsearchEngine(url, prefix=f"bench-build-{os.getpid()}-{turn}-")
    index = engine.create(BRAND, model_id=encoder.model_id, dimensions=encoder.dimensions)
    started = time.perf_counter()
    for begin in range(0, len(rows), BATCH):
        batch = rows[begin : begin + BATCH]
        vectors = encoder.encode([embed_text(row, LANGUAGE) for row in batch])
        changes = [Upsert(row, vector, 1) for row, vector in zip(batch, vectors, strict=True)]
        assert not engine.write(index, changes).refused
    took = time.perf_counter() - started
    engine.drop(BRAND, index)
    engine.close()
    return took


def _plainly(
    client: Elasticsearch, bodies: list[tuple[str, dict[str, Any]]], encoder: Encoder, turn: int
) -> float:
    index = f"bench-plain-{os.getpid()}-{turn}"
    shape = index_body(BRAND, encoder.model_id, encoder.dimensions, IndexShape())
    client.indices.create(index=index, **shape)
    started = time.perf_counter()
    bulk(client, ({"_index": index, "_id": name, "_source": body} for name, body in bodies))
    took = time.perf_counter() - started
    client.indices.delete(index=index)
    return took
