"""What is shown about a price beside itself: the unit price, its history, the drawing of that.

Part of the answer's shape (`search_api.answer`). Coordinates of the drawing are in its own units.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from kernel.money import Money

WIDTH, HEIGHT = 640, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 8, 632, 28, 168


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPrice:
    """The price without delivery for one `unit`: `kg`, `l` or `piece`."""

    price: Money
    unit: Literal["kg", "l", "piece"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceStep:
    """The lowest price of a new article, without delivery, from a day (ISO) on; None: not sold."""

    since: str
    price: Money | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceHistory:
    """Prices asked here lately, at most 90 days, without delivery; the last step holds on `until`.

    `lowest_30` is the lowest of the last 30 days, first asked on `lowest_30_since` within them.
    `days` is how long prices are known for.
    """

    days: int
    lowest_30: Money
    lowest_30_since: str
    lowest: Money
    highest: Money
    until: str
    steps: tuple[PriceStep, ...]

    @property
    def chart(self) -> PriceChart:
        """The same as a drawing."""
        return drawn(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFall:
    """A fall of the cheapest new price, without delivery: `now` against `before`, the lowest of the
    30 days before the last week; by `percent`, rounded down, without a break since a day (ISO).
    """

    percent: int
    since: str
    now: Money
    before: Money


@dataclass(frozen=True, slots=True)
class PriceChart:
    """An SVG drawing: one line per stretch without a gap, and where today's price stands.

    `lines` are the `d` of paths; `low_y`, `high_y`, `last_x`, `last_y` place the labels.
    """

    width: int
    height: int
    lines: tuple[str, ...]
    low_y: float
    high_y: float
    last_x: float
    last_y: float | None


def drawn(history: PriceHistory) -> PriceChart:
    """The chart of a history: days to the right, prices upwards, stairs as prices are."""
    first = date.fromisoformat(history.steps[0].since).toordinal()
    last = date.fromisoformat(history.until).toordinal()
    low, high = history.lowest.minor, history.highest.minor

    def across(day: int) -> float:
        return round(_LEFT + (_RIGHT - _LEFT) * (day - first) / max(last - first, 1), 1)

    def up(minor: int) -> float:
        if high == low:
            return (_TOP + _BOTTOM) / 2
        return round(_BOTTOM - (_BOTTOM - _TOP) * (minor - low) / (high - low), 1)

    lines: list[str] = []
    current = ""
    for at, step in enumerate(history.steps):
        begins = across(date.fromisoformat(step.since).toordinal())
        follows = history.steps[at + 1].since if at + 1 < len(history.steps) else history.until
        ends = across(date.fromisoformat(follows).toordinal())
        if step.price is None:
            lines += [current] if current else []
            current = ""
            continue
        y = up(step.price.minor)
        current += f"V{y}H{ends}" if current else f"M{begins} {y}H{ends}"
    lines += [current] if current else []
    final = history.steps[-1].price
    return PriceChart(
        width=WIDTH,
        height=HEIGHT,
        lines=tuple(lines),
        low_y=up(low),
        high_y=up(high),
        last_x=across(last),
        last_y=up(final.minor) if final is not None else None,
    )
