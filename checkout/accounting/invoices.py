"""What a merchant owes the platform for a month: commission, less what went back, and its tax.

The lines are the books of the month; an invoice is issued when the month is closed, once, with a
number that follows the last one of its year. More given back than earned is a credit note.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from checkout import tables as t
from kernel.db import Transaction
from kernel.money import Money

_OWED = sa.text(
    """
    SELECT l.merchant_id, e.currency,
           (SELECT substr(v.account, 24) FROM checkout.ledger_entry v
             WHERE v.transaction_id = e.transaction_id
               AND v.account LIKE 'platform:vat\\_collected:%' LIMIT 1) AS vat_country,
           -sum(e.amount_minor) FILTER (WHERE e.account = 'platform:commission_income') AS net,
           -coalesce(sum(e.amount_minor)
               FILTER (WHERE e.account LIKE 'platform:vat\\_collected:%'), 0) AS vat,
           count(DISTINCT l.purchase_id) AS orders
    FROM checkout.ledger_transaction x
    JOIN checkout.ledger_entry e USING (transaction_id)
    JOIN checkout.leg l ON l.leg_id = x.leg_id
    WHERE x.period = :period AND e.account LIKE 'platform:%'
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    """
)


@dataclass(frozen=True, slots=True)
class Owed:
    """One line of a month: `number` is that of the invoice, None while the month is open."""

    merchant_id: str
    net: Money
    vat: Money
    vat_country: str | None
    orders: int
    number: str | None = None

    @property
    def total(self) -> Money:
        """With its tax. Below 0: a credit note."""
        return self.net + self.vat


def owed_in(tx: Transaction, period: str) -> list[Owed]:
    """What each merchant owes for a month, by the books as they stand."""
    return [
        Owed(
            row.merchant_id,
            Money(int(row.net or 0), row.currency),
            Money(int(row.vat), row.currency),
            row.vat_country,
            row.orders,
        )
        for row in tx.execute(_OWED, {"period": period})
    ]


def issue_invoices(tx: Transaction, period: str, owed: Sequence[Owed], now: datetime) -> None:
    """Issue the invoices of a month that is just being closed."""
    issued = sa.select(sa.func.count()).select_from(t.commission_invoice)
    of_year = t.commission_invoice.c.period.startswith(period[:4])
    last = int(tx.execute(issued.where(of_year)).scalar_one())
    for number, each in enumerate(owed, start=last + 1):
        tx.execute(
            t.commission_invoice.insert().values(
                number=f"C{period[:4]}-{number:06}",
                period=period,
                merchant_id=each.merchant_id,
                currency=each.net.currency,
                net_minor=each.net.minor,
                vat_minor=each.vat.minor,
                vat_country=each.vat_country,
                orders=each.orders,
                issued_at=now,
            )
        )


def invoices_of(tx: Transaction, period: str) -> Sequence[Owed]:
    """The invoices of a closed month."""
    rows = tx.execute(
        t.commission_invoice.select()
        .where(t.commission_invoice.c.period == period)
        .order_by(t.commission_invoice.c.number)
    )
    return [_invoice(row) for row in rows]


def _invoice(row: sa.Row[Any]) -> Owed:
    return Owed(
        row.merchant_id,
        Money(row.net_minor, row.currency),
        Money(row.vat_minor, row.currency),
        row.vat_country,
        row.orders,
        row.number,
    )
