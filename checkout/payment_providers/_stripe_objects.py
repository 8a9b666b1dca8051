"""Stripe's objects as payments of the port. Pure; whatever is not as documented is Malformed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from checkout.outcomes import Refused
from checkout.payment_providers.port import (
    Movement,
    MovementKind,
    Network,
    Payment,
    PaymentEvent,
    PaymentRequest,
    PaymentStatus,
)
from kernel.money import Money

_PAYMENT_ID = re.compile(r"(acct_[A-Za-z0-9]{3,60}):(cs_[A-Za-z0-9_]{5,120})")


WITH_CHARGE = ["payment_intent.latest_charge"]
"""What is asked for along with a session."""


class Malformed(Exception):
    """An object that does not look as Stripe documents it."""


def account_and_session(payment_id: str) -> tuple[str, str]:
    """The parts of a payment's id. Refused (`payment_unknown`) for any other text."""
    parts = _PAYMENT_ID.fullmatch(payment_id)
    if parts is None:
        raise Refused("payment_unknown", "This is no payment at Stripe.")
    return parts[1], parts[2]


def intent_id(session: Any) -> str | None:
    """The payment intent that a session has, if somebody has tried to pay there."""
    intent = session.payment_intent
    if intent is None or isinstance(intent, str):
        return intent
    return str(intent.id)


def payment_of(account: str, session: Any, now: datetime) -> Payment:
    """The payment of a Checkout session whose intent and latest charge are expanded."""
    try:
        intent = session.payment_intent
        charge = None if intent is None else intent.latest_charge
        currency = str(session.currency).upper()
        error = None if intent is None else intent.last_payment_error
        return Payment(
            id=f"{account}:{session.id}",
            reference=str(session.client_reference_id),
            merchant_account=account,
            status=_status(session, intent, now),
            amount=Money(session.amount_total, currency),
            captured=Money(0 if intent is None else intent.amount_received, currency),
            refunded=Money(0 if charge is None else charge.amount_refunded, currency),
            pay_url=str(session.url or ""),
            capture_before=_capture_before(charge),
            decline_code=None if error is None else (error.decline_code or error.code),
            network=_network(charge),
        )
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError, OSError) as problem:
        raise Malformed(str(problem)) from problem


def session_params(request: PaymentRequest) -> Any:
    """What a Checkout session is made of."""
    labels = {**request.metadata, "reference": request.reference}
    price = {
        "currency": request.amount.currency.lower(),
        "unit_amount": request.amount.minor,
        "product_data": {"name": request.merchant_name},
    }
    return {
        "mode": "payment",
        "client_reference_id": request.reference,
        "line_items": [{"quantity": 1, "price_data": price}],
        "payment_intent_data": {"capture_method": "manual", "metadata": labels},
        "metadata": labels,
        "success_url": request.return_url,
        "cancel_url": request.cancel_url,
        "locale": request.locale,
        "expand": WITH_CHARGE,
    }


def movement_lists(begin: datetime, end: datetime) -> Iterator[tuple[MovementKind, dict[str, Any]]]:
    """What to list for captures and refunds, of cards and of other means. Pure."""
    created = {"gte": int(begin.timestamp()), "lt": int(end.timestamp())}
    for name in ("charge", "payment"):
        yield MovementKind.CAPTURE, {"type": name, "created": created, "expand": ["data.source"]}
    for name in ("refund", "payment_refund"):
        wanted = {"type": name, "created": created, "expand": ["data.source.charge"]}
        yield MovementKind.REFUND, wanted


def movement_of(kind: MovementKind, row: Any) -> Movement:
    """A row of an account's balance. Charges carry the labels of their payment."""
    try:
        charge = row.source if kind is MovementKind.CAPTURE else row.source.charge
        labels = {} if charge is None or not charge.metadata else charge.metadata.to_dict()
        return Movement(
            id=str(row.id),
            kind=kind,
            reference=str(labels.get("reference", "")),
            amount=Money(abs(row.amount), str(row.currency).upper()),
            at=datetime.fromtimestamp(int(row.created), UTC),
        )
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError, OSError) as problem:
        raise Malformed(str(problem)) from problem


def _status(session: Any, intent: Any, now: datetime) -> PaymentStatus:
    if intent is not None and intent.status == "requires_capture":
        return PaymentStatus.AUTHORISED
    if intent is not None and intent.status == "succeeded":
        return PaymentStatus.CAPTURED
    if intent is not None and intent.status == "canceled":
        is_over = intent.cancellation_reason == "automatic"
        return PaymentStatus.EXPIRED if is_over else PaymentStatus.VOIDED
    if session.status == "expired":
        # Closed before its time: by us. Later than that nobody has finished it.
        by_us = now.timestamp() < session.expires_at
        return PaymentStatus.VOIDED if by_us else PaymentStatus.CANCELLED
    return PaymentStatus.REQUIRES_PAYMENT


def _network(charge: Any) -> Network | None:
    """What the buyer has paid by, of a card with two networks the one that was chosen."""
    details = None if charge is None else charge.payment_method_details
    card = None if details is None else details.card
    if card is None or not card.network:
        return None
    return Network(card.network) if card.network in set(Network) else Network.OTHER


def _capture_before(charge: Any) -> datetime | None:
    details = None if charge is None else charge.payment_method_details
    card = None if details is None else details.card
    until = None if card is None else card.capture_before
    return None if until is None else datetime.fromtimestamp(int(until), UTC)


def event_of(raw_body: bytes) -> PaymentEvent:
    """A notice about a Checkout session or a payment intent of ours."""
    try:
        body = json.loads(raw_body)
        thing: Mapping[str, Any] = body["data"]["object"]
        is_session = thing["object"] == "checkout.session"
        labels = thing.get("metadata") or {}
        return PaymentEvent(
            id=str(body["id"]),
            type=str(body["type"]),
            payment_id=f"{body['account']}:{thing['id']}" if is_session else "",
            reference=str(labels["reference"]),
            created_at=datetime.fromtimestamp(int(body["created"]), UTC),
        )
    except (KeyError, TypeError, ValueError, RecursionError, OverflowError, OSError) as error:
        raise Malformed(str(error)) from error
