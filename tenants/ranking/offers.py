"""The offers of a product in the brand's order, each with the reasons for its place. Pure.

Nothing that a merchant pays or that a sale earns is visible to `rank_offers`. A paid place is put
in afterwards by `place_offers`, and carries its mark with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from kernel.offer_terms import Availability, Condition
from tenants.ranking.profile import OfferWeights, Placement, RankingProfile

# An offer that can be delivered comes before one that cannot, whatever it costs.
_AVAILABILITY_RANK: Mapping[str, int] = {
    Availability.IN_STOCK: 0,
    Availability.BACKORDER: 1,
    Availability.PREORDER: 1,
    Availability.UNKNOWN: 2,
    Availability.OUT_OF_STOCK: 3,
}
_CONDITION_RANK: Mapping[str, int] = {Condition.NEW: 0, Condition.REFURBISHED: 1, Condition.USED: 2}
_CONDITION_WORTH: Mapping[str, float] = {
    Condition.NEW: 1.0,
    Condition.REFURBISHED: 0.5,
    Condition.USED: 0.25,
}

NEUTRAL_QUALITY_PERCENT = 90
"""What a merchant counts as whose quality is not known yet."""
LATE_DAYS = 14
"""A delivery that takes this long, or an unknown one, earns nothing for speed."""


class RankableOffer(Protocol):
    """What ranking may look at; anything else has no influence."""

    @property
    def offer_id(self) -> str: ...
    @property
    def merchant_id(self) -> str: ...
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
    @property
    def merchant_quality_percent(self) -> int | None: ...


OfferT = TypeVar("OfferT", bound=RankableOffer)


@dataclass(frozen=True, slots=True)
class RankedOffer(Generic[OfferT]):
    """An offer in its place with the codes of what put it there (for the page and audits).

    `parts` are what the weighted order gave for each criterion; empty in the order by total price.
    """

    offer: OfferT
    position: int
    reasons: tuple[str, ...]
    parts: Mapping[str, float] = field(default_factory=dict)
    sponsored: Placement | None = None


def rank_offers(offers: Sequence[OfferT], profile: RankingProfile) -> list[RankedOffer[OfferT]]:
    """In the order of the profile's `offer_weights`.

    By total price: can be delivered, new before used, total known, total price, speed, id.
    Weighted: can be delivered, the weighted mean of the four criteria, total price, speed, id.
    """
    weights = profile.offer_weights
    scored = _scores(offers, weights) if weights.order == "weighted" else {}
    ordered = sorted(offers, key=lambda offer: _key(offer, scored.get(offer.offer_id)))
    lowest = _lowest_totals(ordered)
    return [
        RankedOffer(offer, place, _reasons(offer, lowest), scored.get(offer.offer_id, {}))
        for place, offer in enumerate(ordered, 1)
    ]


def best_offer(offers: Sequence[OfferT], profile: RankingProfile) -> RankedOffer[OfferT] | None:
    """The first of `rank_offers`; the others are not put in order for it."""
    if not offers:
        return None
    weights = profile.offer_weights
    scored = _scores(offers, weights) if weights.order == "weighted" else {}
    best = min(offers, key=lambda offer: _key(offer, scored.get(offer.offer_id)))
    reasons = _reasons(best, _lowest_totals(offers))
    return RankedOffer(best, 1, reasons, scored.get(best.offer_id, {}))


def place_offers(
    ranked: Sequence[RankedOffer[OfferT]], profile: RankingProfile, product_id: str, now: datetime
) -> list[RankedOffer[OfferT]]:
    """The offers with those of paying merchants in their places, marked; at most `slots` of them.

    What cannot be delivered is not shown in a paid place.
    """
    placed = list(ranked)
    for placement in _paid_places(profile, product_id, now):
        bought = next(
            (
                row
                for row in placed
                if row.offer.merchant_id == placement.merchant_id
                and row.sponsored is None
                and row.offer.availability != Availability.OUT_OF_STOCK
            ),
            None,
        )
        if bought is not None:
            placed.remove(bought)
            placed.insert(placement.position - 1, replace(bought, sponsored=placement))
    return [replace(row, position=place) for place, row in enumerate(placed, 1)]


def _paid_places(profile: RankingProfile, product_id: str, now: datetime) -> list[Placement]:
    if not profile.paid.allowed:
        return []
    return [
        placement
        for placement in profile.paid.placements
        if placement.shown_in == "offers"
        and (not placement.products or product_id in placement.products)
        and (placement.valid_from is None or placement.valid_from <= now)
        and (placement.valid_to is None or now < placement.valid_to)
    ][: profile.paid.slots]


def _key(offer: RankableOffer, parts: Mapping[str, float] | None) -> tuple[float | int | str, ...]:
    total = offer.total_minor
    criteria = (
        (_CONDITION_RANK.get(offer.condition, 0),)
        if parts is None
        else (-round(sum(parts.values()), 9),)
    )
    return (
        _AVAILABILITY_RANK.get(offer.availability, 2),
        *criteria,
        int(total is None),
        total if total is not None else offer.price_minor or 0,
        offer.days_max if offer.days_max is not None else 99,
        offer.offer_id,
    )


def _scores(
    offers: Sequence[RankableOffer], weights: OfferWeights
) -> dict[str, Mapping[str, float]]:
    """Weighted criteria by offer id; they add up to 1 for the offer that is best at everything."""
    whole = (
        weights.total_price + weights.delivery_days + weights.merchant_quality + weights.condition
    )
    # Each weight is divided by the whole: the inverse of a very small whole would be infinite.
    whole = whole or 1.0
    lowest = min((row.total_minor for row in offers if row.total_minor is not None), default=0)
    return {
        offer.offer_id: {
            "total_price": weights.total_price / whole * _cheapness(offer.total_minor, lowest),
            "delivery_days": weights.delivery_days / whole * _speed(offer.days_max),
            "merchant_quality": weights.merchant_quality / whole * _quality(offer),
            "condition": weights.condition / whole * _CONDITION_WORTH.get(offer.condition, 1.0),
        }
        for offer in offers
    }


def _cheapness(total_minor: int | None, lowest_minor: int) -> float:
    """1 for the lowest total, a half for twice as much, 0 where it is not known."""
    if total_minor is None:
        return 0.0
    return lowest_minor / total_minor if total_minor else 1.0


def _speed(days_max: int | None) -> float:
    return 0.0 if days_max is None else 1 - min(days_max, LATE_DAYS) / LATE_DAYS


def _quality(offer: RankableOffer) -> float:
    known = offer.merchant_quality_percent
    return (NEUTRAL_QUALITY_PERCENT if known is None else known) / 100


def _lowest_totals(offers: Sequence[RankableOffer]) -> dict[tuple[str, str], int]:
    """The lowest total among offers of the same condition and availability."""
    lowest: dict[tuple[str, str], int] = {}
    for offer in offers:
        if offer.total_minor is not None:
            group = (offer.condition, offer.availability)
            lowest[group] = min(offer.total_minor, lowest.get(group, offer.total_minor))
    return lowest


def _reasons(offer: RankableOffer, lowest: Mapping[tuple[str, str], int]) -> tuple[str, ...]:
    """Codes that the page turns into a sentence."""
    reasons = []
    if offer.availability == Availability.IN_STOCK:
        reasons.append("in_stock")
    elif offer.availability == Availability.OUT_OF_STOCK:
        reasons.append("out_of_stock")
    if offer.total_minor is None:
        reasons.append("total_unknown")
    elif offer.total_minor == lowest[(offer.condition, offer.availability)]:
        reasons.append("lowest_total")
    if offer.condition != Condition.NEW:
        reasons.append(str(offer.condition))
    return tuple(reasons)
