"""What is measured, pinned: linear gain, cut 10, unjudged counts as 0. Pure.

`condensed` is the same figure over a 200-deep list from which unjudged documents were dropped. A
query without a relevant document has no nDCG; it is counted apart.
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

CUT = 10
DEPTH = 200
RESAMPLES = 1_000


@dataclass(frozen=True, slots=True)
class QueryFigures:
    """Figures of one query. `ndcg10` and `condensed` are None where nothing is relevant."""

    query: str
    ndcg10: float | None
    condensed: float | None
    judged10: float
    reciprocal_rank: float | None
    found: int
    relaxation: str | None = None

    def as_json(self) -> dict[str, Any]:
        """For the report, rounded."""
        return {
            name: round(value, 4) if isinstance(value, float) else value
            for name, value in asdict(self).items()
        }


def query_figures(
    query: str, ranked: Sequence[str], gains: Mapping[str, int], relaxation: str | None = None
) -> QueryFigures:
    """Figures of the list of one query (documents without duplicates, best first)."""
    known = [document for document in ranked[:DEPTH] if document in gains]
    top = ranked[:CUT]
    first = next((place for place, each in enumerate(ranked[:DEPTH], 1) if gains.get(each)), None)
    relevant = any(gains.values())
    return QueryFigures(
        query=query,
        ndcg10=ndcg(ranked, gains),
        condensed=ndcg(known, gains),
        judged10=sum(each in gains for each in top) / CUT,
        reciprocal_rank=(1 / first if first else 0.0) if relevant else None,
        found=len(ranked),
        relaxation=relaxation,
    )


def ndcg(ranked: Sequence[str], gains: Mapping[str, int], cut: int = CUT) -> float | None:
    """Normalised discounted cumulative gain; None where nothing is relevant."""
    ideal = sorted(gains.values(), reverse=True)[:cut]
    best = sum(gain / math.log2(place + 2) for place, gain in enumerate(ideal))
    if not best:
        return None
    return sum(gains.get(id_, 0) / math.log2(at + 2) for at, id_ in enumerate(ranked[:cut])) / best


@dataclass(frozen=True, slots=True)
class Summary:
    """Means over the queries; nDCG over those that have a relevant document (`scored`)."""

    ndcg10: float
    judged10: float
    condensed_ndcg10: float
    mrr: float
    zero_result_share: float
    queries: int
    scored: int
    interval: tuple[float, float]


def summarise(rows: Sequence[QueryFigures]) -> Summary:
    """The means, with the bootstrap's 95 % interval of nDCG@10 (seeded)."""
    raw = [row.ndcg10 for row in rows if row.ndcg10 is not None]
    scored = [row for row in rows if row.ndcg10 is not None]
    return Summary(
        ndcg10=_mean(raw),
        judged10=_mean([row.judged10 for row in scored]),
        condensed_ndcg10=_mean([row.condensed or 0.0 for row in scored]),
        mrr=_mean([row.reciprocal_rank or 0.0 for row in scored]),
        zero_result_share=_mean([float(row.found == 0) for row in rows]),
        queries=len(rows),
        scored=len(scored),
        interval=bootstrap(raw),
    )


def bootstrap(values: Sequence[float], seed: int = 10) -> tuple[float, float]:
    """The 95 % interval of the mean, from RESAMPLES draws with replacement."""
    if not values:
        return 0.0, 0.0
    chance = random.Random(seed)  # noqa: S311 - a repeatable draw, no secret
    means = sorted(
        statistics.fmean(chance.choices(values, k=len(values))) for _ in range(RESAMPLES)
    )
    return means[int(0.025 * RESAMPLES)], means[int(0.975 * RESAMPLES) - 1]


def _mean(values: Sequence[float]) -> float:
    return statistics.fmean(values) if values else 0.0
