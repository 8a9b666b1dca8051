"""The inbox of payment providers' notices: verified, kept once, answered at once.

A notice is a hint and no more: it wakes the purchase, which then reads the payment itself. Copies,
late ones and ones out of order change nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from checkout import tables as t
from checkout.deps import CheckoutDeps
from checkout.outcomes import Refused
from checkout.payment_providers.port import PaymentEvent
from checkout.purchase.jobs import advance_soon
from kernel.db import Transaction
from kernel.errors import DomainError, NotFound

MAX_BODY = 64 * 1024


def receive(deps: CheckoutDeps, provider: str, headers: Mapping[str, str], raw_body: bytes) -> bool:
    """Take in a notice; False for one that was taken in before.

    Raises NotFound for a provider that is not ours, DomainError `webhook_*` with 401 for a notice
    that is unsigned, forged or stale, and with 400 for one that is signed and cannot be read: none
    of these leaves a trace.
    """
    if provider != deps.settings.payment_provider:
        raise NotFound("payment_provider_unknown", "No such payment provider.")
    if len(raw_body) > MAX_BODY:
        raise DomainError("body_too_large", "A notice may have 64 kB.", status=413)
    try:
        event = deps.provider.verify_webhook(headers, raw_body, deps.clock())
    except Refused as refusal:
        status = 400 if refusal.code == "webhook_malformed" else 401
        raise DomainError(refusal.code, refusal.message, status=status) from refusal
    with deps.database.platform() as tx:
        leg = _leg_of(tx, event)
        statement = insert(t.webhook_event).values(
            provider=provider,
            event_id=event.id,
            body=raw_body.decode("utf-8", "replace").replace("\0", ""),
            received_at=deps.clock(),
            leg_id=None if leg is None else leg[0],
        )
        kept = statement.on_conflict_do_nothing().returning(t.webhook_event.c.event_id)
        inserted = tx.execute(kept).one_or_none() is not None
        if inserted and leg is not None:
            advance_soon(tx, leg[1])
    return inserted


def _leg_of(tx: Transaction, event: PaymentEvent) -> tuple[str, str] | None:
    """Leg and purchase that the notice is about, if it is about a payment that we opened."""
    statement = sa.select(t.leg.c.leg_id, t.leg.c.purchase_id).where(
        t.leg.c.leg_id == event.reference,
        _is_of(event.payment_id),
    )
    row = tx.execute(statement).one_or_none()
    return None if row is None else (row.leg_id, row.purchase_id)


def _is_of(payment_id: str) -> sa.ColumnElement[bool]:
    """The leg has this payment, or none yet. Some providers' notices name our reference alone."""
    if not payment_id:
        return sa.true()
    return sa.or_(t.leg.c.payment_id.is_(None), t.leg.c.payment_id == payment_id)
