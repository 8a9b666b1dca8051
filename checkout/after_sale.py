"""After the order: the buyer wants it cancelled, the merchant gives it up, money goes back.

Each act only wakes a leg at rest, charged or waiting for shipment; what follows is done and
journalled by `checkout.purchase`, under the same leases and with the same look-ups as the purchase
itself.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from checkout import tables as t
from checkout.deps import CheckoutDeps
from checkout.merchant_connectors.port import OrderStatus, PlacedOrder
from checkout.orders import Order, read_capabilities
from checkout.outcomes import NoAnswer, OutcomeUnknown, Refused
from checkout.purchase.jobs import advance_soon
from checkout.purchase.journal import wake
from checkout.purchase.leg import Result, leg_of
from checkout.purchase.machine import Outcome, State, next_look
from checkout.refunds import Cause, Refund, ask_refund
from checkout.states import Reason
from kernel.db import Transaction
from kernel.errors import DomainError, NotFound
from kernel.money import Money
from mdm.merchants import read_merchant

_LOG = logging.getLogger(__name__)

ORDERS_AT_ONCE = 50


def cancel(deps: CheckoutDeps, order: Order, merchant_id: str) -> None:
    """The buyer wants a merchant's part cancelled; asked for again it changes nothing.

    The caller has the purchase advanced. Raises DomainError `not_cancellable`, NotFound.
    """
    leg_id = leg_of_merchant(order, merchant_id)
    with deps.database.platform() as tx:
        row = tx.execute(t.leg.select().where(t.leg.c.leg_id == leg_id).with_for_update()).one()
        if row.state in (State.CANCELLING_ORDER, State.REFUNDING, State.REFUNDED):
            return
        if row.state not in (State.COMPLETED, State.AWAITING_SHIPMENT):
            raise DomainError(
                "not_cancellable",
                "This part of the order cannot be cancelled now.",
                hint="Look at the order: it says what is going on. Nothing was changed.",
                status=409,
            )
        if not read_capabilities(tx, merchant_id).cancels_orders:
            raise DomainError(
                "not_cancellable",
                "Orders at %(merchant)s are cancelled at the merchant itself.",
                hint="Say the order number there. Nothing was changed.",
                status=409,
                values={"merchant": leg_of(row).merchant_name},
            )
        wake(tx, deps, leg_of(row), State.CANCELLING_ORDER, Result(Outcome.DONE))
        advance_soon(tx, row.purchase_id)


def refund(
    deps: CheckoutDeps, order: Order, merchant_id: str, amount: Money | None, *, by: str, key: str
) -> Refund:
    """Give a part of a merchant's total back, or all that is left of it. See `ask_refund`."""
    leg_id = leg_of_merchant(order, merchant_id)
    now = deps.clock()
    with deps.database.platform() as tx:
        row = tx.execute(t.leg.select().where(t.leg.c.leg_id == leg_id).with_for_update()).one()
        if row.state == State.CANCELLING_ORDER:
            # Should the merchant refuse, nothing would wake the leg for this refund again.
            raise DomainError(
                "not_refundable",
                "The merchant is just being asked to cancel this part of the order.",
                hint="Wait for its answer: if it agrees, the whole amount goes back by itself.",
                status=409,
            )
        made = ask_refund(tx, leg_id, amount, Cause.RETURNED, asked_by=by, key=key, now=now)
        if made.done_at is None and row.state == State.COMPLETED:
            wake(tx, deps, leg_of(row), State.REFUNDING, Result(Outcome.DONE))
        advance_soon(tx, row.purchase_id)
    return made


def leg_of_merchant(order: Order, merchant_id: str) -> str:
    """The leg of an order at a merchant."""
    for record in order.legs:
        if record.leg.merchant_id == merchant_id:
            return record.leg.leg_id
    raise NotFound(
        "leg_unknown",
        "Nothing of this order was bought at %(merchant)s.",
        hint="Its merchants are %(merchants)s.",
        values={
            "merchant": merchant_id,
            "merchants": ", ".join(record.leg.merchant_id for record in order.legs),
        },
    )


def watch_orders(deps: CheckoutDeps) -> int:
    """Ask merchants what became of orders that are due for a look; answers how many were asked."""
    now = deps.clock()
    with deps.database.platform() as tx:
        due = tx.execute(
            t.leg.select()
            .where(t.leg.c.state == State.COMPLETED, t.leg.c.watch_at <= now)
            .order_by(t.leg.c.watch_at)
            .limit(ORDERS_AT_ONCE)
        ).all()
        merchants = {row.merchant_id: read_merchant(tx, row.merchant_id) for row in due}
    for row in due:
        found: PlacedOrder | None = None
        try:
            found = deps.connectors(merchants[row.merchant_id]).find(row.leg_id, row.handle)
        except (NoAnswer, OutcomeUnknown, Refused) as error:
            _LOG.info("order %s cannot be looked at: %s", row.merchant_order, error.message)
        _note(deps, row.leg_id, found, now)
    return len(due)


def _note(deps: CheckoutDeps, leg_id: str, found: PlacedOrder | None, now: datetime) -> None:
    """Write down what the merchant says, unless somebody else has woken the leg meanwhile."""
    with deps.database.platform() as tx:
        row = tx.execute(
            t.leg.select()
            .where(t.leg.c.leg_id == leg_id, t.leg.c.state == State.COMPLETED)
            .with_for_update()
        ).one_or_none()
        if row is None:
            return
        told = {} if found is None else {"order_status": found.status.value}
        tx.execute(
            t.leg.update()
            .where(t.leg.c.leg_id == leg_id)
            .values(watch_at=next_look(row.created_at, now), **told)
        )
        if found is not None and found.status is OrderStatus.CANCELLED:
            _merchant_gave_up(tx, deps, row, now)


def _merchant_gave_up(tx: Transaction, deps: CheckoutDeps, row: sa.Row[Any], now: datetime) -> None:
    """The merchant has cancelled what was charged: all that is left of it goes back."""
    given = sa.select(sa.func.coalesce(sa.func.sum(t.refund.c.amount_minor), 0))
    back = tx.execute(given.where(t.refund.c.leg_id == row.leg_id)).scalar_one()
    if back >= row.captured_minor:
        return
    ask_refund(
        tx, row.leg_id, None, Cause.MERCHANT_CANCELLED,
        asked_by="merchant", key="merchant_cancelled", now=now,
    )  # fmt: skip
    wake(tx, deps, leg_of(row), State.REFUNDING, Result(Outcome.DONE, Reason.MERCHANT_CANCELLED))
    advance_soon(tx, row.purchase_id)
