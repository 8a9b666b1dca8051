"""Payments of the simulator as Worldline Direct spells them. Pure: a row in, a JSON object out.

A payment's id is that of its page with the number of its first operation; captures and refunds are
the operations after it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

Row = sqlite3.Row
Content = dict[str, Any]
REFERENCE = "worldline:reference"
_STATUS = {
    "authorised": ("PENDING_CAPTURE", 5),
    "captured": ("CAPTURED", 9),
    "voided": ("CANCELLED", 6),
    "expired": ("CANCELLED", 6),
}
_EVENTS = {
    "payment.authorised": "payment.pending_capture",
    "payment.captured": "payment.captured",
    "payment.voided": "payment.cancelled",
    "payment.expired": "payment.cancelled",
    "payment.cancelled": "payment.cancelled",
    "payment.declined": "payment.rejected",
    "payment.refunded": "payment.refunded",
}
_NETWORKS = {"visa": 1, "mastercard": 3, "cartes_bancaires": 130}
_OPERATIONS = {"capture": ("CAPTURED", 9), "refund": ("REFUNDED", 8)}


def is_worldlines(row: Row) -> bool:
    """Whether the payment was made in this dialect."""
    return REFERENCE in row["metadata"]


def hosted_id(row: Row) -> str:
    """The id of the hosted page."""
    return str(row["id"]).removeprefix("pay_")


def payment_id_of(name: str) -> str:
    """The payment behind the id of a page, or of a payment and its operation."""
    return f"pay_{name.partition('_')[0]}"


def page_json(row: Row) -> Content:
    """The answer to a page that was made."""
    return {
        "RETURNMAC": hosted_id(row)[::-1],
        "hostedCheckoutId": hosted_id(row),
        "merchantReference": _reference(row),
        "partialRedirectUrl": row["pay_url"].partition("://")[2],
        "redirectUrl": row["pay_url"],
    }


def status_json(row: Row) -> Content:
    """How a page stands: nothing is said of what it is for before somebody has paid."""
    if row["authorised"]:
        paid = {"payment": payment_json(row), "paymentStatusCategory": "SUCCESSFUL"}
        return {"status": "PAYMENT_CREATED", "createdPaymentOutput": paid}
    is_open = row["status"] == "requires_payment"
    return {"status": "IN_PROGRESS" if is_open else "CANCELLED_BY_CONSUMER"}


def payment_json(row: Row) -> Content:
    """The payment without its operations."""
    status, code = _STATUS.get(row["status"], ("CREATED", 0))
    if row["refunded"]:
        status, code = "REFUNDED", 8
    began = datetime.fromtimestamp(row["created_at"], UTC)
    return {
        "id": f"{hosted_id(row)}_0",
        "status": status,
        "statusOutput": _status_output(row, code),
        "paymentOutput": {
            "amountOfMoney": _money(row, row["amount"]),
            "references": {"merchantReference": _reference(row)},
            "paymentMethod": "card",
            "transactionDate": began.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "cardPaymentMethodSpecificOutput": {
                "paymentProductId": _NETWORKS.get(row["card_network"] or "", 1),
                "card": {"cardNumber": f"************{row['card_last4'] or ''}"},
            },
        },
    }


def details_json(row: Row, entries: Iterable[Row]) -> Content:
    """The payment with its operations, the authorisation first."""
    first = {"status": "PENDING_CAPTURE", "statusCode": 5, "amount": row["amount"]}
    moves = [
        {"status": _OPERATIONS[entry["kind"]][0], "statusCode": _OPERATIONS[entry["kind"]][1],
         "amount": entry["amount"]}
        for entry in entries
        if entry["kind"] in _OPERATIONS
    ]  # fmt: skip
    operations = [
        {
            "id": f"{hosted_id(row)}_{number}",
            "status": move["status"],
            "statusOutput": {"statusCode": move["statusCode"]},
            "amountOfMoney": _money(row, int(move["amount"])),
            "paymentMethod": "card",
        }
        for number, move in enumerate([first, *moves])
    ]
    return payment_json(row) | {"Operations": operations}


def operation_json(row: Row, status: str, amount: int, number: int) -> Content:
    """The answer to a capture, a cancellation or a refund."""
    output = {
        "amountOfMoney": _money(row, amount),
        "references": {"merchantReference": _reference(row)},
    }
    if status == "CANCELLED":
        return {"payment": payment_json(row)}
    kind = "captureOutput" if status == "CAPTURED" else "refundOutput"
    return {"id": f"{hosted_id(row)}_{number}", "status": status, kind: output}


def event_json(row: Row, event_id: str, event_type: str, created: int) -> Content:
    """The notice of a change."""
    return {
        "apiVersion": "v1",
        "created": datetime.fromtimestamp(created, UTC).isoformat(),
        "id": event_id,
        "merchantId": row["merchant_account"],
        "type": _EVENTS[event_type],
        "payment": payment_json(row),
    }


def error_body(code: str, message: str) -> Content:
    """A refusal in Worldline's shape."""
    number = "30001002" if code == "idempotency_in_flight" else "50001111"
    error = {"errorCode": number, "category": "PAYMENT_PLATFORM_ERROR", "id": code.upper()}
    return {"errorId": f"sim-{code}", "errors": [error | {"message": message}]}


def _status_output(row: Row, code: int) -> Content:
    left = row["captured"] - row["refunded"]
    return {
        "statusCode": code,
        "isAuthorized": row["status"] == "authorised",
        "isCancellable": row["status"] == "authorised",
        "isRefundable": left > 0,
    }


def _money(row: Row, minor: int) -> Content:
    return {"amount": minor, "currencyCode": row["currency"]}


def _reference(row: Row) -> str:
    return str(json.loads(row["metadata"])[REFERENCE])
