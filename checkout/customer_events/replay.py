"""Looking at events and their deliveries, and sending some of them again under the same id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from checkout import tables as t
from checkout.customer_events.receivers import read_receiver
from kernel.db import Transaction
from kernel.errors import DomainError


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event at a receiver; one that nobody wanted has no receiver and no state."""

    event_id: str
    kind: str
    occurred_at: datetime
    order_ref: str
    receiver_id: str | None
    state: str | None
    tries: int | None
    said: str | None


def deliveries(tx: Transaction, *, state: str | None, limit: int) -> Sequence[Delivery]:
    """The latest events with what became of them, the newest first."""
    statement = (
        sa.select(
            t.customer_event.c.event_id,
            t.customer_event.c.kind,
            t.customer_event.c.occurred_at,
            t.purchase.c.order_ref,
            t.event_delivery.c.receiver_id,
            t.event_delivery.c.state,
            t.event_delivery.c.tries,
            t.event_delivery.c.said,
        )
        .join(t.purchase, t.purchase.c.purchase_id == t.customer_event.c.purchase_id)
        .outerjoin(t.event_delivery, t.event_delivery.c.event_id == t.customer_event.c.event_id)
    )
    if state is not None:
        statement = statement.where(t.event_delivery.c.state == state)
    rows = tx.execute(statement.order_by(t.customer_event.c.sequence.desc()).limit(limit))
    return [Delivery(*row) for row in rows]


_AGAIN = """
    INSERT INTO checkout.event_delivery AS d
        (receiver_id, event_id, purchase_id, sequence, state, next_try_at)
    SELECT r.receiver_id, e.event_id, e.purchase_id, e.sequence, 'due', :now
    FROM checkout.event_receiver r, checkout.customer_event e
    LEFT JOIN checkout.event_delivery o
        ON o.event_id = e.event_id AND o.receiver_id = :receiver_id
    WHERE r.receiver_id = :receiver_id AND (r.brand_id IS NULL OR r.brand_id = e.brand_id)
      AND (r.kinds = '{}' OR e.kind = ANY(r.kinds)) AND (%s)
    ON CONFLICT (receiver_id, event_id)
        DO UPDATE SET state = 'due', tries = 0, next_try_at = :now, ended_at = NULL
        WHERE d.state <> 'due'
    RETURNING 1
"""


def replay(
    tx: Transaction,
    receiver_id: str,
    now: datetime,
    *,
    event_id: str | None = None,
    since: datetime | None = None,
) -> int:
    """Have events sent again to a receiver: one, those since a moment, else those that are dead.

    Answers how many are due now. NotFound, DomainError `receiver_ended`.
    """
    if read_receiver(tx, receiver_id).ended_at is not None:
        raise DomainError("receiver_ended", f"The receiver {receiver_id} was ended.")
    chosen = "o.state = 'dead'"
    if event_id is not None:
        chosen = "e.event_id = :event_id"
    elif since is not None:
        chosen = "e.occurred_at >= :since"
    values = {"receiver_id": receiver_id, "now": now, "event_id": event_id, "since": since}
    return len(tx.execute(sa.text(_AGAIN % chosen), values).all())
