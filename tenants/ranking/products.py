"""The second stage: retrieved products in the brand's order, each with the parts of its score.

In: candidates with scores of 0 to 1 within the answer. Equal scores are ordered by id, so that
paging never jumps. Pure, and the same for every engine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tenants.ranking.profile import RankingProfile, Rule

MANY_OFFERS = 10
"""Offers beyond this number speak no louder for a product."""


class Candidate(NamedTuple):
    """A retrieved product for the second stage. Scores are 0 to 1 within the answer.

    The fields after `offer_count` are what rules may look at.
    """

    product_id: str
    text_score: float
    vector_score: float
    in_stock: bool
    offer_count: int
    category_path: tuple[int, ...] = ()
    manufacturer: str | None = None
    merchants: tuple[str, ...] = ()
    is_accessory: bool = False
    """Whether it comes with, on or for what is asked, which names no accessory."""


class RankedProduct(NamedTuple):
    """A product with its score and the parts the score is made of."""

    product_id: str
    score: float
    parts: Mapping[str, float]


def rank_products(
    candidates: Sequence[Candidate], profile: RankingProfile, moves: Sequence[Rule] = ()
) -> list[RankedProduct]:
    """Order candidates by the weighted sum of the profile's `product_weights`.

    `moves` are the rules of a plan that boost or bury; of those that speak about a product, the
    first one counts.
    """
    weights = profile.product_weights
    ranked = []
    for row in candidates:
        id_, text, near, is_in_stock, count, _, _, _, is_accessory = row
        meaning = weights.vector * near
        in_stock = weights.in_stock * is_in_stock
        offers = weights.offer_count * min(count, MANY_OFFERS) / MANY_OFFERS
        parts = {"text": text, "meaning": meaning, "in_stock": in_stock, "offers": offers}
        score = text + meaning + in_stock + offers
        if is_accessory:
            parts["accessory"] = -weights.accessory * text
            score += parts["accessory"]
        if moves:
            moved = _moved(row, moves)
            parts |= moved
            score += sum(moved.values())
        ranked.append(RankedProduct(id_, score, parts))
    ranked.sort(key=_place)
    return ranked


def _place(row: RankedProduct) -> tuple[float, str]:
    return (-row.score, row.product_id)


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
