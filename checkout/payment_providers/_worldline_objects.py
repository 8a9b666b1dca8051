"""Worldline Direct's objects as payments of the port. Pure; what is not as documented is Malformed.

A page is known by what was asked for, because Worldline says nothing of it before somebody has paid
there; from then on a payment is known by Worldline's own id.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from checkout.outcomes import Refused
from checkout.payment_providers.port import Payment, PaymentEvent, PaymentStatus
from kernel.money import Money

HELD_FOR = timedelta(days=7)
"""How long an authorisation holds: what cartes bancaires allow, and less than the others do."""
_ACCOUNT = r"[A-Za-z0-9_-]{3,30}"
_PAGE = re.compile(
    rf"({_ACCOUNT})/page/([A-Za-z0-9-]{{1,60}})/([0-9]{{1,12}})([A-Z]{{3}})/([0-9]{{1,12}})/(.{{1,60}})"
)
_PAID = re.compile(rf"({_ACCOUNT})/paid/([0-9A-Za-z]{{1,40}}_[0-9]{{1,4}})")
_STATUS = {
    "CREATED": PaymentStatus.REQUIRES_PAYMENT,
    "REDIRECTED": PaymentStatus.REQUIRES_PAYMENT,
    "PENDING_PAYMENT": PaymentStatus.REQUIRES_PAYMENT,
    "AUTHORIZATION_REQUESTED": PaymentStatus.REQUIRES_PAYMENT,
    "PENDING_CAPTURE": PaymentStatus.AUTHORISED,
    "CAPTURE_REQUESTED": PaymentStatus.AUTHORISED,
    "CAPTURED": PaymentStatus.CAPTURED,
    "REFUND_REQUESTED": PaymentStatus.CAPTURED,
    "REFUNDED": PaymentStatus.CAPTURED,
    "CANCELLED": PaymentStatus.VOIDED,
    "REJECTED": PaymentStatus.CANCELLED,
}


class Malformed(Exception):
    """An object that does not look as Worldline documents it."""


@dataclass(frozen=True, slots=True)
class Page:
    """A hosted page, and what was asked for there. `until` in Unix seconds."""

    account: str
    hosted_id: str
    amount: Money
    until: int
    reference: str

    @property
    def id(self) -> str:
        """The id of its payment as long as nobody has paid."""
        amount = f"{self.amount.minor}{self.amount.currency}"
        return f"{self.account}/page/{self.hosted_id}/{amount}/{self.until}/{self.reference}"

    def payment(self, status: PaymentStatus, pay_url: str = "") -> Payment:
        """Its payment, where nothing is authorised."""
        nothing = Money(0, self.amount.currency)
        return Payment(
            id=self.id,
            reference=self.reference,
            merchant_account=self.account,
            status=status,
            amount=self.amount,
            captured=nothing,
            refunded=nothing,
            pay_url=pay_url,
            capture_before=None,
            decline_code=None,
        )


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment by Worldline's own id."""

    account: str
    payment_id: str


def checked_account(name: str) -> str:
    """A merchant's account. Refused (`account_unknown`) for what cannot be one."""
    if not re.fullmatch(_ACCOUNT, name):
        raise Refused("account_unknown", f"{name} is no account at Worldline.")
    return name


def place_of(payment_id: str) -> Page | Paid:
    """Where a payment is found. Refused (`payment_unknown`) for any other text."""
    if paid := _PAID.fullmatch(payment_id):
        return Paid(paid[1], paid[2])
    if page := _PAGE.fullmatch(payment_id):
        return Page(page[1], page[2], Money(int(page[3]), page[4]), int(page[5]), page[6])
    raise Refused("payment_unknown", "This is no payment at Worldline.")


def payment_of(account: str, details: Any) -> Payment:
    """The payment of its details, with what its operations have moved."""
    try:
        output = details.payment_output
        amount = _money(output.amount_of_money)
        captured, refunded = _moved(details, "CAPTURED"), _moved(details, "REFUNDED")
        status = PaymentStatus.CAPTURED if captured else _STATUS[details.status]
        began = output.transaction_date
        return Payment(
            id=f"{account}/paid/{details.id}",
            reference=str(output.references.merchant_reference),
            merchant_account=account,
            status=status,
            amount=amount,
            captured=Money(captured, amount.currency),
            refunded=Money(refunded, amount.currency),
            pay_url="",
            capture_before=None if began is None else began + HELD_FOR,
            decline_code="declined" if details.status == "REJECTED" else None,
        )
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        raise Malformed(str(problem)) from problem


def _money(amount: Any) -> Money:
    return Money(int(amount.amount), str(amount.currency_code))


def _moved(details: Any, status: str) -> int:
    """What was moved by operations that have ended so; one that is only requested moves nothing."""
    return sum(
        int(operation.amount_of_money.amount)
        for operation in details.operations or []
        if operation.status == status
    )


def event_of(raw_body: bytes) -> PaymentEvent:
    """A notice about a payment; it is known by our reference."""
    try:
        body = json.loads(raw_body)
        references = body["payment"]["paymentOutput"]["references"]
        return PaymentEvent(
            id=str(body["id"]),
            type=str(body["type"]),
            payment_id="",
            reference=str(references["merchantReference"]),
            created_at=datetime.fromisoformat(str(body["created"])),
        )
    except (KeyError, TypeError, ValueError, RecursionError, OverflowError) as error:
        raise Malformed(str(error)) from error
