"""Reading the books: the entries of a period in order, numbered, as many as there are.

A book is kept by one owner: `platform`, or `merchant:<id>`. Transactions of a book are numbered
through the year without a gap; in a closed period these numbers are final. Rows come one by one
from the server, so a period of any size fits into memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from checkout import tables as t
from kernel.db import Transaction

PLATFORM_BOOK = "platform"
_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Posting:
    """One entry as exports show it; one of `debit` and `credit`, in minor units, is 0.

    `role` and `party` are the parts of the account: goods_sold of norden, vat_collected of FR.
    """

    number: int
    transaction_id: str
    period: str
    occurred_at: datetime
    kind: str
    order_ref: str
    merchant_id: str
    account: str
    role: str
    party: str
    debit: int
    credit: int
    currency: str


def postings(
    tx: Transaction, period: str, book: str | None = None, currency: str | None = None
) -> Iterator[Posting]:
    """The entries of a period (`2026-11`), of one book and currency or of all, by time."""
    number, last = _before(tx, period, book, currency), ""
    for row in _rows(tx, period, book, currency):
        if row.transaction_id != last:
            number, last = number + 1, row.transaction_id
        role, party = _parts(row.account)
        yield Posting(
            number=number,
            transaction_id=row.transaction_id,
            period=row.period,
            occurred_at=row.occurred_at,
            kind=row.kind,
            order_ref=row.order_ref,
            merchant_id=row.merchant_id,
            account=row.account,
            role=role,
            party=party,
            debit=max(row.amount_minor, 0),
            credit=max(-row.amount_minor, 0),
            currency=row.currency,
        )


def transaction_count(tx: Transaction, period: str) -> int:
    """How many transactions a period has, in all books."""
    statement = sa.select(sa.func.count()).select_from(t.ledger_transaction)
    return int(tx.execute(statement.where(t.ledger_transaction.c.period == period)).scalar_one())


def currencies(tx: Transaction, period: str, book: str) -> list[str]:
    """The currencies of a book in a period."""
    statement = _entries(t.ledger_transaction.c.period == period, book, None)
    found = statement.with_only_columns(t.ledger_entry.c.currency, maintain_column_froms=True)
    return sorted(tx.execute(found.distinct()).scalars())


def _parts(account: str) -> tuple[str, str]:
    """`merchant:norden:goods_sold` and `platform:vat_collected:FR` as role and party."""
    owner, *rest = account.split(":")
    if owner == PLATFORM_BOOK:
        return rest[0], ":".join(rest[1:])
    return rest[-1], ":".join(rest[:-1])


def _entries(
    of_period: sa.ColumnElement[bool], book: str | None, currency: str | None
) -> sa.Select[Any]:
    statement = (
        sa.select(
            t.ledger_entry.c.transaction_id,
            t.ledger_entry.c.account,
            t.ledger_entry.c.currency,
            t.ledger_entry.c.amount_minor,
            t.ledger_transaction.c.period,
            t.ledger_transaction.c.occurred_at,
            t.ledger_transaction.c.kind,
            t.leg.c.merchant_id,
            t.purchase.c.order_ref,
        )
        .join(
            t.ledger_transaction,
            t.ledger_transaction.c.transaction_id == t.ledger_entry.c.transaction_id,
        )
        .join(t.leg, t.leg.c.leg_id == t.ledger_transaction.c.leg_id)
        .join(t.purchase, t.purchase.c.purchase_id == t.leg.c.purchase_id)
        .where(of_period)
    )
    if book is not None:
        of_book = t.ledger_entry.c.account.startswith(f"{book}:", autoescape=True)
        statement = statement.where(of_book)
    if currency is not None:
        statement = statement.where(t.ledger_entry.c.currency == currency)
    return statement


def _rows(
    tx: Transaction, period: str, book: str | None, currency: str | None
) -> Iterator[sa.Row[Any]]:
    statement = _entries(t.ledger_transaction.c.period == period, book, currency).order_by(
        t.ledger_transaction.c.occurred_at,
        t.ledger_transaction.c.transaction_id,
        t.ledger_entry.c.position,
    )
    yield from tx.execute(statement, execution_options={"yield_per": _AT_ONCE})


def _before(tx: Transaction, period: str, book: str | None, currency: str | None) -> int:
    """How many transactions of the year come before the period."""
    earlier = sa.and_(
        t.ledger_transaction.c.period >= f"{period[:4]}-01", t.ledger_transaction.c.period < period
    )
    counted = sa.func.count(sa.distinct(t.ledger_entry.c.transaction_id))
    statement = _entries(earlier, book, currency).with_only_columns(
        counted, maintain_column_froms=True
    )
    return int(tx.execute(statement).scalar_one())
