"""What is at stake in a question to a steward: traffic x price spread x uncertainty. Pure.

A merge that is wrong shows shoppers a lowest price that is not the product's; one that is missed
hides a lower one from them. Both cost the difference of the two sides' lowest prices, each time
that somebody looks.
"""

from __future__ import annotations

from dataclasses import dataclass

CHOSEN_WEIGHS = 10
"""A visit that leads to an offer counts as much as so many views in a list."""

UNSEEN = 1.0
"""Traffic of products that nobody has met yet: they are asked about after the others, not never."""

LEAST_SPREAD = 0.01
"""Of the lower price, where both sides ask the same or one states none."""

LEAST_UNCERTAIN = 0.1


@dataclass(frozen=True, slots=True)
class Traffic:
    """How often a product was shown in a list, and how often a shopper then went on with it."""

    shown: int = 0
    chosen: int = 0

    def __add__(self, other: Traffic) -> Traffic:
        return Traffic(self.shown + other.shown, self.chosen + other.chosen)


def stake(
    traffic: Traffic,
    lowest: tuple[int | None, int | None],
    probability: float,
    band: tuple[float, float],
) -> float:
    """Traffic of both sides times the spread (minor units) times the nearness to the band's middle.

    `lowest` are the lowest prices of both sides in one currency, None where there is none.
    """
    return round(_visits(traffic) * _spread(lowest) * uncertainty(probability, band), 6)


def uncertainty(probability: float, band: tuple[float, float]) -> float:
    """1 in the middle of the band, falling to LEAST_UNCERTAIN at its edges and beyond."""
    low, high = band
    middle, half = (low + high) / 2, max((high - low) / 2, 1e-9)
    return max(1.0 - abs(probability - middle) / half, LEAST_UNCERTAIN)


def _visits(traffic: Traffic) -> float:
    return UNSEEN + traffic.shown + CHOSEN_WEIGHS * traffic.chosen


def _spread(lowest: tuple[int | None, int | None]) -> float:
    stated = [each for each in lowest if each is not None]
    if not stated:
        return 1.0
    least = max(min(stated) * LEAST_SPREAD, 1.0)
    return max(float(max(stated) - min(stated)), least)
