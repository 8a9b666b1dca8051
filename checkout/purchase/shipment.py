"""A merchant that is paid on shipment: what it says of its order, and where that leads.

It is asked at growing intervals, and at once where a notice of its own comes in. The whole order
counts: while a part of it is still to be sent nothing is charged, because a reservation can be
captured once with every provider, and nobody is to pay for goods that have not left.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from checkout import tables as t
from checkout.deps import Windows
from checkout.merchant_connectors.port import OrderStatus, PlacedOrder
from checkout.outcomes import NoAnswer, OutcomeUnknown, Refused
from checkout.payment_providers.port import Payment
from checkout.purchase.attention import hold_ends
from checkout.purchase.leg import Leg, Result
from checkout.purchase.machine import Outcome, State, next_look
from checkout.purchase.steps import RELEASED, Steps
from checkout.states import Reason
from kernel.db import Transaction

_LOG = logging.getLogger(__name__)
_RARELY = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Seen:
    """What merchant and provider say now; None where one of them does not say."""

    order: PlacedOrder | None
    payment: Payment | None


def look_at(steps: Steps, leg: Leg) -> Seen:
    """Ask both. Raises nothing that a peer can bring about; changes nothing."""
    order: PlacedOrder | None = None
    payment: Payment | None = None
    try:
        order = steps.read_order(leg)
    except (NoAnswer, OutcomeUnknown, Refused) as error:
        _LOG.info("order %s cannot be looked at: %s", leg.merchant_order, error.message)
    try:
        payment = steps.read_payment(leg)
    except (NoAnswer, OutcomeUnknown, Refused) as error:
        _LOG.info("payment of leg %s cannot be read: %s", leg.leg_id, error.message)
    return Seen(order, payment)


def leads_to(leg: Leg, seen: Seen) -> tuple[State, Result] | None:
    """The state that this leads to; None: it goes on waiting. Pure."""
    order, payment = seen.order, seen.payment
    if order is not None and order.status is OrderStatus.CANCELLED:
        reason, detail = Reason.MERCHANT_CANCELLED, "cancelled before it was shipped"
        return State.VOIDING, Result(Outcome.DONE, reason, detail, changes=told(seen))
    if order is not None and order.status is OrderStatus.SHIPPED and order.total == leg.total:
        return State.SHIPPED, Result(Outcome.DONE, changes=told(seen))
    if payment is not None and payment.status in RELEASED:
        detail = f"the payment is {payment.status}"
        return State.WITHDRAWING, Result(Outcome.DONE, Reason.HOLD_EXPIRED, detail)
    return None


def is_unpaid(leg: Leg, result: Result) -> bool:
    """True where goods have left, and the money held for them has been let go."""
    return leg.state is State.SHIPPED and result.reason is Reason.HOLD_EXPIRED


def told(seen: Seen) -> Mapping[str, Any]:
    """The columns of the leg that hold what the merchant said."""
    return {} if seen.order is None else {"order_status": seen.order.status.value}


def trouble(leg: Leg, seen: Seen, now: datetime, windows: Windows) -> str | None:
    """Why people are to be called, if they are. Pure."""
    if seen.order is not None and seen.order.total != leg.total:
        return f"{leg.state}: the merchant's order is over {seen.order.total} now"
    if now >= hold_ends(leg, windows) - windows.hold:
        return f"{leg.state}: the merchant has not said that it has shipped"
    return None


def next_look_in(leg: Leg, now: datetime, windows: Windows) -> timedelta:
    """How long it is left alone: never past the moment when people are to be called. Pure."""
    end = hold_ends(leg, windows)
    looks = [next_look(leg.state_since, now) or now + _RARELY, end - windows.hold, end]
    return min(look for look in looks if look > now) - now


def has_come(tx: Transaction, leg_id: str) -> bool:
    """Whether a notice came in since the leg was last let go; it is ticked off."""
    statement = (
        t.leg.update()
        .where(t.leg.c.leg_id == leg_id, t.leg.c.watch_at.is_not(None))
        .values(watch_at=None)
        .returning(t.leg.c.leg_id)
    )
    return tx.execute(statement).one_or_none() is not None
