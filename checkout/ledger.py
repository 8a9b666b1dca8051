"""The ledger: every capture as entries that add up to zero, written once and never changed.

The platform holds no funds: what is booked is the merchant's own claim on its payment provider and
what it sold for it. The database refuses a transaction that does not balance in each currency.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from checkout import tables as t
from checkout.quote_document import LegQuoted
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
