"""A product's past prices as shoppers read them: lowest of 30 days, a chart, a table. Pure.

In: the steps that its document carries. They are prices asked by merchants, without delivery, never
what a merchant claims that its price was before.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from indexer.document import ProductDocument
from kernel.money import Money
from search_api.price_facts import PriceHistory, PriceStep

SHOWN_DAYS = 90
LAW_DAYS = 30
"""Directive 98/6, article 6a: what a lowest price is measured over."""
EPOCH = date(1970, 1, 1)

Steps = Sequence[tuple[int, int | None]]


def price_history(document: ProductDocument, now: datetime) -> PriceHistory | None:
    """The last SHOWN_DAYS; None where no price is known. `now` is time zone aware."""
    today = (now.astimezone(UTC).date() - EPOCH).days
    steps = within(document.price_steps, today - SHOWN_DAYS, today)
    known = [price for _, price in steps if price is not None]
    recent = within(document.price_steps, today - LAW_DAYS, today)
    lowest = min(((price, day) for day, price in recent if price is not None), default=None)
    if not known or lowest is None:
        return None
    currency = document.currency
    return PriceHistory(
        days=today - steps[0][0] + 1,
        lowest_30=Money(lowest[0], currency),
        lowest_30_since=_iso(lowest[1]),
        lowest=Money(min(known), currency),
        highest=Money(max(known), currency),
        until=_iso(today),
        steps=tuple(
            PriceStep(since=_iso(day), price=Money(price, currency) if price is not None else None)
            for day, price in steps
        ),
    )


def within(steps: Steps, first: int, last: int) -> list[tuple[int, int | None]]:
    """Steps between two days, both included; what was in force on the first one starts them."""
    before = [step for step in steps if step[0] <= first]
    inside = [step for step in steps if first < step[0] <= last]
    return [*((first, step[1]) for step in before[-1:]), *inside]


def _iso(day: int) -> str:
    return (EPOCH + timedelta(days=day)).isoformat()
