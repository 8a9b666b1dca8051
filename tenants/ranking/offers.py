"""The offers of a product in the brand's order, each with the reasons for its place. Pure.

Nothing that a merchant pays or what a sale earns is visible here; a paid place is a `Placement`,
put in and marked by `tenants.ranking.placements`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from kernel.offer_terms import Availability, Condition
from tenants.ranking.profile import RankingProfile

# An offer that can be delivered comes before one that cannot, whatever it costs.
_AVAILABILITY_RANK = {
    Availability.IN_STOCK: 0,
    Availability.BACKORDER: 1,
    Availability.PREORDER: 1,
    Availability.UNKNOWN: 2,
    Availability.OUT_OF_STOCK: 3,
}
_CONDITION_RANK = {Condition.NEW: 0, Condition.REFURBISHED: 1, Condition.USED: 2}


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


def rank_offers(offers: Sequence[OfferT], profile: RankingProfile) -> list[RankedOffer[OfferT]]:
    """Order by: can be delivered, new before used, total known, total price, speed, id."""
    del profile  # one order exists so far; the argument keeps callers ready for a second
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
