"""The report of an evaluation: figures, queries, winners and losers against a saved one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from comptoir.relevance.metrics import QueryFigures, Summary, summarise
from kernel.errors import DomainError

TOLD = 0.01
"""A query counts as won or lost from this difference of nDCG@10 on."""
MUCH = 0.1


@dataclass(slots=True)
class Report:
    """Everything that was measured in one run."""

    rows: Sequence[QueryFigures]
    about: Mapping[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def summary(self) -> Summary:
        """The means."""
        return summarise(self.rows)

    def as_json(self, baseline: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The keys that programs read, then the details."""
        found = self.summary
        return {
            "ndcg10": round(found.ndcg10, 4),
            "judged10": round(found.judged10, 4),
            "condensed_ndcg10": round(found.condensed_ndcg10, 4),
            "mrr": round(found.mrr, 4),
            "zero_result_share": round(found.zero_result_share, 4),
            "queries": found.queries,
            "scored_queries": found.scored,
            "ndcg10_interval95": [round(bound, 4) for bound in found.interval],
            "without_relevant": [row.query for row in self.rows if row.ndcg10 is None],
            **self.about,
            **self.extra,
            **({"against_baseline": compared(self.rows, baseline)} if baseline else {}),
            "per_query": [row.as_json() for row in self.rows],
        }


def compared(rows: Sequence[QueryFigures], baseline: Mapping[str, Any]) -> dict[str, Any]:
    """Winners and losers by nDCG@10, most changed first, and the share that lost much."""
    before = {row["query"]: row["ndcg10"] for row in baseline["per_query"]}
    changes = [
        (row.query, before[row.query], row.ndcg10)
        for row in rows
        if row.ndcg10 is not None and before.get(row.query) is not None
    ]
    told = [
        {"query": query, "before": old, "now": round(new, 4), "change": round(new - old, 4)}
        for query, old, new in changes
        if abs(new - old) >= TOLD
    ]
    told.sort(key=lambda each: -abs(each["change"]))
    much = sum(old - new > MUCH for _, old, new in changes)
    return {
        "ndcg10_before": baseline["ndcg10"],
        "winners": [each for each in told if each["change"] > 0],
        "losers": [each for each in told if each["change"] < 0],
        "compared_queries": len(changes),
        "share_much_worse": round(much / len(changes), 4) if changes else 0.0,
    }


def read_baseline(path: Path) -> dict[str, Any]:
    """A report saved before."""
    try:
        found = orjson.loads(path.read_bytes())
        if not isinstance(found, dict) or not {"ndcg10", "per_query"} <= found.keys():
            raise ValueError("it is no saved report")
        if not all({"query", "ndcg10"} <= row.keys() for row in found["per_query"]):
            raise ValueError("it is no saved report")
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise DomainError(
            "baseline_unreadable",
            f"{path}: {error}",
            hint="Save one: comptoir relevance eval ... --save FILE",
        ) from error
    return found
