"""What other systems are told of an order: written in the transaction in which it happens.

An event holds facts of the order and no personal data. For each receiver that wants it a delivery
is due from then on. Events of one order have rising numbers, in the order of their commits.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from checkout.purchase.leg import Leg
from checkout.purchase.machine import State
from checkout.states import Reason
from kernel.db import Prepared, Transaction
from kernel.ids import drawn_id

KINDS = (
    "order.confirmed",
    "order.cancelled",
    "order.cancellation_refused",
    "refund.made",
    "customer.erased",
)
_PUT = Prepared(
    sa.text("""
    -- Held to the end of the transaction, so that numbers rise as transactions of an order commit.
    WITH alone AS MATERIALIZED (
        SELECT pg_advisory_xact_lock(hashtextextended('checkout.events:' || :purchase_id, 0))
    ), event AS (
        INSERT INTO checkout.customer_event
            (event_id, brand_id, purchase_id, kind, facts, occurred_at)
        SELECT :event_id, :brand_id, :purchase_id, :kind, CAST(:facts AS jsonb), :now FROM alone
        RETURNING event_id, purchase_id, sequence
    )
    INSERT INTO checkout.event_delivery
        (receiver_id, event_id, purchase_id, sequence, state, next_try_at)
    SELECT r.receiver_id, e.event_id, e.purchase_id, e.sequence, 'due', :now
    FROM checkout.event_receiver r, event e
    WHERE r.ended_at IS NULL AND (r.brand_id IS NULL OR r.brand_id = :brand_id)
      AND (r.kinds = '{}' OR :kind = ANY(r.kinds))
    """)
)


def tell(tx: Transaction, before: Leg, after: Leg, now: datetime) -> None:
    """A leg has moved: whatever other systems are told of it is due."""
    for kind, more in happened(before, after):
        facts = {"merchant": after.merchant_id, "total": after.total.as_json(), **more}
        put_event(tx, after.brand_id, after.purchase_id, kind, facts, now)


def happened(before: Leg, after: Leg) -> Iterator[tuple[str, dict[str, Any]]]:
    """The events of a move, with what only they say. Pure."""
    reason = {"reason": after.reason}
    if after.refunded.minor > before.refunded.minor:
        given = after.refunded - before.refunded
        yield (
            "refund.made",
            {"amount": given.as_json(), "refunded": after.refunded.as_json(), **reason},
        )
    if after.state is State.COMPLETED and before.state in (State.PLACED, State.SHIPPED):
        charged = after.captured.as_json()
        yield "order.confirmed", {"merchant_order": after.merchant_order, "charged": charged}
    if after.state is State.CANCELLED or _is_given_up(before, after):
        yield "order.cancelled", reason
    stands = (State.COMPLETED, State.AWAITING_SHIPMENT)
    if after.state in stands and before.state is State.CANCELLING_ORDER:
        yield "order.cancellation_refused", reason


def _is_given_up(before: Leg, after: Leg) -> bool:
    """Charged, and then cancelled: because the buyer wanted it, or by the merchant itself."""
    if after.state is not State.REFUNDING:
        return False
    by_merchant = before.state is State.COMPLETED and after.reason is Reason.MERCHANT_CANCELLED
    return by_merchant or before.state is State.CANCELLING_ORDER


def put_event(
    tx: Transaction,
    brand_id: str,
    purchase_id: str,
    kind: str,
    facts: Mapping[str, Any],
    now: datetime,
) -> None:
    """Put one event into the outbox, and its delivery to every receiver that wants it."""
    values = {
        "event_id": drawn_id("evt"),
        "brand_id": brand_id,
        "purchase_id": purchase_id,
        "kind": kind,
        "facts": json.dumps(facts),
        "now": now,
    }
    _PUT.run(tx, values)
