"""Whether the price asked now is low, usual or high for this product, measured by itself. Pure.

In: the document's steps (cheapest new article of each day, without delivery) and its live offers.
Out: the verdict with what it rests on, and its drawn scale. Days weigh, not prices: a slip of one
day moves nothing. No verdict where nothing new can be bought.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from indexer.document import OfferLine, ProductDocument
from kernel.money import Money
from kernel.offer_terms import Availability, Condition
from search_api.price_history import EPOCH, SHOWN_DAYS, Steps, within

LEAST_DAYS = 30
"""Days with a known price below which nothing is said."""
_FIFTH = 5
"""Low: at most a fifth of the days was cheaper. High: at most a fifth was dearer."""
_APART_PERCENT = 3
"""And at least so far from the price in the middle: cents are no news."""
WIDTH, HEIGHT = 240, 24
_LEFT, _RIGHT = 8, 232


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceScale:
    """The drawing, in its own units: the band of usual prices on a line from `low` to `high`, and
    where today's stands.
    """

    low: Money
    high: Money
    width: int
    height: int
    band_x: float
    band_width: float
    at_x: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceVerdict:
    """`asked` is the cheapest new article now, without delivery; `days` of the last 90 have a price
    on record, `prices` different ones. On `cheaper_days` it cost less, on `dearer_days` more.

    `usual_low` to `usual_high` is what it cost on the middle three fifths of the days, `lowest` to
    `highest` on all of them; None where `verdict` is `unknown`: fewer days than `days_needed`.
    """

    verdict: Literal["low", "usual", "high", "unknown"]
    asked: Money
    days: int
    prices: int
    days_needed: int = LEAST_DAYS
    cheaper_days: int = 0
    dearer_days: int = 0
    usual_low: Money | None = None
    usual_high: Money | None = None
    lowest: Money | None = None
    highest: Money | None = None

    @property
    def scale(self) -> PriceScale | None:
        """The same as a drawing."""
        return drawn(self)


def price_verdict(
    document: ProductDocument, lines: Sequence[OfferLine], now: datetime
) -> PriceVerdict | None:
    """The verdict on the cheapest of these offers. `now` is time zone aware."""
    asked = asked_new(lines)
    if asked is None:
        return None
    today = (now.astimezone(UTC).date() - EPOCH).days
    known = sorted(daily_prices(document.price_steps, today - SHOWN_DAYS, today - 1))
    currency, days = document.currency, len(known)
    price, prices = Money(asked, currency), len(set(known))
    if days < LEAST_DAYS:
        return PriceVerdict(verdict="unknown", asked=price, days=days, prices=prices)
    cheaper = sum(each < asked for each in known)
    dearer = sum(each > asked for each in known)
    return PriceVerdict(
        verdict=_verdict(asked, known[(days - 1) // 2], cheaper, dearer, days),
        asked=price,
        days=days,
        prices=prices,
        cheaper_days=cheaper,
        dearer_days=dearer,
        usual_low=Money(known[days // _FIFTH], currency),
        usual_high=Money(known[days - 1 - days // _FIFTH], currency),
        lowest=Money(known[0], currency),
        highest=Money(known[-1], currency),
    )


def asked_new(lines: Sequence[OfferLine]) -> int | None:
    """The lowest price without delivery of a new article that can be bought; None without one."""
    return min(
        (
            line.price_minor
            for line in lines
            if line.price_minor is not None
            and line.condition == Condition.NEW
            and line.availability != Availability.OUT_OF_STOCK
        ),
        default=None,
    )


def daily_prices(steps: Steps, first: int, last: int) -> list[int]:
    """The price of each day between two, both included, in their order; days without are left out.

    >>> daily_prices([(10, 500), (12, None), (14, 400)], 11, 15)
    [500, 400, 400]
    """
    inside = within(steps, first, last)
    until = [day for day, _ in inside[1:]] + [last + 1]
    return [
        price
        for (day, price), end in zip(inside, until, strict=False)
        if price is not None
        for _ in range(day, end)
    ]


def _verdict(
    asked: int, middle: int, cheaper: int, dearer: int, days: int
) -> Literal["low", "usual", "high"]:
    if cheaper * _FIFTH <= days and asked * 100 <= middle * (100 - _APART_PERCENT):
        return "low"
    if dearer * _FIFTH <= days and asked * 100 >= middle * (100 + _APART_PERCENT):
        return "high"
    return "usual"


def drawn(verdict: PriceVerdict) -> PriceScale | None:
    """The scale from the lowest to the highest price, today's among them; None where unknown."""
    bounds = (verdict.lowest, verdict.highest, verdict.usual_low, verdict.usual_high)
    lowest, highest, usual_low, usual_high = (each.minor if each else None for each in bounds)
    if lowest is None or highest is None or usual_low is None or usual_high is None:
        return None
    low, high = min(lowest, verdict.asked.minor), max(highest, verdict.asked.minor)

    def across(minor: int) -> float:
        if high == low:
            return (_LEFT + _RIGHT) / 2
        return round(_LEFT + (_RIGHT - _LEFT) * (minor - low) / (high - low), 1)

    # One price only is a place, not a width: it is drawn as wide as can be seen.
    begins, ends = across(usual_low) - 3, across(usual_high) + 3
    return PriceScale(
        low=Money(low, verdict.asked.currency),
        high=Money(high, verdict.asked.currency),
        width=WIDTH,
        height=HEIGHT,
        band_x=begins,
        band_width=round(ends - begins, 1),
        at_x=across(verdict.asked.minor),
    )
