"""Indices of the judged catalogue, copied n times: built once through the indexer, then kept.

They lie below BENCH_CACHE (default: comptoir-bench in the temporary folder), one folder for each
number of copies, and are used again while the format of the index and the model stay the same.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from bench.icecat import documents
from indexer.document import ProductDocument
from indexer.embed_text import embed_text
from indexer.embedded import EmbeddedEngine
from indexer.engine import Engine, Upsert
from kernel.embedding.encoder import Encoder

BRAND = "mirabelle"
"""A bundled brand: a shop process can serve what is built here."""
LANGUAGE = "en"
BATCH = 1_000
"""As many as a rebuild from PostgreSQL writes at a time."""
CACHE = Path(os.environ.get("BENCH_CACHE", Path(tempfile.gettempdir()) / "comptoir-bench"))


def embedded_index(data: Path, copies: int, encoder: Encoder) -> Path:
    """Root of an embedded engine whose brand BRAND holds `copies` of the catalogue."""
    from indexer.embedded.generations import FORMAT

    root = CACHE / f"embedded-{FORMAT}-{encoder.model_id.replace('/', '-')}-{copies}"
    if not (root / "complete").exists():
        engine = EmbeddedEngine(root)
        fill(engine, data, copies, encoder)
        (root / "complete").touch()
    return root


def fill(engine: Engine, data: Path, copies: int, encoder: Encoder) -> tuple[int, float]:
    """Build and publish; answers the number of products and the seconds it took.

    Reading the catalogue's file is left out: it is no part of an index's build.
    """
    seconds, count = 0.0, 0
    index = engine.create(BRAND, model_id=encoder.model_id, dimensions=encoder.dimensions)
    for batch in _batches(documents(data, copies)):
        started = time.perf_counter()
        vectors = encoder.encode([embed_text(row, LANGUAGE) for row in batch])
        changes = [
            Upsert(row, vector, 1, encoder.model_id)
            for row, vector in zip(batch, vectors, strict=True)
        ]
        report = engine.write(index, changes)
        assert not report.refused, report.refused[:3]
        count += report.written
        seconds += time.perf_counter() - started
    started = time.perf_counter()
    engine.publish(BRAND, index)
    return count, seconds + time.perf_counter() - started


def _batches(rows: Iterable[ProductDocument]) -> Iterator[list[ProductDocument]]:
    each = iter(rows)
    while batch := list(islice(each, BATCH)):
        yield batch
