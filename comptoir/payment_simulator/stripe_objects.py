"""Payments of the simulator as Stripe spells them. Pure: a row in, a JSON object out."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

Row = sqlite3.Row
Content = dict[str, Any]
_KINDS = ("cs_test_", "pi_", "ch_")
_NEVER_PAID = ("requires_payment", "cancelled")
_CODES = {
    "over_capture": ("amount_too_large", "amount_to_capture"),
    "over_refund": ("", "amount"),
    "payment_unknown": ("resource_missing", "id"),
    "idempotency_in_flight": ("idempotency_key_in_use", None),
    **dict.fromkeys(
        (
            *("already_captured", "authorisation_expired", "not_capturable"),
            *("not_voidable", "not_refundable"),
        ),
        ("payment_intent_unexpected_state", None),
    ),
}
_EVENTS = {
    "payment.authorised": "payment_intent.amount_capturable_updated",
    "payment.captured": "payment_intent.succeeded",
    "payment.declined": "payment_intent.payment_failed",
    "payment.voided": "payment_intent.canceled",
    "payment.expired": "payment_intent.canceled",
    "payment.cancelled": "checkout.session.expired",
    "payment.refunded": "charge.refunded",
}


def is_stripes(row: Row) -> bool:
    """Whether the payment was made in this dialect."""
    return "stripe:reference" in row["metadata"]


def payment_id_of(name: str) -> str | None:
    """The payment behind the id of a session, an intent or a charge."""
    for kind in _KINDS:
        if name.startswith(kind):
            return f"pay_{name.removeprefix(kind)}"
    return None


def session_json(row: Row) -> Content:
    """The Checkout session, its intent and charge expanded."""
    labels, reference = _labels(row)
    is_open = row["status"] == "requires_payment"
    is_paid = bool(row["authorised"])
    return {
        "id": f"cs_test_{_tail(row)}",
        "object": "checkout.session",
        "amount_total": row["amount"],
        "currency": row["currency"].lower(),
        "client_reference_id": reference,
        "created": row["created_at"],
        "expires_at": row["page_expires_at"],
        "metadata": labels,
        "mode": "payment",
        "payment_intent": intent_json(row) if is_paid or row["decline_code"] else None,
        "payment_status": "paid" if row["captured"] else "unpaid",
        "status": "open" if is_open else ("complete" if is_paid else "expired"),
        "url": row["pay_url"] if is_open else None,
    }


def intent_json(row: Row) -> Content:
    """The payment intent with its latest charge."""
    labels, _ = _labels(row)
    failed = row["decline_code"] if not row["authorised"] else None
    error = {"type": "card_error", "code": "card_declined", "decline_code": failed}
    return {
        "id": f"pi_{_tail(row)}",
        "object": "payment_intent",
        "amount": row["amount"],
        "amount_capturable": row["authorised"] if row["status"] == "authorised" else 0,
        "amount_received": row["captured"],
        "cancellation_reason": _cancellation_reason(row),
        "capture_method": "manual",
        "currency": row["currency"].lower(),
        "last_payment_error": error if failed else None,
        "latest_charge": _charge(row) if row["authorised"] else None,
        "metadata": labels,
        "status": _intent_status(row),
    }


def refund_json(kept: str) -> Content:
    """A refund as it was made."""
    return {"object": "refund", "status": "succeeded", **json.loads(kept)}


def balance_json(row: Row) -> Content:
    """A capture or refund as it stands on the account's balance; `row` is payment and entry."""
    charge = _charge(row)
    is_refund = row["entry_kind"] == "refund"
    refund = {"id": f"re_{row['entry_number']}", "object": "refund", "charge": charge}
    return {
        "id": f"txn_{row['entry_number']}",
        "object": "balance_transaction",
        "type": "refund" if is_refund else "charge",
        "amount": -row["entry_amount"] if is_refund else row["entry_amount"],
        "currency": row["currency"].lower(),
        "created": row["entry_at"],
        "source": refund if is_refund else charge,
    }


def event_json(row: Row, event_id: str, event_type: str, created: int) -> Content:
    """The notice of a change, about the intent, the session or the charge as Stripe chooses."""
    name = _EVENTS[event_type]
    thing = intent_json(row)
    if name.startswith("checkout.session"):
        thing = session_json(row)
    elif name.startswith("charge"):
        thing = _charge(row)
    return {
        "id": event_id,
        "object": "event",
        "account": row["merchant_account"],
        "api_version": "2026-10-28.endive",
        "created": created,
        "type": name,
        "data": {"object": thing},
    }


def error_body(code: str, message: str) -> Content:
    """A refusal in Stripe's shape."""
    kind = "invalid_request_error"
    if code == "internal_error":
        kind = "api_error"
    if code == "idempotency_conflict":
        kind = "idempotency_error"
    spelled, param = _CODES.get(code, (code, None))
    error: Content = {"type": kind, "message": message}
    if spelled and kind == "invalid_request_error":
        error["code"] = spelled
    if param is not None:
        error["param"] = param
    if spelled == "payment_intent_unexpected_state":
        error["payment_intent"] = {
            "status": "succeeded" if code == "already_captured" else "canceled",
            "cancellation_reason": "automatic" if code == "authorisation_expired" else None,
        }
    return {"error": error}


def _charge(row: Row) -> Content:
    labels, _ = _labels(row)
    card = {
        "capture_before": row["capture_before"],
        "last4": row["card_last4"],
        "network": row["card_network"],
    }
    return {
        "id": f"ch_{_tail(row)}",
        "object": "charge",
        "amount": row["amount"],
        "amount_captured": row["captured"],
        "amount_refunded": row["refunded"],
        "metadata": labels,
        "payment_method_details": {"type": "card", "card": card},
    }


def _intent_status(row: Row) -> str:
    if row["status"] == "authorised":
        return "requires_capture"
    if row["status"] == "captured":
        return "succeeded"
    return "requires_payment_method" if row["status"] in _NEVER_PAID else "canceled"


def _cancellation_reason(row: Row) -> str | None:
    if row["status"] == "expired":
        return "automatic"
    return "requested_by_customer" if row["status"] == "voided" else None


def _labels(row: Row) -> tuple[dict[str, str], str]:
    labels = json.loads(row["metadata"])
    reference = str(labels.pop("stripe:reference", ""))
    return labels, reference


def _tail(row: Row) -> str:
    return str(row["id"]).removeprefix("pay_")
