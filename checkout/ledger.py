"""The ledger: what moved, as entries that add up to zero, written once, never changed.

The platform holds no funds. A capture is the merchant's own claim on its payment provider against
what it sold; the commission is the platform's claim on the merchant. Each transaction lies in one
book, by the first part of its accounts. The database refuses one that does not balance in each
currency, and says which period it belongs to.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from checkout import tables as t
from checkout.accounting.commission import (
    COMMISSION,
    Commission,
    commission_on,
    earned_by,
    given_back,
    rate_at,
)
from checkout.quote_document import LegQuoted
from checkout.refunds import Refund
from kernel.db import Prepared, Transaction
from kernel.ids import derived_id
from kernel.money import Money

CAPTURE = "capture"

_BOOK = Prepared(t.ledger_transaction.insert())
_ENTRIES = Prepared(
    sa.text("""
    INSERT INTO checkout.ledger_entry
        (transaction_id, position, brand_id, account, currency, amount_minor)
    SELECT :transaction_id, e.position - 1, :brand_id, e.account, e.currency, e.amount_minor
    FROM unnest(CAST(:accounts AS text[]), CAST(:currencies AS text[]), CAST(:amounts AS bigint[]))
        WITH ORDINALITY AS e (account, currency, amount_minor, position)
    """)
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A debit (positive) or a credit (negative) of one account."""

    account: str
    amount: Money


def capture_entries(quoted: LegQuoted) -> tuple[Entry, ...]:
    """The merchant's claim on its provider against the goods and the delivery it sold. Pure."""
    merchant = f"merchant:{quoted.merchant_id}"
    entries = (
        Entry(f"{merchant}:provider_receivable", quoted.total),
        Entry(f"{merchant}:goods_sold", quoted.goods * -1),
        Entry(f"{merchant}:delivery_sold", quoted.delivery.price * -1),
    )
    return tuple(entry for entry in entries if entry.amount.minor)


def book_capture(
    tx: Transaction, brand_id: str, leg_id: str, quoted: LegQuoted, moment: datetime
) -> None:
    """Book the capture of a leg and the commission on it. A leg is captured once: booking it
    again is an error.
    """
    _book(tx, brand_id, leg_id, CAPTURE, capture_entries(quoted), moment)
    rate = rate_at(tx, quoted.merchant_id, moment)
    if rate is not None:
        earned = commission_on(quoted.goods, rate, moment)
        _book(tx, brand_id, leg_id, COMMISSION, _entries(earned), moment)


def refund_entries(merchant_id: str, amount: Money) -> tuple[Entry, ...]:
    """What went back to the buyer, out of the merchant's claim on its provider. Pure."""
    merchant = f"merchant:{merchant_id}"
    return (
        Entry(f"{merchant}:refunds_given", amount),
        Entry(f"{merchant}:provider_receivable", amount * -1),
    )


def book_refund(
    tx: Transaction, brand_id: str, merchant_id: str, refund: Refund, moment: datetime
) -> None:
    """Book a refund that the provider has confirmed, and the share of the commission that goes
    back with it. Booking it again is an error.
    """
    kind, currency = f"refund {refund.ordinal}", refund.amount.currency
    before = _refunded(tx, refund.leg_id, merchant_id)
    _book(tx, brand_id, refund.leg_id, kind, refund_entries(merchant_id, refund.amount), moment)
    earned = earned_by(tx, refund.leg_id, merchant_id, currency)
    if earned is not None:
        captured = sa.select(t.leg.c.captured_minor).where(t.leg.c.leg_id == refund.leg_id)
        whole = tx.execute(captured).scalar_one()
        back = given_back(earned, whole, before, before + refund.amount.minor)
        _book(tx, brand_id, refund.leg_id, f"{COMMISSION} of {kind}", _entries(back), moment)


def _refunded(tx: Transaction, leg_id: str, merchant_id: str) -> int:
    """What was given back of a leg so far, by the books."""
    statement = (
        sa.select(sa.func.coalesce(sa.func.sum(t.ledger_entry.c.amount_minor), 0))
        .join(
            t.ledger_transaction,
            t.ledger_transaction.c.transaction_id == t.ledger_entry.c.transaction_id,
        )
        .where(
            t.ledger_transaction.c.leg_id == leg_id,
            t.ledger_entry.c.account == f"merchant:{merchant_id}:refunds_given",
        )
    )
    return int(tx.execute(statement).scalar_one())


def _entries(commission: Commission) -> tuple[Entry, ...]:
    return tuple(Entry(account, amount) for account, amount in commission.entries())


def _book(
    tx: Transaction,
    brand_id: str,
    leg_id: str,
    kind: str,
    entries: tuple[Entry, ...],
    moment: datetime,
) -> None:
    if not entries:
        return
    transaction_id = derived_id("led", leg_id, kind)
    booked = {
        "transaction_id": transaction_id,
        "brand_id": brand_id,
        "leg_id": leg_id,
        "kind": kind,
        "occurred_at": moment,
    }
    _BOOK.run(tx, booked)
    written = {
        "transaction_id": transaction_id,
        "brand_id": brand_id,
        "accounts": [entry.account for entry in entries],
        "currencies": [entry.amount.currency for entry in entries],
        "amounts": [entry.amount.minor for entry in entries],
    }
    _ENTRIES.run(tx, written)
