"""The daily comparison of the books with what the payment provider says it moved.

Every capture and refund is looked for on the other side by our reference, a day before and after
too, since two clocks never agree about midnight. What does not agree is a finding, with the reason
it may have and what to do; nothing is corrected by itself. Comparing a day again replaces it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

import sqlalchemy as sa

from checkout import tables as t
from checkout.outcomes import Refused
from checkout.payment_providers.port import ListsMovements, Movement, MovementKind
from checkout.purchase.steps import payment_account
from kernel.db import Database, Transaction
from kernel.errors import DomainError
from kernel.money import Money
from mdm.merchants import Merchant, list_merchants

DAY = timedelta(days=1)
_KIND = {"capture": MovementKind.CAPTURE, "refund": MovementKind.REFUND}


class Difference(StrEnum):
    """What does not agree."""

    MISSING_HERE = "missing_here"
    MISSING_THERE = "missing_there"
    OTHER_AMOUNT = "other_amount"


_WHY = {
    Difference.MISSING_HERE: (
        "The provider moved money that is not in the books.",
        "Look for the reference with `comptoir order list`. If the order waits, "
        "`comptoir order resume`; if somebody did it at the provider by hand, ask who and why.",
    ),
    Difference.MISSING_THERE: (
        "The books have money that the provider does not say it moved.",
        "Look at the payment in the provider's own pages. If it is not there either, the books "
        "are wrong: have it looked into before the month is closed.",
    ),
    Difference.OTHER_AMOUNT: (
        "The books and the provider know the same movement with other amounts.",
        "Compare the order's total with the payment in the provider's own pages; settle the "
        "difference with the merchant, by a refund if too much was taken.",
    ),
}


@dataclass(frozen=True, slots=True)
class Booking:
    """A capture or refund in the books. `reference` is the leg's id, as the provider has it."""

    reference: str
    merchant_id: str
    kind: MovementKind
    amount: Money
    at: datetime


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference. `ours` or `theirs` is None where that side knows of nothing."""

    difference: Difference
    kind: MovementKind
    merchant_id: str
    reference: str
    ours: Money | None
    theirs: Money | None

    @property
    def why(self) -> str:
        """What it means."""
        return _WHY[self.difference][0]

    @property
    def hint(self) -> str:
        """What to do."""
        return _WHY[self.difference][1]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A day, compared: how much each side has of it, and what does not agree."""

    day: date
    bookings: int
    movements: int
    findings: tuple[Finding, ...]


def compare(
    merchant_id: str, bookings: Iterable[Booking], movements: Iterable[Movement], day: date
) -> Iterator[Finding]:
    """What does not agree of a merchant's day, given the days around it too. Pure."""
    ours: dict[tuple[str, MovementKind], list[Booking]] = defaultdict(list)
    theirs: dict[tuple[str, MovementKind], list[Movement]] = defaultdict(list)
    for booking in bookings:
        ours[booking.reference, booking.kind].append(booking)
    for movement in movements:
        theirs[movement.reference, movement.kind].append(movement)
    for key in sorted(ours.keys() | theirs.keys()):
        yield from _differences(merchant_id, key, ours[key], theirs[key], day)


def _differences(
    merchant_id: str,
    key: tuple[str, MovementKind],
    ours: list[Booking],
    theirs: list[Movement],
    day: date,
) -> Iterator[Finding]:
    """Equal amounts are pairs; what is left over is paired as it comes, then missing."""
    for booking in list(ours):
        twin = next((each for each in theirs if each.amount == booking.amount), None)
        if twin is not None:
            ours.remove(booking)
            theirs.remove(twin)
    reference, kind = key
    for number in range(max(len(ours), len(theirs))):
        mine = ours[number] if number < len(ours) else None
        other = theirs[number] if number < len(theirs) else None
        days = {each.at.astimezone(UTC).date() for each in (mine, other) if each is not None}
        if day not in days:
            continue
        difference = Difference.OTHER_AMOUNT
        if mine is None or other is None:
            difference = Difference.MISSING_HERE if mine is None else Difference.MISSING_THERE
        yield Finding(
            difference,
            kind,
            merchant_id,
            reference,
            None if mine is None else mine.amount,
            None if other is None else other.amount,
        )


def reconcile(
    database: Database, name: str, provider: object, day: date, now: datetime
) -> Comparison:
    """Compare a day of UTC for every merchant, and keep what was found.

    DomainError `no_movements` for a provider without such a list, `day_not_over`; NoAnswer;
    Refused for an account that has sold, and that the provider no longer knows.
    """
    if not isinstance(provider, ListsMovements):
        raise DomainError(
            "no_movements",
            f"{name} has no list of its movements that could be compared.",
            hint="Compare its reports with `comptoir accounts export --format csv`.",
        )
    begin = datetime.combine(day, time(), UTC)
    if now < begin + DAY:
        raise DomainError("day_not_over", f"{day} is not over yet.")
    with database.platform() as tx:
        merchants = list_merchants(tx, sellers=False)
    findings: list[Finding] = []
    counts = [0, 0]
    for merchant in merchants:
        bookings, moved = _both_sides(database, provider, merchant, begin)
        findings += compare(merchant.id, bookings, moved, day)
        counts[0] += sum(each.at.astimezone(UTC).date() == day for each in bookings)
        counts[1] += sum(each.at.astimezone(UTC).date() == day for each in moved)
    compared = Comparison(day, counts[0], counts[1], tuple(findings))
    with database.platform() as tx:
        _keep(tx, name, compared, now)
    return compared


def _both_sides(
    database: Database, provider: ListsMovements, merchant: Merchant, begin: datetime
) -> tuple[list[Booking], list[Movement]]:
    """What was booked and what was moved of a merchant, from a day before to a day after."""
    since, until = begin - DAY, begin + 2 * DAY
    with database.platform() as tx:
        bookings = list(_bookings(tx, merchant.id, since, until))
    if not bookings and merchant.connector is None:
        return [], []
    try:
        return bookings, list(provider.movements(payment_account(merchant), since, until))
    except Refused:
        if bookings:
            raise
        # Nothing was ever sold there, and the provider knows no such account.
        return [], []


def is_compared(tx: Transaction, name: str, day: date) -> bool:
    """Whether a day was compared already."""
    statement = sa.select(t.reconciliation.c.day).where(
        t.reconciliation.c.provider == name, t.reconciliation.c.day == day
    )
    return tx.execute(statement).one_or_none() is not None


def findings_of(tx: Transaction, name: str, day: date) -> Sequence[Finding]:
    """What was found when a day was compared last."""
    table = t.reconciliation_finding
    rows = tx.execute(
        table.select().where(table.c.provider == name, table.c.day == day).order_by(table.c.number)
    )

    def money(minor: int | None, currency: str) -> Money | None:
        return None if minor is None else Money(minor, currency)

    return [
        Finding(
            Difference(row.difference),
            MovementKind(row.kind),
            row.merchant_id,
            row.reference,
            money(row.ours_minor, row.currency),
            money(row.theirs_minor, row.currency),
        )
        for row in rows
    ]


def _bookings(
    tx: Transaction, merchant_id: str, begin: datetime, end: datetime
) -> Iterator[Booking]:
    """What the merchant's claim on its provider grew and shrank by."""
    rows = tx.execute(
        sa.select(
            t.ledger_transaction.c.leg_id,
            t.ledger_transaction.c.kind,
            t.ledger_transaction.c.occurred_at,
            t.ledger_entry.c.amount_minor,
            t.ledger_entry.c.currency,
        )
        .join(
            t.ledger_entry,
            t.ledger_entry.c.transaction_id == t.ledger_transaction.c.transaction_id,
        )
        .where(
            t.ledger_entry.c.account == f"merchant:{merchant_id}:provider_receivable",
            t.ledger_transaction.c.occurred_at >= begin,
            t.ledger_transaction.c.occurred_at < end,
        )
        .order_by(t.ledger_transaction.c.occurred_at, t.ledger_transaction.c.transaction_id)
    )
    for row in rows:
        yield Booking(
            row.leg_id,
            merchant_id,
            _KIND[row.kind.partition(" ")[0]],
            Money(abs(row.amount_minor), row.currency),
            row.occurred_at,
        )


def _keep(tx: Transaction, name: str, compared: Comparison, now: datetime) -> None:
    run = {"provider": name, "day": compared.day}
    tx.execute(
        t.reconciliation.delete().where(
            t.reconciliation.c.provider == name, t.reconciliation.c.day == compared.day
        )
    )
    tx.execute(
        t.reconciliation.insert().values(
            **run, compared_at=now, bookings=compared.bookings, movements=compared.movements
        )
    )
    for number, each in enumerate(compared.findings, start=1):
        known = each.ours or each.theirs
        assert known is not None
        tx.execute(
            t.reconciliation_finding.insert().values(
                **run,
                number=number,
                difference=each.difference,
                kind=each.kind,
                merchant_id=each.merchant_id,
                reference=each.reference[:200],
                ours_minor=None if each.ours is None else each.ours.minor,
                theirs_minor=None if each.theirs is None else each.theirs.minor,
                currency=known.currency,
                why=each.why,
                hint=each.hint,
            )
        )
