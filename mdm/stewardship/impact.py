"""What an act would change, told before it is done: offers that move, prices that shoppers see.

In: a plan. Out: the products before and after, and what a person must confirm. Changes nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from kernel.db import Transaction
from kernel.money import Money
from mdm.stewardship.decisions import Couple, words_between
from mdm.stewardship.plans import Plan
from mdm.unique_items import SEAT

NEW = "new"
"""Stands for the id that a new product will get."""


@dataclass(frozen=True, slots=True)
class Line:
    """A live offer as an act sees it. A merchant has one of each `seat` under a product."""

    offer_id: str
    title: str
    merchant_id: str
    merchant_name: str
    condition: str
    price: Money | None
    product_id: str
    seat: str


@dataclass(frozen=True, slots=True)
class Change:
    """A product before and after. `lowest` is over its live offers; `NEW` is one yet to be made."""

    product_id: str
    title: str
    offers_before: int
    offers_after: int
    lowest_before: Money | None
    lowest_after: Money | None

    @property
    def ends(self) -> bool:
        """Whether the product loses its last offer: its id leads elsewhere from then on."""
        return self.offers_before > 0 and self.offers_after == 0


@dataclass(frozen=True, slots=True)
class Impact:
    """`twice` names merchants that would have two offers of a product in one condition, `overruled`
    pairs on which the contrary is in force; both have to be confirmed."""

    moved: tuple[Line, ...]
    changes: tuple[Change, ...]
    twice: tuple[str, ...]
    overruled: tuple[Couple, ...]

    @property
    def prices_moved(self) -> int:
        """Products whose lowest price changes."""
        return sum(each.lowest_before != each.lowest_after for each in self.changes)

    @property
    def needs_confirmation(self) -> bool:
        """Whether a person has to say that this is meant."""
        return bool(self.twice or self.overruled)


def impact_of(tx: Transaction, plan: Plan) -> Impact:
    """What the plan would change, were it carried out now."""
    goes = {each: to or NEW for each, to in plan.moves.items()}
    lines = _lines(tx, goes)
    before, after = _gathered(lines, {}), _gathered(lines, goes)
    titles = _titles(tx, before)
    changes = [
        Change(
            each,
            titles.get(each, ""),
            len(before.get(each, ())),
            len(after.get(each, ())),
            lowest(before.get(each, ())),
            lowest(after.get(each, ())),
        )
        for each in dict.fromkeys([*before, *after])
    ]
    return Impact(
        moved=tuple(
            each for each in lines if goes.get(each.offer_id, each.product_id) != each.product_id
        ),
        changes=tuple(changes),
        twice=_twice(before, after),
        overruled=_overruled(tx, plan, after, goes),
    )


def lowest(lines: Iterable[Line]) -> Money | None:
    """The lowest price, in the currency that most of the offers ask; None where none is stated."""
    priced = [each.price for each in lines if each.price is not None]
    if not priced:
        return None
    asked = Counter(each.currency for each in priced)
    currency = min(asked, key=lambda each: (-asked[each], each))
    return min((each for each in priced if each.currency == currency), key=lambda each: each.minor)


def _lines(tx: Transaction, goes: Mapping[str, str]) -> list[Line]:
    """Live offers of every product that an offer leaves or comes to."""
    rows = tx.execute(
        sa.text(
            "SELECT o.offer_id, o.title, o.merchant_id, m.name, o.condition, "  # noqa: S608
            f"o.price_minor, o.currency, o.product_id, {SEAT} AS seat "
            "FROM mdm.offer o JOIN mdm.merchant m USING (merchant_id) "
            "WHERE o.live AND (o.product_id = ANY(:products) OR o.product_id IN "
            "(SELECT product_id FROM mdm.offer WHERE offer_id = ANY(:offers))) ORDER BY o.offer_id"
        ),
        {"products": sorted(set(goes.values())), "offers": list(goes)},
    )
    return [
        Line(
            row.offer_id, row.title, row.merchant_id, row.name, row.condition,
            None if row.price_minor is None else Money(row.price_minor, row.currency),
            row.product_id, row.seat,
        )
        for row in rows
    ]  # fmt: skip


def _gathered(lines: Sequence[Line], goes: Mapping[str, str]) -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = defaultdict(list)
    for each in lines:
        found[goes.get(each.offer_id, each.product_id)].append(each)
    return found


def _titles(tx: Transaction, product_ids: Iterable[str]) -> dict[str, str]:
    rows = tx.execute(
        sa.text("SELECT product_id, golden FROM mdm.product WHERE product_id = ANY(:ids)"),
        {"ids": list(product_ids)},
    )
    return {row.product_id: next(iter(row.golden.get("titles", {}).values()), "") for row in rows}


def _twice(before: Mapping[str, list[Line]], after: Mapping[str, list[Line]]) -> tuple[str, ...]:
    names = {
        line.merchant_name
        for product_id, lines in after.items()
        for line in lines
        if _own(lines)[_seller(line)] > max(_own(before.get(product_id, ()))[_seller(line)], 1)
    }
    return tuple(sorted(names))


def _own(lines: Iterable[Line]) -> Counter[tuple[str, str]]:
    return Counter(_seller(each) for each in lines)


def _seller(line: Line) -> tuple[str, str]:
    return line.merchant_id, line.seat


def _overruled(
    tx: Transaction, plan: Plan, after: Mapping[str, list[Line]], goes: Mapping[str, str]
) -> tuple[Couple, ...]:
    """Words in force against what the plan says: those of the pairs themselves, and those that
    keep apart offers which would come together."""
    if plan.takes_back is not None:
        return ()
    found: set[Couple] = set()
    for pairs, contrary in ((plan.same, "different"), (plan.different, "same")):
        sides = [low for low, _ in pairs], [high for _, high in pairs]
        found |= set(words_between(tx, *sides, contrary)) & set(pairs)  # type: ignore[arg-type]
    for product_id in set(goes.values()) - {NEW}:
        coming = [each.offer_id for each in after[product_id] if each.offer_id in goes]
        staying = [each.offer_id for each in after[product_id] if each.offer_id not in goes]
        found |= set(words_between(tx, coming, staying, "different"))
    return tuple(sorted(found))
