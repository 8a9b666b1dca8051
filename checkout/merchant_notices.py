"""The inbox of merchants' notices: signed by the merchant that owns the order, kept once.

A notice is a hint and no more: it brings the next look at the order forward, and that look asks the
merchant, be it what became of the order or whether it has left, where that is when it is charged.
Copies, late ones and ones out of order change nothing.
"""

from __future__ import annotations

from hashlib import sha256

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from checkout import tables as t
from checkout.deps import CheckoutDeps
from checkout.merchant_connectors.port import Notice, OrderNotice, SendsNotices
from checkout.outcomes import Refused
from checkout.purchase.jobs import advance_soon
from checkout.purchase.machine import State
from kernel.db import Transaction
from kernel.errors import DomainError, NotFound
from mdm.merchants import read_merchant

MAX_BODY = 256 * 1024


def receive(deps: CheckoutDeps, merchant_id: str, notice: Notice) -> bool:
    """Take in a notice; False for one that was taken in before.

    Raises NotFound for a merchant that sends none, DomainError `webhook_*` with 401 for what is
    unsigned, forged or stale, and with 403 for an order that is not this merchant's: none of these
    leaves a trace.
    """
    if len(notice.body) > MAX_BODY:
        raise DomainError("body_too_large", "A notice may have 256 kB.", status=413)
    with deps.database.platform() as tx:
        merchant = read_merchant(tx, merchant_id)
    connector = deps.connectors(merchant)
    if not isinstance(connector, SendsNotices):
        raise NotFound("merchant_unknown", "This merchant sends no notices.")
    try:
        told = connector.verify_notice(notice)
    except Refused as refusal:
        raise DomainError(refusal.code, refusal.message, status=401) from refusal
    with deps.database.platform() as tx:
        leg = _leg_of(tx, merchant_id, told)
        if leg is None:
            raise DomainError(
                "webhook_not_yours", "This merchant has no such order with us.", status=403
            )
        return _keep(tx, deps, merchant_id, notice, told, leg)


def _keep(
    tx: Transaction,
    deps: CheckoutDeps,
    merchant_id: str,
    notice: Notice,
    told: OrderNotice,
    leg: tuple[str, str],
) -> bool:
    leg_id, purchase_id = leg
    statement = insert(t.webhook_event).values(
        provider=f"merchant:{merchant_id}",
        event_id=told.event_id,
        # Enough to tell what came; the notice itself has the buyer's address in it.
        body=f"sha256:{sha256(notice.body).hexdigest()}",
        received_at=notice.received_at,
        leg_id=leg_id,
    )
    kept = statement.on_conflict_do_nothing().returning(t.webhook_event.c.event_id)
    if tx.execute(kept).one_or_none() is None:
        return False
    tx.execute(
        t.leg.update()
        .where(t.leg.c.leg_id == leg_id, t.leg.c.state == State.COMPLETED)
        .values(watch_at=sa.func.least(t.leg.c.watch_at, deps.clock()))
    )
    # One that comes while the merchant is being asked has it asked again.
    tx.execute(
        t.leg.update()
        .where(t.leg.c.leg_id == leg_id, t.leg.c.state == State.AWAITING_SHIPMENT)
        .values(watch_at=deps.clock(), next_try_at=deps.clock())
    )
    advance_soon(tx, purchase_id)
    return True


def _leg_of(tx: Transaction, merchant_id: str, told: OrderNotice) -> tuple[str, str] | None:
    """Leg and purchase of the order, among this merchant's own. A notice may be quicker than the
    answer that it follows: then the order is known by its handle alone. Numbers begin anew where a
    merchant changes its system: the handle tells such orders apart, else it is the newest.
    """
    statement = sa.select(t.leg.c.leg_id, t.leg.c.purchase_id).where(
        t.leg.c.merchant_id == merchant_id,
        sa.or_(
            t.leg.c.merchant_order == told.merchant_order_number,
            t.leg.c.handle == told.handle,
        ),
    )
    by_handle = sa.case((t.leg.c.handle == told.handle, 0), else_=1)
    first = statement.order_by(by_handle, t.leg.c.created_at.desc()).limit(1)
    row = tx.execute(first).one_or_none()
    return None if row is None else (row.leg_id, row.purchase_id)
