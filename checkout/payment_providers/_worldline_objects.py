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
from checkout.payment_providers._open_page import ACCOUNT, Page, page_of
from checkout.payment_providers.port import Network, Payment, PaymentEvent, PaymentStatus
from kernel.money import Money

HELD_FOR = timedelta(days=7)
"""How long an authorisation holds: what cartes bancaires allow, and less than the others do."""
_PAID = re.compile(rf"({ACCOUNT})/paid/([0-9A-Za-z]{{1,40}}_[0-9]{{1,4}})")
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
# Payment products: what a card's network is called there.
_NETWORK = {
    1: Network.VISA,
    3: Network.MASTERCARD,
    130: Network.CARTES_BANCAIRES,
}


class Malformed(Exception):
    """An object that does not look as Worldline documents it."""


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment by Worldline's own id."""

    account: str
    payment_id: str


def place_of(payment_id: str) -> Page | Paid:
    """Where a payment is found. Refused (`payment_unknown`) for any other text."""
    if paid := _PAID.fullmatch(payment_id):
        return Paid(paid[1], paid[2])
    if page := page_of(payment_id):
        return page
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
            network=_network(output),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        raise Malformed(str(problem)) from problem


def _network(output: Any) -> Network | None:
    """What the buyer has paid by, of a card with two networks the one that was chosen."""
    card = output.card_payment_method_specific_output
    return None if card is None else _NETWORK.get(card.payment_product_id, Network.OTHER)


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
