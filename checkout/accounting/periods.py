"""Closing a month: afterwards nothing is written into it, and its books have one hash for ever.

Closing also issues the invoices of the commission, numbered through the year without a gap. Months
are those of UTC. The database refuses entries in a closed month; they go to the next open one.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime

import sqlalchemy as sa

from checkout import tables as t
from checkout.accounting.books import postings, transaction_count
from checkout.accounting.invoices import Owed, issue_invoices, owed_in
from checkout.accounting.presentation import Presentation
from kernel.db import Transaction, advisory_lock
from kernel.errors import DomainError

# Bookings hold the same lock, shared: see the trigger `checkout.ledger_period`.
_LOCK = "checkout.ledger_period"
_PERIOD = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class ClosedPeriod:
    """A closed month: how many transactions it has, the hash of its books, how they are shown."""

    period: str
    closed_at: datetime
    transactions: int
    ledger_sha256: str
    presentation: Presentation


def checked_period(text: str) -> str:
    """A month such as 2026-11. DomainError `period_invalid`."""
    if not _PERIOD.fullmatch(text):
        raise DomainError("period_invalid", f"{text!r} is no month.", hint="Write 2026-11.")
    return text


def close_period(
    tx: Transaction, period: str, presentation: Presentation, now: datetime
) -> ClosedPeriod:
    """Close a month that is over. Closed already: as it was closed.

    DomainError `period_not_over`, `period_order` (an earlier month with entries is open).
    """
    if checked_period(period) >= f"{now:%Y-%m}":
        raise DomainError("period_not_over", f"{period} is not over yet.")
    # The long reading comes before the lock, which every booking would wait for.
    made, owed = _read_through(tx, period, presentation, now)
    advisory_lock(tx, _LOCK)
    known = closed_period(tx, period)
    if known is not None:
        return known
    _refuse_gap(tx, period)
    if transaction_count(tx, period) != made.transactions:
        made, owed = _read_through(tx, period, presentation, now)
    tx.execute(
        t.closed_period.insert().values(
            period=period,
            closed_at=now,
            transactions=made.transactions,
            ledger_sha256=made.ledger_sha256,
            presentation=presentation.as_json(),
        )
    )
    issue_invoices(tx, period, owed, now)
    return made


def _read_through(
    tx: Transaction, period: str, presentation: Presentation, now: datetime
) -> tuple[ClosedPeriod, list[Owed]]:
    """What the month holds. Rows are only ever added: as many as before are the same ones."""
    count = transaction_count(tx, period)
    made = ClosedPeriod(period, now, count, ledger_sha256(tx, period), presentation)
    return made, owed_in(tx, period)


def _refuse_gap(tx: Transaction, period: str) -> None:
    """Months are closed in order; what was closed last is the end of what is closed."""
    closed = tx.execute(sa.select(sa.func.max(t.closed_period.c.period))).scalar_one()
    if closed is not None and closed > period:
        raise DomainError("period_order", f"{closed} is closed, and {period} with it.")
    first = sa.select(sa.func.min(t.ledger_transaction.c.period))
    is_open = t.ledger_transaction.c.period > (closed or "")
    oldest = tx.execute(first.where(is_open)).scalar_one()
    if oldest is not None and oldest < period:
        raise DomainError(
            "period_order", f"{oldest} is still open.", hint=f"Close {oldest} before {period}."
        )


def closed_period(tx: Transaction, period: str) -> ClosedPeriod | None:
    """A closed month; None while it is open."""
    return next(iter(_read(tx, t.closed_period.c.period == period)), None)


def closed_periods(tx: Transaction) -> Sequence[ClosedPeriod]:
    """Every closed month, the oldest first."""
    return _read(tx, sa.true())


def ledger_sha256(tx: Transaction, period: str) -> str:
    """The hash of all books of a month, entry by entry, in order."""
    digest = hashlib.sha256()
    for posting in postings(tx, period):
        digest.update(json.dumps(astuple(posting), default=_moment).encode() + b"\n")
    return digest.hexdigest()


def _moment(value: object) -> str:
    assert isinstance(value, datetime)
    return f"{value.timestamp():.6f}"


def _read(tx: Transaction, condition: sa.ColumnElement[bool]) -> Sequence[ClosedPeriod]:
    rows = tx.execute(t.closed_period.select().where(condition).order_by(t.closed_period.c.period))
    return [
        ClosedPeriod(
            row.period,
            row.closed_at,
            row.transactions,
            row.ledger_sha256,
            Presentation.from_json(row.presentation),
        )
        for row in rows
    ]
