"""What a draft would change, in figures: per query, as a whole, and whether the gate lets it pass.

In: the first page of every query under the ranking in force and under the draft. Pure. The figures
are those of `comptoir.relevance.metrics`.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from comptoir.relevance.metrics import query_figures

WORSE_BY = 0.1
"""A judged query is worse when its nDCG@10 falls by more than this."""
MOST_WORSE = 0.05
"""Share of judged queries that may become worse without somebody saying why it is right."""
TOP = 10
LISTED = 20
"""Winners, losers and changed lists that a report shows."""


@dataclass(frozen=True, slots=True)
class Page:
    """What one ranking answers to a query. `first_merchant` has the first product's first offer."""

    products: tuple[str, ...]
    total: int
    first_merchant: str | None = None
    redirect: str | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """One query under both rankings; `gains` are its judgements, if there are any."""

    query: str
    language: str
    before: Page
    after: Page
    gains: Mapping[str, int] | None = None
    asked: int = 1
    """How often it was asked, by the log."""

    @property
    def ndcg(self) -> tuple[float, float] | None:
        """nDCG@10 before and after; None where nothing relevant is judged."""
        if self.gains is None:
            return None
        before = query_figures(self.query, self.before.products, self.gains).ndcg10
        after = query_figures(self.query, self.after.products, self.gains).ndcg10
        return None if before is None or after is None else (before, after)


def report(trials: Sequence[Trial]) -> dict[str, Any]:
    """The evaluation as JSON: figures before and after, winners, losers, changes, the gate."""
    scored = [(trial, figures) for trial in trials if (figures := trial.ndcg) is not None]
    falls = [before - after for _, (before, after) in scored]
    worse = sum(fall > WORSE_BY for fall in falls)
    share = worse / len(scored) if scored else 0.0
    by_gain = sorted(scored, key=lambda row: (row[1][1] - row[1][0], row[0].query))
    return {
        "queries": len(trials),
        "judged_queries": len(scored),
        "ndcg10": _pair([figures for _, figures in scored]),
        "judged10": _pair([_judged(trial) for trial, _ in scored]),
        "zero_results": {
            "before": _share(trials, lambda trial: not trial.before.total),
            "after": _share(trials, lambda trial: not trial.after.total),
        },
        "zero_results_new": [
            trial.query for trial in trials if trial.before.total and not trial.after.total
        ][:LISTED],
        "worse": worse,
        "worse_share": round(share, 4),
        "passes": share <= MOST_WORSE,
        "losers": [_line(*row) for row in by_gain[:LISTED] if row[1][1] < row[1][0]],
        "winners": [_line(*row) for row in by_gain[: -LISTED - 1 : -1] if row[1][1] > row[1][0]],
        "first_place": _first_places(trials),
        "changed": [changed for trial in trials if (changed := difference(trial)) is not None][
            :LISTED
        ],
        "changed_queries": sum(difference(trial) is not None for trial in trials),
    }


def difference(trial: Trial) -> dict[str, Any] | None:
    """How the first ten differ: moved (from place, to place), new, gone; None where they do not."""
    before, after = trial.before.products[:TOP], trial.after.products[:TOP]
    if before == after and trial.before.redirect == trial.after.redirect:
        return None
    places = {id_: place for place, id_ in enumerate(before, 1)}
    return {
        "query": trial.query,
        "language": trial.language,
        "asked": trial.asked,
        "moved": [
            {"product": id_, "from": places[id_], "to": place}
            for place, id_ in enumerate(after, 1)
            if id_ in places and places[id_] != place
        ],
        "new": [
            {"product": id_, "to": place} for place, id_ in enumerate(after, 1) if id_ not in places
        ],
        "gone": [{"product": id_, "from": places[id_]} for id_ in before if id_ not in after],
        "redirect": trial.after.redirect,
    }


def _first_places(trials: Sequence[Trial]) -> dict[str, dict[str, float]]:
    """Share of first places by merchant, each search counted as often as it was asked."""
    counts: list[Counter[str]] = []
    for side in ("before", "after"):
        counted: Counter[str] = Counter()
        for trial in trials:
            merchant = getattr(trial, side).first_merchant
            if merchant is not None:
                counted[merchant] += trial.asked
        counts.append(counted)
    before, after = counts
    names = sorted(before | after, key=lambda name: (-after[name], name))
    return {
        name: {
            "before": round(before[name] / (before.total() or 1), 4),
            "after": round(after[name] / (after.total() or 1), 4),
        }
        for name in names
    }


def _judged(trial: Trial) -> tuple[float, float]:
    gains = trial.gains or {}
    before, after = (
        sum(id_ in gains for id_ in page.products[:TOP]) / TOP
        for page in (trial.before, trial.after)
    )
    return before, after


def _pair(rows: Sequence[tuple[float, float]]) -> dict[str, float | None]:
    if not rows:
        return {"before": None, "after": None}
    before, after = (round(statistics.fmean(column), 4) for column in zip(*rows, strict=True))
    return {"before": before, "after": after}


def _share(trials: Sequence[Trial], holds: Any) -> float:
    return round(sum(map(holds, trials)) / len(trials), 4) if trials else 0.0


def _line(trial: Trial, figures: tuple[float, float]) -> dict[str, Any]:
    return {
        "query": trial.query,
        "language": trial.language,
        "before": round(figures[0], 4),
        "after": round(figures[1], 4),
    }
