"""The life of a payment, and every movement of its money as an entry between two accounts.

requires_payment -> authorised -> captured | voided | expired; requires_payment -> cancelled.
In: a transaction. Out: the payment's row. Each change queues its event in the same transaction.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from comptoir.payment_simulator.database import unix_now
from comptoir.payment_simulator.webhooks import queue_event
from kernel.ids import drawn_id

PAGE_LIFETIME_S = 30 * 60
AUTHORISATION_LIFETIME_S = 7 * 24 * 3600
MOST_TRIES = 3
MOVEMENTS_A_PAGE = 100

Row = sqlite3.Row
Tx = sqlite3.Connection


class PaymentRefused(Exception):
    """The provider says no: an HTTP status, a stable code, a sentence."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class NewPayment:
    """What the platform asks to be paid. `amount` in minor units."""

    platform: str
    reference: str
    merchant_account: str
    merchant_name: str
    amount: int
    currency: str
    return_url: str
    cancel_url: str
    locale: str
    metadata: dict[str, str]


def create(tx: Tx, new: NewPayment, base_url: str) -> Row:
    """Open a payment. 409 where the platform has used the reference before."""
    known = find(tx, new.platform, new.reference)
    if known is not None:
        raise PaymentRefused(
            409, "duplicate_reference", f"The reference is taken by payment {known['id']}."
        )
    payment_id = drawn_id("pay")
    now = unix_now(tx)
    tx.execute(
        "INSERT INTO payment (id, platform, reference, merchant_account, merchant_name, amount,"
        " currency, status, return_url, cancel_url, pay_url, locale, metadata, created_at,"
        " page_expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, 'requires_payment', ?, ?, ?, ?, ?, ?, ?)",
        (
            *(payment_id, new.platform, new.reference, new.merchant_account, new.merchant_name),
            *(new.amount, new.currency, new.return_url, new.cancel_url),
            *(f"{base_url}/pay/{payment_id}", new.locale),
            *(json.dumps(new.metadata, sort_keys=True), now, now + PAGE_LIFETIME_S),
        ),
    )
    return read(tx, payment_id)


def read(tx: Tx, payment_id: str, platform: str | None = None) -> Row:
    """The row. 404 where it is unknown, or another platform's."""
    row: Row | None = tx.execute("SELECT * FROM payment WHERE id = ?", (payment_id,)).fetchone()
    if row is None or platform not in (None, row["platform"]):
        raise PaymentRefused(404, "payment_unknown", "There is no such payment.")
    return row


def find(tx: Tx, platform: str, reference: str) -> Row | None:
    """The platform's payment of a reference, or None."""
    row: Row | None = tx.execute(
        "SELECT * FROM payment WHERE platform = ? AND reference = ?", (platform, reference)
    ).fetchone()
    return row


def settle_time(tx: Tx, payment: Row) -> Row:
    """What the passing of time did to a payment: the page closes, the authorisation ends."""
    now = unix_now(tx)
    if payment["status"] == "requires_payment" and now >= payment["page_expires_at"]:
        return _close(tx, payment, "cancelled", "page_expired")
    if payment["status"] == "authorised" and now >= payment["capture_before"]:
        _move(tx, payment, "expire", "held", "buyer", payment["amount"])
        return _close(tx, payment, "expired", payment["decline_code"])
    return payment


def authorise(tx: Tx, payment: Row, network: str, last4: str) -> Row:
    """Hold the whole amount on the buyer's card."""
    _require(payment, "requires_payment", "not_payable")
    tx.execute(
        "UPDATE payment SET status = 'authorised', authorised = amount, capture_before = ?,"
        " decline_code = NULL, card_network = ?, card_last4 = ? WHERE id = ?",
        (unix_now(tx) + AUTHORISATION_LIFETIME_S, network, last4, payment["id"]),
    )
    _move(tx, payment, "authorise", "buyer", "held", payment["amount"])
    return _announce(tx, payment, "payment.authorised")


def decline(tx: Tx, payment: Row, code: str) -> Row:
    """The bank said no. The buyer may try again, three times in all."""
    _require(payment, "requires_payment", "not_payable")
    tx.execute(
        "UPDATE payment SET decline_code = ?, tries = tries + 1, challenge_tries = 0,"
        " card_network = NULL, card_last4 = NULL WHERE id = ?",
        (code, payment["id"]),
    )
    if payment["tries"] + 1 >= MOST_TRIES:
        return _close(tx, payment, "cancelled", code)
    return _announce(tx, payment, "payment.declined")


def await_challenge(tx: Tx, payment: Row, network: str, last4: str) -> Row:
    """The bank wants the buyer to prove who they are."""
    _require(payment, "requires_payment", "not_payable")
    tx.execute(
        "UPDATE payment SET card_network = ?, card_last4 = ?, challenge_tries = 0 WHERE id = ?",
        (network, last4, payment["id"]),
    )
    return read(tx, payment["id"])


def count_challenge(tx: Tx, payment: Row) -> Row:
    """A wrong code was entered."""
    tx.execute(
        "UPDATE payment SET challenge_tries = challenge_tries + 1 WHERE id = ?", (payment["id"],)
    )
    return read(tx, payment["id"])


def cancel(tx: Tx, payment: Row) -> Row:
    """The buyer went back without paying."""
    _require(payment, "requires_payment", "not_payable")
    return _close(tx, payment, "cancelled", payment["decline_code"])


def capture(tx: Tx, payment: Row, amount: int) -> Row:
    """Give the merchant `amount` of what is held, once; the rest goes back to the buyer."""
    if payment["status"] == "captured":
        raise PaymentRefused(409, "already_captured", "The payment is captured already.")
    if payment["status"] == "expired":
        raise PaymentRefused(409, "authorisation_expired", "The authorisation has expired.")
    _require(payment, "authorised", "not_capturable")
    if amount > payment["authorised"]:
        raise PaymentRefused(
            422, "over_capture", f"Only {payment['authorised']} are authorised, not {amount}."
        )
    tx.execute(
        "UPDATE payment SET status = 'captured', captured = ? WHERE id = ?", (amount, payment["id"])
    )
    _move(tx, payment, "capture", "held", "merchant", amount)
    _move(tx, payment, "release", "held", "buyer", payment["authorised"] - amount)
    return _announce(tx, payment, "payment.captured")


def void(tx: Tx, payment: Row) -> Row:
    """Release what is held, or close a page that nobody has finished."""
    if payment["status"] == "requires_payment":
        return _close(tx, payment, "voided", payment["decline_code"])
    _require(payment, "authorised", "not_voidable")
    _move(tx, payment, "void", "held", "buyer", payment["authorised"])
    return _close(tx, payment, "voided", payment["decline_code"])


def refund(tx: Tx, payment: Row, amount: int) -> Row:
    """Give the buyer back `amount` of what was captured."""
    _require(payment, "captured", "not_refundable")
    left = payment["captured"] - payment["refunded"]
    if amount > left:
        raise PaymentRefused(422, "over_refund", f"Only {left} can be refunded, not {amount}.")
    tx.execute("UPDATE payment SET refunded = refunded + ? WHERE id = ?", (amount, payment["id"]))
    _move(tx, payment, "refund", "merchant", "buyer", amount)
    return _announce(tx, payment, "payment.refunded")


def movements(
    tx: Tx, platform: str, account: str, between: tuple[int, int], after: int
) -> list[Row]:
    """Captures and refunds on a merchant's account, a page of them, by number."""
    return tx.execute(
        "SELECT number, kind, reference, entry.amount, entry.currency, at FROM entry"
        " JOIN payment ON payment.id = payment_id WHERE platform = ? AND merchant_account = ?"
        " AND kind IN ('capture', 'refund') AND at >= ? AND at < ? AND number > ?"
        " ORDER BY number LIMIT ?",
        (platform, account, *between, after, MOVEMENTS_A_PAGE),
    ).fetchall()


def payment_json(row: Row) -> dict[str, Any]:
    """The payment as the API writes it. Amounts in minor units, times in Unix seconds."""
    card = {"network": row["card_network"], "last4": row["card_last4"]}
    return {
        "id": row["id"],
        "reference": row["reference"],
        "merchant_account": row["merchant_account"],
        "merchant_name": row["merchant_name"],
        "status": row["status"],
        "amount": row["amount"],
        "currency": row["currency"],
        "authorised_amount": row["authorised"],
        "captured_amount": row["captured"],
        "refunded_amount": row["refunded"],
        "capture_method": "manual",
        "pay_url": row["pay_url"],
        "return_url": row["return_url"],
        "cancel_url": row["cancel_url"],
        "locale": row["locale"],
        "capture_before": row["capture_before"],
        "decline_code": row["decline_code"],
        "card": card if row["authorised"] else None,
        "metadata": json.loads(row["metadata"]),
        "created_at": row["created_at"],
    }


def _require(payment: Row, status: str, code: str) -> None:
    if payment["status"] != status:
        raise PaymentRefused(409, code, f"The payment is {payment['status']}.")


def _move(tx: Tx, payment: Row, kind: str, origin: str, target: str, amount: int) -> None:
    """One entry. `merchant` is the merchant's own account; nothing ever belongs to the platform."""
    if amount == 0:
        return
    names = {
        "buyer": "buyers",
        "held": "held",
        "merchant": f"merchant:{payment['merchant_account']}",
    }
    tx.execute(
        "INSERT INTO entry (payment_id, kind, from_account, to_account, amount, currency, at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            *(payment["id"], kind, names[origin], names[target]),
            *(amount, payment["currency"], unix_now(tx)),
        ),
    )


def _close(tx: Tx, payment: Row, status: str, decline_code: str | None) -> Row:
    tx.execute(
        "UPDATE payment SET status = ?, decline_code = ? WHERE id = ?",
        (status, decline_code, payment["id"]),
    )
    return _announce(tx, payment, f"payment.{status}")


def _announce(tx: Tx, payment: Row, event_type: str) -> Row:
    row = read(tx, payment["id"])
    queue_event(tx, row, event_type, payment_json(row))
    return row
