"""What is known of a product's prices: courses of offers, and sales. Weights by time. Pure.

An offer is one voice however often its price changed: its prices share its weight by how long, and
how lately, each of them stood. Everything fades by half in HALF_LIFE_DAYS.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from kernel.offer_terms import Grade

HALF_LIFE_DAYS = 60
WINDOW_DAYS = 365
SALE_WEIGHT = 2.0
"""A price that was paid says more than one that is asked."""

_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Course:
    """What one offer asked: (from when, minor units or None where it could not be bought), in the
    order of time; `until` is when it ended, or now."""

    offer_id: str
    merchant_id: str
    grade: Grade
    points: tuple[tuple[datetime, int | None], ...]
    until: datetime


@dataclass(frozen=True, slots=True)
class Sale:
    """An article sold through us: unit price in minor units, without delivery."""

    merchant_id: str
    grade: Grade
    minor: int
    sold_at: datetime


@dataclass(frozen=True, slots=True)
class Voice:
    """One offer or one sale: (price, its share of the weight)."""

    merchant_id: str
    is_sale: bool
    shares: tuple[tuple[int, float], ...]

    @property
    def weight(self) -> float:
        """How much it says."""
        return sum(share for _, share in self.shares)


def voices(
    courses: Sequence[Course], sales: Sequence[Sale], now: datetime
) -> dict[Grade, list[Voice]]:
    """By grade; what ended before the window, or was never to be bought, says nothing."""
    found: dict[Grade, list[Voice]] = {}
    for course in courses:
        voice = _of_course(course, now)
        if voice is not None:
            found.setdefault(course.grade, []).append(voice)
    for sale in sales:
        age = (now - sale.sold_at) / timedelta(days=1)
        if 0 <= age <= WINDOW_DAYS:
            weight = SALE_WEIGHT * _faded(age)
            voice = Voice(sale.merchant_id, True, ((sale.minor, weight),))
            found.setdefault(sale.grade, []).append(voice)
    return found


def _of_course(course: Course, now: datetime) -> Voice | None:
    begin = now - timedelta(days=WINDOW_DAYS)
    ends = [at for at, _ in course.points[1:]] + [min(course.until, now)]
    stood: dict[int, float] = {}
    last_age: float | None = None
    for (since, price), follows in zip(course.points, ends, strict=True):
        start, end = max(since, begin), min(follows, course.until, now)
        if price is None or price <= 0 or end < start:
            continue
        old, young = ((now - at).total_seconds() / _DAY_S for at in (start, end))
        # A price of this very moment stands as well: it has stood for no time, and counts a little.
        stood[price] = stood.get(price, 0.0) + max(_faded(young) - _faded(old), 1e-6)
        last_age = young if last_age is None else min(last_age, young)
    if last_age is None:
        return None
    whole = sum(stood.values())
    weight = _faded(last_age)
    return Voice(
        course.merchant_id,
        False,
        tuple((price, weight * share / whole) for price, share in sorted(stood.items())),
    )


def _faded(age_days: float) -> float:
    return math.exp2(-age_days / HALF_LIFE_DAYS)
