"""A product's lowest price day by day, as steps: what its brand's shoppers could have paid. Pure.

In: trails of its offers. Out: (day since 1970-01-01, lowest price in minor units or None) wherever
that changes; the last step goes on. New articles alone, without delivery.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from kernel.offer_terms import Condition
from mdm.price_trails import KEPT_DAYS
from mdm.product_view import PriceTrail
from tenants.brand import Brand

DROP_DAYS = 8
"""The days of a week, and the one before them."""

PriceSteps = tuple[tuple[int, int | None], ...]


def price_steps(trails: Iterable[PriceTrail], brand: Brand) -> PriceSteps:
    """The steps of the brand's merchants in its currency, KEPT_DAYS before the last change on."""
    courses = [
        _course(trail)
        for trail in trails
        if trail.currency == brand.currency
        and trail.condition == Condition.NEW
        and brand.shows(trail.merchant_id)
    ]
    if not courses:
        return ()
    return _cut(_lowest(courses))


def last_drop(steps: PriceSteps) -> tuple[int, int] | None:
    """The day of the last step, and how many thousandths its price lies under the highest of the
    DROP_DAYS days before; None where it does not.

    No smaller than any fall of the last DROP_DAYS days, whatever it is measured from: what fell
    most is among those that dropped most.
    """
    day, price = steps[-1] if steps else (0, None)
    if price is None:
        return None
    before = [
        each
        for (_, each), (until, _) in pairwise(steps)
        if each is not None and until > day - DROP_DAYS
    ]
    highest = max(before, default=0)
    return (day, 1000 * (highest - price) // highest) if highest > price else None


def _course(trail: PriceTrail) -> list[tuple[int, int | None]]:
    """From which day on the offer's lowest price of the day was what."""
    course: list[tuple[int, int | None]] = []
    carried: int | None = None
    following = [day.day for day in trail.days[1:]]
    for at, day in enumerate(trail.days):
        known = [price for price in (carried, day.lowest_minor) if price is not None]
        course.append((day.day, min(known, default=None)))
        carried = day.last_minor
        if at >= len(following) or following[at] > day.day + 1:
            course.append((day.day + 1, carried))
    if trail.ended_day is not None:
        course = [step for step in course if step[0] <= trail.ended_day]
        course.append((trail.ended_day + 1, None))
    return course


def _lowest(courses: list[list[tuple[int, int | None]]]) -> PriceSteps:
    """The lowest of all courses, wherever it changes."""
    if len(courses) == 1:
        return _changes(courses[0])
    events = [
        (day, number, price) for number, course in enumerate(courses) for day, price in course
    ]
    events.sort(key=lambda event: event[:2])
    now: list[int | None] = [None] * len(courses)
    steps: list[tuple[int, int | None]] = []
    for at, (day, number, price) in enumerate(events):
        now[number] = price
        if at + 1 == len(events) or events[at + 1][0] != day:
            steps.append((day, min((each for each in now if each is not None), default=None)))
    return _changes(steps)


def _changes(steps: list[tuple[int, int | None]]) -> PriceSteps:
    """Without the steps that repeat the price before them."""
    kept = steps[:1]
    kept += [after for before, after in pairwise(steps) if after[1] != before[1]]
    return tuple(kept)


def _cut(steps: PriceSteps) -> PriceSteps:
    """Steps from KEPT_DAYS before the last one; what was in force then starts them."""
    start = steps[-1][0] - KEPT_DAYS
    before = [step for step in steps if step[0] <= start]
    return (
        *((start, step[1]) for step in before[-1:]),
        *(step for step in steps if step[0] > start),
    )
