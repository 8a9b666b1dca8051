"""nDCG@10 and latency of both engines on the judged catalogue.

    python -m bench.relevance --data ../shared/data/search [--elasticsearch URL] [--copies 5]

Linear gain 0 to 3, cut 10, unjudged counts as 0; `judged` is the share of the first ten that has a
judgement; `condensed` leaves unjudged products out. Rows: the engine's words alone (all of them,
else half), and the shop's answer (second stage with vectors).
"""

from __future__ import annotations

import argparse
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from bench.icecat import BRAND, documents, judgements
from indexer.document import ProductDocument
from indexer.elasticsearch import ElasticsearchEngine
from indexer.embed_text import embed_text
from indexer.embedded import EmbeddedEngine
from indexer.engine import (
    Engine,
    FacetField,
    Match,
    SearchRequest,
    Upsert,
    Vector,
    Words,
)
from indexer.hits import Hits
from kernel.embedding.encoder import Encoder, load_encoder
from search_api.second_stage import CANDIDATES, order_candidates
from tenants.ranking import RankingProfile
from tenants.ranking.profile import Ladder, ProductWeights

Ranking = Callable[[str], list[str]]
LANGUAGE = "en"


def fill(engine: Engine, encoder: Encoder, data: Path, copies: int) -> float:
    """Index the catalogue; answers the seconds it took."""
    started = time.perf_counter()
    index = engine.create(BRAND, model_id=encoder.model_id, dimensions=encoder.dimensions)
    batch: list[ProductDocument] = []
    for document in documents(data, copies):
        batch.append(document)
        if len(batch) == 5_000:
            _write(engine, encoder, index, batch)
            batch = []
    _write(engine, encoder, index, batch)
    engine.publish(BRAND, index)
    return time.perf_counter() - started


def _write(engine: Engine, encoder: Encoder, index: str, batch: Sequence[ProductDocument]) -> None:
    vectors = encoder.encode([embed_text(row, LANGUAGE) for row in batch])
    report = engine.write(
        index,
        [Upsert(row, vector, 1) for row, vector in zip(batch, vectors, strict=True)],
    )
    assert not report.refused, report.refused[:3]


def by_words(engine: Engine) -> Ranking:
    """All words, else half of them, in the engine's order."""
    return lambda text: [hit.product_id for hit in _retrieve(engine, text)]


def _retrieve(engine: Engine, text: str, vector: Vector | None = None) -> Hits:
    strict = SearchRequest(Words(text, LANGUAGE, Match.ALL), limit=CANDIDATES, vector=vector)
    found = engine.search(BRAND, strict)
    if found.total < Ladder().few:
        wider = replace(strict, words=Words(text, LANGUAGE, Match.HALF))
        found = engine.search(BRAND, wider)
    return found.hits


def as_the_shop(engine: Engine, encoder: Encoder, profile: RankingProfile) -> Ranking:
    """The same, put in order by the second stage."""

    def ranked(text: str) -> list[str]:
        hits = _retrieve(engine, text, encoder.encode_one(text))
        ordered = order_candidates(hits, text, LANGUAGE, profile)
        return [row.product_id for row in ordered]

    return ranked


def ndcg(ids: Sequence[str], gains: dict[str, int], cut: int = 10) -> float:
    """Normalised discounted cumulative gain, linear."""
    ideal = sorted(gains.values(), reverse=True)[:cut]
    best = sum(gain / math.log2(place + 2) for place, gain in enumerate(ideal))
    got = sum(gains.get(id_, 0) / math.log2(place + 2) for place, id_ in enumerate(ids[:cut]))
    return got / best


def evaluate(rank: Ranking, judged: dict[str, dict[str, int]]) -> tuple[float, float, float]:
    """(nDCG@10, judged@10, condensed nDCG@10), means over queries with a relevant product."""
    rows = []
    for text, gains in judged.items():
        if not any(gains.values()):
            continue
        ids = rank(text)
        known = [id_ for id_ in ids if id_ in gains]
        share = sum(id_ in gains for id_ in ids[:10]) / 10
        rows.append((ndcg(ids, gains), share, ndcg(known, gains)))
    raw, share, condensed = (statistics.fmean(column) for column in zip(*rows, strict=True))
    return raw, share, condensed


def latency(engine: Engine, texts: Sequence[str], rounds: int = 5) -> tuple[float, float]:
    """(p50, p95) in ms of a search of one page with five facets."""
    taken = []
    for turn in range(rounds + 1):
        for text in texts:
            request = SearchRequest(Words(text, LANGUAGE, Match.HALF), facets=tuple(FacetField))
            started = time.perf_counter()
            engine.search(BRAND, request)
            if turn:
                taken.append((time.perf_counter() - started) * 1000)
    taken.sort()
    return taken[len(taken) // 2], taken[int(len(taken) * 0.95)]


def _policy(weight: float) -> RankingProfile:
    return RankingProfile(product_weights=ProductWeights(weight, in_stock=0.0, offer_count=0.0))


def report(name: str, engine: Engine, encoder: Encoder, data: Path, copies: int) -> None:
    """Print the rows of one engine."""
    seconds = fill(engine, encoder, data, copies)
    stats = engine.stats(BRAND)
    assert stats is not None
    print(f"{name}: {stats.count} products indexed in {seconds:.1f} s")
    judged = judgements(data)
    if copies == 1:
        rankings = {"words": by_words(engine)} | {
            # Stock and offers of this catalogue are drawn by hash, so they must not weigh.
            f"vectors {weight}": as_the_shop(engine, encoder, _policy(weight))
            for weight in (0.25, 0.5)
        }
        for label, rank in rankings.items():
            raw, share, condensed = evaluate(rank, judged)
            print(
                f"  {label:13} nDCG@10 {raw:.4f}  judged@10 {share:.3f}  condensed {condensed:.4f}"
            )
    p50, p95 = latency(engine, list(judged))
    print(f"  search with 5 facets, one page: p50 {p50:.1f} ms, p95 {p95:.1f} ms")


def main() -> None:
    """Run what the arguments name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--elasticsearch", help="address of a server to run on as well")
    parser.add_argument("--copies", type=int, default=1)
    options = parser.parse_args()
    encoder = load_encoder()
    with tempfile.TemporaryDirectory() as folder:
        embedded = EmbeddedEngine(Path(folder))
        report("embedded", embedded, encoder, options.data, options.copies)
    if options.elasticsearch:
        server = ElasticsearchEngine(options.elasticsearch, prefix="bench-")
        report("elasticsearch", server, encoder, options.data, options.copies)
        stats = server.stats(BRAND)
        print(f"  (index {stats.index if stats else ''} is left there)")
        server.close()


if __name__ == "__main__":
    main()
