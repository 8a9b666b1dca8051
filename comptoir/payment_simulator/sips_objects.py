"""Payments of the simulator as Worldline SIPS 2.0 spells them. Pure: a row in, fields out.

A transaction exists once somebody has finished at the page. It is sent to the bank (remitted) a day
after its capture, or when a test says so; until then nothing of it can be given back.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

Row = sqlite3.Row
Content = dict[str, Any]
REFERENCE = "sips:reference"
TRANSACTION = "sips:transaction"
NOTICE_URL = "sips:notice_url"
NUMBERS = {"EUR": "978", "CHF": "756", "GBP": "826", "USD": "840"}
_NEVER_SEALED = ("keyVersion", "sealAlgorithm", "seal")
_STATUS = {
    "authorised": "TO_VALIDATE",
    "voided": "CANCELLED",
    "expired": "EXPIRED",
}
_BRANDS = {"visa": "VISA", "mastercard": "MASTERCARD", "cartes_bancaires": "CB"}
_DECLINED = {"card_declined": "05", "insufficient_funds": "51", "authentication_failed": "05"}
_ENDS = frozenset({"payment.authorised", "payment.cancelled"})
_CODES = {
    "duplicate_reference": "94",
    "invalid_request": "12",
    "over_capture": "51",
    "over_refund": "51",
    "payment_unknown": "25",
    "too_large": "30",
    "unauthorised": "34",
    "internal_error": "99",
}


def is_sips(row: Row) -> bool:
    """Whether the payment was made in this dialect."""
    return REFERENCE in row["metadata"]


def labels_of(row: Row) -> dict[str, str]:
    """What the dialect keeps beside a payment."""
    return {str(name): str(value) for name, value in json.loads(row["metadata"]).items()}


def own_reference(account: str, transaction: str) -> str:
    """What makes a transaction unique: its reference, within the merchant's."""
    return f"sips:{account}:{transaction}"


def seal_of(message: Mapping[str, Any], key: str) -> str:
    """HMAC-SHA-256 over the values in the order of their names, objects within objects too."""
    pieces: list[str] = []

    def take(value: Any) -> None:
        if isinstance(value, dict):
            for name in sorted(value):
                if name not in _NEVER_SEALED:
                    take(value[name])
        elif isinstance(value, list):
            for each in value:
                take(each)
        elif value is not None:
            pieces.append(str(value))

    take(dict(message))
    return hmac.new(key.encode(), "".join(pieces).encode(), hashlib.sha256).hexdigest()


def code_of(refusal: str) -> str:
    """The code of a refusal; 24 for what the state of the payment does not allow."""
    return _CODES.get(refusal, "24")


def error_body(code: str, message: str) -> Content:
    """A refusal, under the names of both kinds of answers."""
    spelled = code_of(code)
    return {
        "redirectionStatusCode": spelled,
        "redirectionStatusMessage": message,
        "responseCode": spelled,
    }


def page_json(row: Row, base_url: str) -> Content:
    """The answer to a page that was made."""
    return {
        "redirectionData": hashlib.sha256(row["id"].encode()).hexdigest() + str(row["id"]),
        "redirectionStatusCode": "00",
        "redirectionStatusMessage": "INITIALISATION REQUEST ACCEPTED",
        "redirectionUrl": f"{base_url}/sips/payment",
        "redirectionVersion": "IR_WS_2.0",
    }


def page_of(redirection_data: str) -> str | None:
    """The payment that the data of a redirection leads to."""
    digest, payment_id = redirection_data[:64], redirection_data[64:]
    is_whole = hashlib.sha256(payment_id.encode()).hexdigest() == digest
    return payment_id if is_whole else None


def status_of(row: Row, *, is_remitted: bool) -> str:
    """The status of a transaction."""
    if row["status"] == "captured":
        if row["refunded"] == row["captured"]:
            return "CREDITED"
        return "CAPTURED" if is_remitted else "TO_CAPTURE"
    if row["status"] == "cancelled":
        return "REFUSED" if row["decline_code"] in _DECLINED else "ABORTED"
    return _STATUS[row["status"]]


def diagnosis_json(row: Row, *, is_remitted: bool) -> Content:
    """Everything that a diagnosis says."""
    labels = labels_of(row)
    amount = row["captured"] if row["status"] == "captured" else row["amount"]
    return {
        "getTransDataResponseCode": "00",
        "responseCode": _response_code(row),
        "transactionStatus": status_of(row, is_remitted=is_remitted),
        "transactionReference": labels[TRANSACTION],
        "orderId": labels[REFERENCE],
        "merchantId": row["merchant_account"],
        "currencyCode": NUMBERS[row["currency"]],
        "originAmount": str(row["amount"]),
        "currentAmount": str(amount),
        "remainingAmount": str(amount - row["refunded"]),
        "paymentMeanBrand": _BRANDS.get(row["card_network"] or "", "UNKNOWN"),
        "captureLimitDate": _day(row["capture_before"]),
        "transactionDateTime": _moment(row["created_at"]),
    }


def operation_json(row: Row, amount: int, at: int, *, is_remitted: bool) -> Content:
    """The answer to an operation that was carried out."""
    return {
        "responseCode": "00",
        "newAmount": str(amount),
        "newStatus": status_of(row, is_remitted=is_remitted),
        "operationDateTime": _moment(at),
    }


def event_json(row: Row, event_type: str, created: int) -> Content | None:
    """The automatic response; None for what SIPS is silent about."""
    if event_type not in _ENDS:
        return None
    return {"Data": response_data(row, created), "to": labels_of(row).get(NOTICE_URL, "")}


def response_data(row: Row, at: int) -> str:
    """How a page ended, as responses put it."""
    labels = labels_of(row)
    fields = {
        "captureMode": "VALIDATION",
        "currencyCode": NUMBERS[row["currency"]],
        "merchantId": row["merchant_account"],
        "orderChannel": "INTERNET",
        "responseCode": _response_code(row),
        "transactionDateTime": _moment(at),
        "transactionReference": labels[TRANSACTION],
        "keyVersion": "1",
        "amount": str(row["amount"]),
        "paymentMeanBrand": _BRANDS.get(row["card_network"] or "", "UNKNOWN"),
        "orderId": labels[REFERENCE],
    }
    return "|".join(f"{name}={value}" for name, value in fields.items())


def notice_form(data: str, key: str) -> bytes:
    """The form that a response is sent as."""
    seal = hmac.new(key.encode(), data.encode(), hashlib.sha256).hexdigest()
    fields = {"Data": data, "Encode": "", "InterfaceVersion": "HP_2.20", "Seal": seal}
    return urlencode(fields).encode()


def _response_code(row: Row) -> str:
    if row["authorised"]:
        return "00"
    return _DECLINED.get(row["decline_code"] or "", "97" if row["decline_code"] else "17")


def _day(at: int | None) -> str | None:
    return None if at is None else f"{datetime.fromtimestamp(at, UTC):%Y%m%d}"


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()
