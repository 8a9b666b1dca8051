"""Sending events by the rules of Standard Webhooks: signed, in order within an order, until taken.

A delivery is claimed by putting its next try off, so a killed worker's is taken up again; a
receiver tells a repeated one by its `webhook-id`. While an event of an order is due at a receiver,
later ones of that order wait there. After the last pause an event is dead, until it is replayed.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from checkout import tables as t
from checkout.customer_events.receivers import Receiver, back_office, link, read_receiver
from kernel.db import Database, Transaction
from kernel.errors import DomainError
from kernel.http import GuardedClient, HttpLimits

_LOG = logging.getLogger(__name__)

AT_ONCE = 50
CLAIM = timedelta(minutes=2)
"""Longer than any sending takes."""
LIMITS = HttpLimits(wire_bytes=64 * 1024, total_s=20.0, connect_s=5.0, read_s=15.0)
PAUSES = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 300, 1800, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
GONE = 410
_CLAIM = sa.text(
    """
    UPDATE checkout.event_delivery SET tries = tries + 1, next_try_at = :claimed_until
    WHERE (receiver_id, event_id) = (
        SELECT d.receiver_id, d.event_id FROM checkout.event_delivery d
        WHERE d.state = 'due' AND d.next_try_at <= :now AND NOT EXISTS (
            SELECT FROM checkout.event_delivery earlier
            WHERE earlier.receiver_id = d.receiver_id AND earlier.purchase_id = d.purchase_id
              AND earlier.sequence < d.sequence AND earlier.state = 'due')
        ORDER BY d.next_try_at, d.sequence LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING receiver_id, event_id, tries
    """
)


@dataclass(frozen=True, slots=True)
class Message:
    """One event as it goes to one receiver. `body` is what is signed."""

    receiver: Receiver
    event_id: str
    tries: int
    body: str


def send_events(database: Database, allow_hosts: Collection[str], now: datetime) -> int:
    """Send what is due; answers how many deliveries were tried, at most AT_ONCE."""
    with GuardedClient(allow_hosts=allow_hosts, limits=LIMITS) as client:
        for count in range(AT_ONCE):
            with database.platform() as tx:
                message = _claimed(tx, now)
            if message is None:
                return count
            status, said = _post(client, message)
            with database.platform() as tx:
                _note(tx, message, status, said, now)
    return AT_ONCE


def _claimed(tx: Transaction, now: datetime) -> Message | None:
    claimed = tx.execute(_CLAIM, {"now": now, "claimed_until": now + CLAIM}).one_or_none()
    if claimed is None:
        return None
    receiver = read_receiver(tx, claimed.receiver_id)
    return Message(
        receiver, claimed.event_id, claimed.tries, body_of(tx, claimed.event_id, receiver)
    )


def body_of(tx: Transaction, event_id: str, receiver: Receiver) -> str:
    """What is said of an event: its facts, the order, and who bought, as far as that is kept."""
    row = tx.execute(
        sa.select(
            t.customer_event, t.purchase.c.order_ref, t.purchase.c.contact, t.purchase.c.erased_at
        )
        .join(t.purchase, t.purchase.c.purchase_id == t.customer_event.c.purchase_id)
        .where(t.customer_event.c.event_id == event_id)
    ).one()
    data: dict[str, Any] = {"order": row.order_ref, "brand": row.brand_id, **row.facts}
    data["customer"] = None if row.erased_at is not None else row.contact
    known = {
        "order_ref": row.order_ref,
        "merchant": row.facts.get("merchant"),
        "merchant_order": row.facts.get("merchant_order"),
        "event_id": event_id,
    }
    if receiver.link_template is not None:
        data["link"] = link(receiver.link_template, known)
    template = back_office(tx, known["merchant"])
    if template is not None and known["merchant_order"]:
        data["merchant_link"] = link(template, known)
    said = {
        "type": row.kind,
        "timestamp": row.occurred_at.astimezone(UTC).isoformat(),
        "data": data,
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _post(client: GuardedClient, message: Message) -> tuple[int, str]:
    """The status of the answer; 0 and why, where there was none."""
    from standardwebhooks import Webhook

    at = datetime.now(UTC)
    headers = {
        "content-type": "application/json",
        "webhook-id": message.event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(message.receiver.secret).sign(
            message.event_id, at, message.body
        ),
    }
    try:
        status = client.post(message.receiver.url, message.body.encode(), headers)
    except DomainError as error:
        return 0, error.message
    return status, f"answered {status}"


def _note(tx: Transaction, message: Message, status: int, said: str, now: datetime) -> None:
    values: dict[str, Any] = {"said": said[:300]}
    if 200 <= status < 300:
        values |= {"state": "sent", "next_try_at": None, "ended_at": now}
    elif status == GONE or message.tries > len(PAUSES):
        _LOG.error("event %s is dead at %s: %s", message.event_id, message.receiver.url, said)
        values |= {"state": "dead", "next_try_at": None, "ended_at": now}
    else:
        _LOG.warning("event %s waits at %s: %s", message.event_id, message.receiver.url, said)
        values["next_try_at"] = now + PAUSES[message.tries - 1]
    tx.execute(
        t.event_delivery.update()
        .where(
            t.event_delivery.c.receiver_id == message.receiver.receiver_id,
            t.event_delivery.c.event_id == message.event_id,
            # Who has claimed it since knows better.
            t.event_delivery.c.tries == message.tries,
            t.event_delivery.c.state == "due",
        )
        .values(**values)
    )
