"""Ranking: how a brand orders products and the offers of a product. Pure, so it can be replayed.

The same policy orders the page and writes the legal disclosure (`tenants.disclosure`): what is
stated is what is done. Money paid by merchants has no influence; there is no field for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Generic, Protocol, TypeVar

from kernel.errors import DomainError
from kernel.offer_terms import Availability, Condition

# An offer that can be delivered comes before one that cannot, whatever it costs.
_AVAILABILITY_RANK = {
    Availability.IN_STOCK: 0,
    Availability.BACKORDER: 1,
    Availability.PREORDER: 1,
    Availability.UNKNOWN: 2,
    Availability.OUT_OF_STOCK: 3,
}
_CONDITION_RANK = {Condition.NEW: 0, Condition.REFURBISHED: 1, Condition.USED: 2}


@dataclass(frozen=True, slots=True)
class RankingPolicy:
    """Weights of the second stage, each a share of the best text score (0 to 1).

    `results` is the default order of a result list, `offers` that of a product's offers.
    """

    results: str = "relevance"
    offers: str = "total_price"
    vector_weight: float = 0.25
    in_stock_weight: float = 0.05
    offer_count_weight: float = 0.03

    @classmethod
    def from_toml(cls, table: Mapping[str, Any]) -> RankingPolicy:
        """From the `[ranking]` table. Raises DomainError `ranking_invalid`, naming the key."""
        known = {field.name for field in fields(cls)}
        for key, value in table.items():
            if key not in known:
                raise DomainError("ranking_invalid", f"[ranking] {key}: unknown key")
            if key.endswith("_weight") and (
                isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1
            ):
                raise DomainError("ranking_invalid", f"[ranking] {key}: a number from 0 to 1")
        policy = cls(**table)
        if policy.results != "relevance" or policy.offers != "total_price":
            raise DomainError(
                "ranking_invalid", "[ranking] results is relevance and offers is total_price"
            )
        return policy


class RankableOffer(Protocol):
    """What ranking may look at; anything else has no influence."""

    @property
    def offer_id(self) -> str: ...
    @property
    def total_minor(self) -> int | None: ...
    @property
    def price_minor(self) -> int | None: ...
    @property
    def days_max(self) -> int | None: ...
    @property
    def condition(self) -> str: ...
    @property
    def availability(self) -> str: ...


OfferT = TypeVar("OfferT", bound=RankableOffer)


@dataclass(frozen=True, slots=True)
class RankedOffer(Generic[OfferT]):
    """An offer in its place with the codes of what put it there (for the page and audits)."""

    offer: OfferT
    position: int
    reasons: tuple[str, ...]


def rank_offers(offers: Sequence[OfferT], policy: RankingPolicy) -> list[RankedOffer[OfferT]]:
    """Order by: can be delivered, new before used, total known, total price, speed, id."""
    del policy  # one order exists so far; the argument keeps callers ready for a second
    ordered = sorted(offers, key=_offer_key)
    return [
        RankedOffer(offer, place, _reasons(offer, ordered))
        for place, offer in enumerate(ordered, 1)
    ]


def _offer_key(offer: RankableOffer) -> tuple[int, int, int, int, int, str]:
    total = offer.total_minor
    return (
        _AVAILABILITY_RANK.get(Availability(offer.availability), 2),
        _CONDITION_RANK.get(Condition(offer.condition), 0),
        int(total is None),
        total if total is not None else offer.price_minor or 0,
        offer.days_max if offer.days_max is not None else 99,
        offer.offer_id,
    )


def _reasons(offer: RankableOffer, ordered: Sequence[RankableOffer]) -> tuple[str, ...]:
    """Codes that the page turns into a sentence."""
    reasons = []
    if offer.availability == Availability.IN_STOCK:
        reasons.append("in_stock")
    elif offer.availability == Availability.OUT_OF_STOCK:
        reasons.append("out_of_stock")
    comparable = [
        other.total_minor
        for other in ordered
        if other.total_minor is not None
        and other.condition == offer.condition
        and other.availability == offer.availability
    ]
    if offer.total_minor is None:
        reasons.append("total_unknown")
    elif comparable and offer.total_minor == min(comparable):
        reasons.append("lowest_total")
    if offer.condition != Condition.NEW:
        reasons.append(str(offer.condition))
    return tuple(reasons)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A retrieved product for the second stage. Scores are 0 to 1 within the answer."""

    product_id: str
    text_score: float
    vector_score: float
    in_stock: bool
    offer_count: int


@dataclass(frozen=True, slots=True)
class RankedProduct:
    """A product with its score and the parts the score is made of."""

    product_id: str
    score: float
    parts: Mapping[str, float]


def rank_products(candidates: Sequence[Candidate], policy: RankingPolicy) -> list[RankedProduct]:
    """Order candidates by the weighted sum; equal scores by id, so that paging never jumps."""
    ranked = []
    for row in candidates:
        parts = {
            "text": row.text_score,
            "meaning": policy.vector_weight * row.vector_score,
            "in_stock": policy.in_stock_weight * row.in_stock,
            "offers": policy.offer_count_weight * min(row.offer_count, 10) / 10,
        }
        ranked.append(RankedProduct(row.product_id, sum(parts.values()), parts))
    return sorted(ranked, key=lambda row: (-row.score, row.product_id))
