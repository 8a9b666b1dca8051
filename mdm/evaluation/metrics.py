"""Figures of a matching against the truth. Pure.

Pair figures count pairs of offers of one product; B-cubed averages over offers, so that one large
product does not outweigh a thousand small ones (Bagga and Baldwin, 1998).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figures:
    """Shares from 0 to 1."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """The harmonic mean."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def of_counts(hits: int, found: int, true: int) -> Figures:
    """From counts; nothing found is never wrong, nothing to find is found."""
    return Figures(hits / found if found else 1.0, hits / true if true else 1.0)


def pair_figures(found: Mapping[str, str], truth: Mapping[str, str]) -> Figures:
    """Pairs of offers that both mappings (offer -> product) put together. Same keys in both."""
    together = Counter((found[each], truth[each]) for each in truth)
    return of_counts(
        sum(map(_pairs, together.values())),
        sum(map(_pairs, Counter(found[each] for each in truth).values())),
        sum(map(_pairs, Counter(truth.values()).values())),
    )


def bcubed(found: Mapping[str, str], truth: Mapping[str, str]) -> Figures:
    """Mean over offers of the share of its product's offers that are right, and that are there."""
    if not truth:
        return Figures(1.0, 1.0)
    together = Counter((found[each], truth[each]) for each in truth)
    sizes = Counter(found[each] for each in truth)
    true_sizes = Counter(truth.values())
    precise = sum(n * n / sizes[product] for (product, _), n in together.items())
    complete = sum(n * n / true_sizes[cluster] for (_, cluster), n in together.items())
    return Figures(precise / len(truth), complete / len(truth))


def recall_of_candidates(candidates: Iterable[tuple[str, str]], truth: Mapping[str, str]) -> float:
    """Share of the true pairs that were compared at all."""
    compared = {(min(pair), max(pair)) for pair in candidates}
    hits = sum(1 for one, other in compared if one in truth and truth[one] == truth.get(other, ""))
    true = sum(map(_pairs, Counter(truth.values()).values()))
    return hits / true if true else 1.0


def average_precision(scores: Sequence[float], labels: Sequence[bool]) -> float:
    """Area below precision over recall, stepwise; equal scores count as one step."""
    positives = sum(labels)
    if not positives:
        return 0.0
    by_score: dict[float, list[bool]] = defaultdict(list)
    for score, label in zip(scores, labels, strict=True):
        by_score[score].append(label)
    hits = seen = 0
    area = 0.0
    for score in sorted(by_score, reverse=True):
        step = by_score[score]
        seen += len(step)
        gained = sum(step)
        hits += gained
        area += gained / positives * hits / seen
    return area


def _pairs(count: int) -> int:
    return count * (count - 1) // 2
