"""The second stage: retrieved products in the brand's order, each with the parts of its score.

In: candidates with scores of 0 to 1 within the answer. Equal scores are ordered by id, so that
paging never jumps. Pure, and the same for every engine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from tenants.ranking.profile import RankingProfile, Rule

MANY_OFFERS = 10
"""Offers beyond this number speak no louder for a product."""


class Candidate(NamedTuple):
    """A retrieved product for the second stage. Scores are 0 to 1 within the answer.

    The fields after `tier` are what rules may look at.
    """

    product_id: str
    text_score: float
    vector_score: float
    in_stock: bool
    offer_count: int
    is_accessory: bool = False
    """Whether it comes with, on or for what is asked, which names no accessory; or is the thing
    itself where what comes with it is asked for."""
    tier: int = 0
    """0 for products with every word of the question; the others come after those."""
    category_path: tuple[int, ...] = ()
    manufacturer: str | None = None
    merchants: tuple[str, ...] = ()


class RankedProduct(NamedTuple):
    """A product with its score and the parts the score is made of."""

    product_id: str
    score: float
    parts: Mapping[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Candidates as one column for each of their scores, all of one length."""

    product_ids: Sequence[str]
    text_scores: NDArray[np.float64]
    vector_scores: NDArray[np.float64]
    in_stock: NDArray[np.bool_]
    offer_counts: NDArray[np.int64]
    is_accessory: NDArray[np.bool_]
    tiers: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Ranking(Sequence[RankedProduct]):
    """Products in order. A page shows a tenth of them, so a row is made when it is looked at."""

    product_ids: Sequence[str]
    order: Sequence[int]
    scores: NDArray[np.float64]
    parts: Mapping[str, NDArray[np.floating[Any]]]
    is_accessory: NDArray[np.bool_]
    moved: Sequence[Mapping[str, float]] = ()

    def __len__(self) -> int:
        return len(self.order)

    @overload
    def __getitem__(self, place: int) -> RankedProduct: ...
    @overload
    def __getitem__(self, place: slice) -> list[RankedProduct]: ...
    def __getitem__(self, place: int | slice) -> RankedProduct | list[RankedProduct]:
        if isinstance(place, slice):
            return [self._row(at) for at in self.order[place]]
        return self._row(self.order[place])

    def _row(self, at: int) -> RankedProduct:
        parts = {name: float(column[at]) for name, column in self.parts.items()}
        if not self.is_accessory[at]:
            del parts["accessory"]
        if self.moved:
            parts |= self.moved[at]
        return RankedProduct(self.product_ids[at], float(self.scores[at]), parts)


def rank_products(
    candidates: Sequence[Candidate], profile: RankingProfile, moves: Sequence[Rule] = ()
) -> Ranking:
    """Order candidates by tier, then by the weighted sum of the profile's `product_weights`.

    Where words are missing, `vector_partial` shares the score out between words and meaning.

    `moves` are the rules of a plan that boost or bury; of those that speak about a product, the
    first one counts.
    """
    moved = [_moved(row, moves) for row in candidates] if moves else []
    ids, texts, near, stock, offers, accessories, tiers, *_ = (
        zip(*candidates, strict=True) if candidates else ((),) * 7
    )
    columns = Columns(
        ids,
        np.array(texts, dtype=np.float64),
        np.array(near, dtype=np.float64),
        np.array(stock, dtype=np.bool_),
        np.array(offers, dtype=np.int64),
        np.array(accessories, dtype=np.bool_),
        np.array(tiers, dtype=np.int64),
    )
    return rank_columns(columns, profile, moved)


def rank_columns(
    rows: Columns, profile: RankingProfile, moved: Sequence[Mapping[str, float]] = ()
) -> Ranking:
    """As `rank_products`; `moved` are the parts of each score that rules give or take."""
    weights = profile.product_weights
    many = np.minimum(rows.offer_counts, MANY_OFFERS)
    misses_words = rows.tiers > 0
    partial = weights.meaning_where_words_miss
    text = np.where(misses_words, 1.0 - partial, 1.0) * rows.text_scores
    parts = {
        "text": text,
        "meaning": np.where(misses_words, partial, weights.vector) * rows.vector_scores,
        "in_stock": weights.in_stock * rows.in_stock,
        "offers": weights.offer_count * many / MANY_OFFERS,
        "accessory": -weights.accessory * text * rows.is_accessory,
    }
    scores = np.sum(list(parts.values()), axis=0)
    if moved:
        scores = scores + [sum(by.values()) for by in moved]
    order = np.lexsort((np.array(rows.product_ids, dtype=np.str_), -scores, rows.tiers))
    return Ranking(rows.product_ids, order.tolist(), scores, parts, rows.is_accessory, moved)


def _moved(candidate: Candidate, moves: Sequence[Rule]) -> dict[str, float]:
    """The part of the score that a rule gives or takes."""
    for rule in moves:
        if targets(rule, candidate):
            return {f"rule {rule.id}": rule.weight if rule.kind == "boost" else -rule.weight}
    return {}


def targets(rule: Rule, candidate: Candidate) -> bool:
    """Whether a rule speaks about a product."""
    target = rule.target
    return (
        (not target.products or candidate.product_id in target.products)
        and (not target.manufacturers or candidate.manufacturer in target.manufacturers)
        and (not target.categories or bool(set(target.categories) & set(candidate.category_path)))
        and (not target.merchants or bool(set(target.merchants) & set(candidate.merchants)))
    )
