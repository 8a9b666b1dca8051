"""Worldline SIPS 2.0's messages: seals, what is asked for, what is answered. Pure.

Whatever is not as documented is Malformed. Amounts are minor units in text, currencies numbers of
ISO 4217; a transaction is known by a reference of letters and digits that is ours.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from checkout.outcomes import Refused
from checkout.payment_providers._open_page import ACCOUNT
from checkout.payment_providers.port import (
    Network,
    Payment,
    PaymentEvent,
    PaymentRequest,
    PaymentStatus,
)
from kernel.money import Money

VALIDATED_WITHIN_DAYS = 6
"""Within how many days an authorisation is validated; what cartes bancaires allow."""
_PAID = re.compile(rf"({ACCOUNT})/paid/([A-Za-z0-9]{{1,35}})")
_UNSEALED = frozenset({"keyVersion", "sealAlgorithm", "seal"})
_NUMBERS = {"EUR": "978", "CHF": "756", "GBP": "826", "USD": "840", "SEK": "752", "DKK": "208"}
_CODES = {number: code for code, number in _NUMBERS.items()}
_STATUS = {
    "TO_AUTHENTICATE": PaymentStatus.REQUIRES_PAYMENT,
    "TO_AUTHORIZE": PaymentStatus.REQUIRES_PAYMENT,
    "TO_CHALLENGE": PaymentStatus.REQUIRES_PAYMENT,
    "TO_VALIDATE": PaymentStatus.AUTHORISED,
    "TO_CAPTURE": PaymentStatus.CAPTURED,
    "CAPTURED": PaymentStatus.CAPTURED,
    "TO_CREDIT": PaymentStatus.CAPTURED,
    "CREDITED": PaymentStatus.CAPTURED,
    "CANCELLED": PaymentStatus.VOIDED,
    "EXPIRED": PaymentStatus.EXPIRED,
    "REFUSED": PaymentStatus.CANCELLED,
    "ABORTED": PaymentStatus.CANCELLED,
}
_BRANDS = {
    "CB": Network.CARTES_BANCAIRES,
    "VISA": Network.VISA,
    "VPAY": Network.VISA,
    "ELECTRON": Network.VISA,
    "MASTERCARD": Network.MASTERCARD,
    "MAESTRO": Network.MASTERCARD,
}


class Malformed(Exception):
    """A message that does not look as SIPS documents it."""


@dataclass(frozen=True, slots=True)
class Paid:
    """A transaction that SIPS knows, since somebody has tried to pay."""

    account: str
    transaction: str


def paid_of(payment_id: str) -> Paid:
    """The transaction of a payment's id. Refused (`payment_unknown`) for any other text."""
    paid = _PAID.fullmatch(payment_id)
    if paid is None:
        raise Refused("payment_unknown", "This is no payment at SIPS.")
    return Paid(paid[1], paid[2])


def transaction_of(account: str, reference: str, number: int) -> str:
    """The reference of the transaction of a reference's page; `number` 0 is the first page."""
    digest = hashlib.sha256(f"{account}/{reference}".encode()).hexdigest()
    return f"{digest[:30]}{number:02}"


def seal_of(message: Mapping[str, Any], secret: str) -> str:
    """The seal of a JSON message: over the values alone, in the order of their names."""
    return seal_of_text(_values(message), secret)


def seal_of_text(text: str, secret: str) -> str:
    """The seal of a text, such as the `Data` of a notice."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def _values(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return "".join(_values(value[name]) for name in sorted(value) if name not in _UNSEALED)
    if isinstance(value, list):
        return "".join(map(_values, value))
    return str(value)


def page_wanted(request: PaymentRequest, transaction: str) -> dict[str, Any]:
    """A payment page whose payment is validated later. The buyer chooses the card's network."""
    body: dict[str, Any] = {
        **amount_json(request.amount, "amount"),
        "captureDay": f"{VALIDATED_WITHIN_DAYS}",
        "captureMode": "VALIDATION",
        "customerLanguage": request.locale,
        "interfaceVersion": "IR_WS_2.20",
        "normalReturnUrl": request.return_url,
        "orderChannel": "INTERNET",
        "orderId": request.reference,
        "paymentMeanBrandList": ["CB", "VISA", "MASTERCARD"],
        "paypageData": {"bypassReceiptPage": "true"},
        "transactionReference": transaction,
    }
    if request.notice_url:
        body["automaticResponseUrl"] = request.notice_url
    return body


def amount_json(amount: Money, name: str) -> dict[str, str]:
    """An amount under its name, with its currency. Refused (`currency_unknown`)."""
    number = _NUMBERS.get(amount.currency)
    if number is None:
        raise Refused("currency_unknown", f"{amount.currency} cannot be paid through SIPS here.")
    return {name: str(amount.minor), "currencyCode": number}


def payment_of(paid: Paid, data: Mapping[str, Any]) -> Payment:
    """The payment of a diagnosis."""
    try:
        status = _STATUS[data["transactionStatus"]]
        currency = _CODES[data["currencyCode"]]
        is_captured = status is PaymentStatus.CAPTURED
        captured = int(data["currentAmount"]) if is_captured else 0
        left = int(data["remainingAmount"]) if is_captured else 0
        brand = data.get("paymentMeanBrand")
        return Payment(
            id=f"{paid.account}/paid/{paid.transaction}",
            reference=str(data["orderId"]),
            merchant_account=paid.account,
            status=status,
            amount=Money(int(data["originAmount"]), currency),
            captured=Money(captured, currency),
            refunded=Money(captured - left, currency),
            pay_url="",
            capture_before=_day(data.get("captureLimitDate")),
            decline_code="declined" if data["transactionStatus"] == "REFUSED" else None,
            network=None if not brand else _BRANDS.get(brand, Network.OTHER),
        )
    except (KeyError, TypeError, ValueError) as problem:
        raise Malformed(str(problem)) from problem


def _day(text: str | None) -> datetime | None:
    return None if not text else datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice as it came, not yet believed."""

    data: str
    seal: str
    fields: Mapping[str, str]

    @property
    def account(self) -> str:
        """The merchant that it says it is for."""
        return self.fields.get("merchantId", "")


def notice_of(raw_body: bytes) -> Notice | None:
    """The parts of a notice; None where it has no seal."""
    try:
        form = parse_qs(raw_body.decode("utf-8"), max_num_fields=20)
        data, seal = form["Data"][0], form["Seal"][0]
        text = data
        if form.get("Encode", [""])[0] in ("base64", "base64url"):
            text = base64.b64decode(data, altchars=b"-_", validate=False).decode("utf-8")
    except (KeyError, ValueError):
        return None
    pairs = (pair.partition("=") for pair in text.split("|"))
    return Notice(data, seal, {name: value for name, _, value in pairs})


def event_of(notice: Notice) -> PaymentEvent:
    """What a notice is about. It has no id of its own: copies are the same text."""
    try:
        return PaymentEvent(
            id=hashlib.sha256(notice.data.encode()).hexdigest(),
            type=f"response {notice.fields['responseCode']}",
            payment_id="",
            reference=notice.fields["orderId"],
            created_at=datetime.fromisoformat(notice.fields["transactionDateTime"]),
        )
    except (KeyError, ValueError) as error:
        raise Malformed(str(error)) from error
