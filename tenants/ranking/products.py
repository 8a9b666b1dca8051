"""The second stage: retrieved products in the brand's order, each with the parts of its score.

In: candidates with scores of 0 to 1 within the answer. Equal scores are ordered by id, so that
paging never jumps. Pure, and the same for every engine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, overload

import numpy as np

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
    """Whether it comes with, on or for what is asked, which names no accessory."""
    tier: int = 0
    """Products of a lower tier come first, whatever their scores."""
    category_path: tuple[int, ...] = ()
    manufacturer: str | None = None
    merchants: tuple[str, ...] = ()


class RankedProduct(NamedTuple):
    """A product with its score and the parts the score is made of."""

    product_id: str
    score: float
    parts: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Ranking(Sequence[RankedProduct]):
    """Candidates in order. A page shows a tenth of them, so a row is made when it is looked at."""

    candidates: Sequence[Candidate]
    order: Sequence[int]
    scores: Sequence[float]
    parts: Mapping[str, Sequence[float]]
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
        candidate = self.candidates[at]
        parts = {name: column[at] for name, column in self.parts.items()}
        if not candidate.is_accessory:
            del parts["accessory"]
        if self.moved:
            parts |= self.moved[at]
        return RankedProduct(candidate.product_id, self.scores[at], parts)


def rank_products(
    candidates: Sequence[Candidate], profile: RankingProfile, moves: Sequence[Rule] = ()
) -> Ranking:
    """Order candidates by tier, then by the weighted sum of the profile's `product_weights`.

    `moves` are the rules of a plan that boost or bury; of those that speak about a product, the
    first one counts.
    """
    if not candidates:
        return Ranking((), (), (), {})
    weights = profile.product_weights
    ids, texts, near, stock, offers, accessories, tiers, *_ = zip(*candidates, strict=True)
    text = np.array(texts)
    many = np.minimum(np.array(offers), MANY_OFFERS)
    parts = {
        "text": text,
        "meaning": weights.vector * np.array(near),
        "in_stock": weights.in_stock * np.array(stock),
        "offers": weights.offer_count * many / MANY_OFFERS,
        "accessory": -weights.accessory * text * np.array(accessories),
    }
    scores: list[float] = sum(parts.values()).tolist()
    moved = [_moved(row, moves) for row in candidates] if moves else []
    if moved:
        scores = [score + sum(by.values()) for score, by in zip(scores, moved, strict=True)]
    keys = [(tier, -score, id_) for tier, score, id_ in zip(tiers, scores, ids, strict=True)]
    order = sorted(range(len(keys)), key=keys.__getitem__)
    return Ranking(candidates, order, scores, {k: v.tolist() for k, v in parts.items()}, moved)


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
