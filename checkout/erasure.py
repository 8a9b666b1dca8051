"""Erasing a person: what the law wants kept stays, without the person; the rest goes.

Amounts, states, times, accepted terms and the books stay under the number of the order. All of it
happens in one transaction. An order that is under way is finished first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from checkout import tables as t
from checkout.customer_events.outbox import put_event
from checkout.erasure_records import Person, find_person, mentions
from checkout.purchase.machine import FINAL
from kernel.db import Transaction
from kernel.errors import DomainError


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """An order that a merchant and a payment provider know by these names: they are to be told."""

    order_ref: str
    merchant_id: str
    merchant_order: str | None
    payment_id: str | None


@dataclass(frozen=True, slots=True)
class Erased:
    """What was done. `elsewhere` is what lies outside of this system."""

    orders: int
    baskets: int
    elsewhere: tuple[Elsewhere, ...]


def erase(tx: Transaction, email: str, now: datetime) -> Erased:
    """Erase whoever has this address. NotFound; DomainError `orders_open`."""
    person = find_person(tx, email)
    legs = tx.execute(t.leg.select().where(t.leg.c.leg_id.in_(person.legs)).with_for_update()).all()
    names = dict(zip(person.purchases, person.order_refs, strict=True))
    if any(leg.state not in FINAL for leg in legs):
        raise DomainError(
            "orders_open",
            "An order of this person is still under way.",
            hint="Erase when it is settled: `comptoir order show` says what is going on.",
            status=409,
        )
    tx.execute(
        sa.text("SELECT checkout.forget_quotes(:bought, :baskets)"),
        {"bought": list(person.quotes), "baskets": list(person.baskets)},
    )
    _forget_orders(tx, person, now)
    _forget_messages(tx, person, now)
    tx.execute(t.basket.delete().where(t.basket.c.basket_id.in_(person.baskets)))
    brands = {leg.purchase_id: leg.brand_id for leg in legs}
    for purchase_id, brand_id in brands.items():
        put_event(tx, brand_id, purchase_id, "customer.erased", {}, now)
    return Erased(
        orders=len(person.purchases),
        baskets=len(person.baskets),
        elsewhere=tuple(
            Elsewhere(names[leg.purchase_id], leg.merchant_id, leg.merchant_order, leg.payment_id)
            for leg in legs
            if leg.merchant_order is not None or leg.payment_id is not None
        ),
    )


def _forget_orders(tx: Transaction, person: Person, now: datetime) -> None:
    """The country stays: which tax was owed depends on it."""
    contact = t.purchase.c.contact
    emptied = sa.select(
        sa.func.jsonb_object_agg(
            sa.column("key"),
            sa.case((sa.column("key") == "country", sa.column("value")), else_=sa.literal("")),
        )
    ).select_from(sa.func.jsonb_each_text(contact).table_valued("key", "value"))
    tx.execute(
        t.purchase.update()
        .where(t.purchase.c.purchase_id.in_(person.purchases))
        .values(contact=sa.cast(emptied.scalar_subquery(), JSONB), erased_at=now)
    )
    of_legs = t.leg.c.leg_id.in_(person.legs)
    tx.execute(t.leg.update().where(of_legs).values(reason_detail=None, pay_url=None))
    tx.execute(t.step.update().where(t.step.c.leg_id.in_(person.legs)).values(response=None))
    tx.execute(t.refund.update().where(t.refund.c.leg_id.in_(person.legs)).values(asked_by=""))


def _forget_messages(tx: Transaction, person: Person, now: datetime) -> None:
    of_orders = t.letter.c.purchase_id.in_(person.purchases)
    tx.execute(t.letter.update().where(of_orders).values(subject=None, text=None, said=None))
    tx.execute(
        t.letter.update()
        .where(of_orders, t.letter.c.state == "due")
        .values(state="refused", next_try_at=None, ended_at=now, said="erased")
    )
    body = sa.func.lower(t.webhook_event.c.body)
    is_theirs = sa.and_(
        t.webhook_event.c.leg_id.is_(None), body.contains(person.email, autoescape=True)
    )
    tx.execute(
        t.webhook_event.update()
        .where(sa.or_(t.webhook_event.c.leg_id.in_(person.legs), is_theirs))
        .values(body="")
    )
    tx.execute(t.idempotent_request.delete().where(mentions(person)))
    tx.execute(
        t.event_delivery.update()
        .where(t.event_delivery.c.purchase_id.in_(person.purchases))
        .values(said=None)
    )
