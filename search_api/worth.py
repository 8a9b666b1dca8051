"""What a product is worth, new and by how well it is kept: the page's model. Pure.

In: values by grade, from offers and sales of the last year (`mdm.argus`, handed in by the wiring).
Out: rows with a drawn interval each; grades of which too little is known say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kernel.money import Money
from search_api.product_card import ProductCard

WIDTH = 240
_LEFT, _RIGHT = 8, 232


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeWorth:
    """`value` lies between `low` and `high` in 95 of 100 samples; None where too little is known.

    `grade` is one of `kernel.offer_terms.Grade`; `offers` and `sales` are what it rests on.
    """

    grade: str
    value: Money | None
    low: Money | None
    high: Money | None
    offers: int
    sales: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorthRow:
    """A grade with its drawing: the interval from `low_x` to `high_x`, the value at `at_x`."""

    worth: GradeWorth
    low_x: float = 0
    high_x: float = 0
    at_x: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorthPage:
    """A product and its rows, the best kept first; those that nobody has offered are left out."""

    product: ProductCard
    rows: tuple[WorthRow, ...]

    @property
    def is_known(self) -> bool:
        """Whether any grade has a value."""
        return any(row.worth.value is not None for row in self.rows)


def worth_page(product: ProductCard, worths: Sequence[GradeWorth]) -> WorthPage:
    """The rows on one scale."""
    known = [money.minor for each in worths for money in (each.low, each.high) if money]
    low, high = min(known, default=0), max(known, default=0)

    def across(money: Money) -> float:
        if high == low:
            return (_LEFT + _RIGHT) / 2
        return round(_LEFT + (_RIGHT - _LEFT) * (money.minor - low) / (high - low), 1)

    rows = []
    for each in worths:
        if each.value is None or each.low is None or each.high is None:
            # A used article whose grade nobody states is no grade that one could have.
            rows += [WorthRow(worth=each)] if each.grade != "unknown" else []
            continue
        rows.append(
            WorthRow(
                worth=each,
                low_x=across(each.low),
                high_x=across(each.high),
                at_x=across(each.value),
            )
        )
    return WorthPage(product=product, rows=tuple(rows))
