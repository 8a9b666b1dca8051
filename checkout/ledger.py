"""The ledger: captures and refunds as entries that add up to zero, written once, never changed.

The platform holds no funds: what is booked is the merchant's own claim on its payment provider and
what it sold for it. The database refuses a transaction that does not balance in each currency.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from checkout import tables as t
from checkout.quote_document import LegQuoted
from checkout.refunds import Refund
from kernel.db import Transaction
from kernel.ids import derived_id
from kernel.money import Money

CAPTURE = "capture"


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
    """Book the capture of a leg. A leg is captured once: booking it again is an error."""
    _book(tx, brand_id, leg_id, CAPTURE, capture_entries(quoted), moment)


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
    """Book a refund that the provider has confirmed. Booking it again is an error."""
    kind = f"refund {refund.ordinal}"
    _book(tx, brand_id, refund.leg_id, kind, refund_entries(merchant_id, refund.amount), moment)


def _book(
    tx: Transaction,
    brand_id: str,
    leg_id: str,
    kind: str,
    entries: tuple[Entry, ...],
    moment: datetime,
) -> None:
    transaction_id = derived_id("led", leg_id, kind)
    tx.execute(
        t.ledger_transaction.insert().values(
            transaction_id=transaction_id,
            brand_id=brand_id,
            leg_id=leg_id,
            kind=kind,
            occurred_at=moment,
        )
    )
    tx.execute(
        t.ledger_entry.insert(),
        [
            {
                "transaction_id": transaction_id,
                "position": position,
                "brand_id": brand_id,
                "account": entry.account,
                "currency": entry.amount.currency,
                "amount_minor": entry.amount.minor,
            }
            for position, entry in enumerate(entries)
        ],
    )
