"""What is kept of a person, found by the e-mail address: everything, and where it lies.

Guests have no account: the address that was typed in is what ties orders, baskets and letters
together. The list of places is the one that the guide shows and that erasing goes by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from checkout import tables as t
from kernel.db import Transaction
from kernel.errors import NotFound

KEPT: Mapping[str, str] = {
    "basket": "the contact typed in; until it is erased",
    "quote": "postcode and town of the delivery; erased, the country stays",
    "purchase": "contact and address; erased, the country stays",
    "leg": "amounts and states stay; notes in words are erased",
    "step": "when each step was taken stays; what was answered is erased",
    "refund": "amounts stay; who asked is erased",
    "letter": "that it was sent stays; its text is erased",
    "webhook_event": "that a notice came stays; its text is erased",
    "idempotent_request": "answers of the API, two days; erased at once",
    "customer_event": "facts of the order without the person; stay",
    "event_delivery": "what receivers answered; erased",
    "accepted_terms": "which terms were accepted, and when; stays",
    "ledger_transaction": "amounts by order number; stays as the law wants",
}


@dataclass(frozen=True, slots=True)
class Person:
    """The rows of one e-mail address. Ids only."""

    email: str
    purchases: tuple[str, ...]
    order_refs: tuple[str, ...]
    quotes: tuple[str, ...]
    baskets: tuple[str, ...]
    legs: tuple[str, ...]


def find_person(tx: Transaction, email: str) -> Person:
    """Whoever has ordered, or filled in a basket, with this address. NotFound."""
    wanted = email.strip().lower()
    bought = tx.execute(
        t.purchase.select()
        .where(sa.func.lower(t.purchase.c.contact["email"].astext) == wanted)
        .order_by(t.purchase.c.created_at)
    ).all()
    baskets = tx.execute(
        sa.select(t.basket.c.basket_id).where(
            sa.func.lower(t.basket.c.contact["email"].astext) == wanted
        )
    ).scalars()
    purchases = tuple(row.purchase_id for row in bought)
    person = Person(
        email=wanted,
        purchases=purchases,
        order_refs=tuple(row.order_ref for row in bought),
        quotes=tuple(row.quote_id for row in bought),
        baskets=tuple(sorted({*baskets, *(row.basket_id for row in bought)})),
        legs=tuple(
            tx.execute(
                sa.select(t.leg.c.leg_id)
                .where(t.leg.c.purchase_id.in_(purchases))
                .order_by(t.leg.c.leg_id)
            ).scalars()
        ),
    )
    if not wanted or not (person.purchases or person.baskets):
        raise NotFound("customer_unknown", f"Nothing is kept of {email}.")
    return person


def records_of(tx: Transaction, person: Person) -> dict[str, list[dict[str, Any]]]:
    """Every row that is kept of a person, by the table it lies in."""
    of_leg = {name: t.METADATA.tables[f"checkout.{name}"] for name in _BY_LEG}
    of_purchase = {name: t.METADATA.tables[f"checkout.{name}"] for name in _BY_PURCHASE}
    chosen: dict[str, sa.Select[Any]] = {
        "basket": t.basket.select().where(t.basket.c.basket_id.in_(person.baskets)),
        "quote": t.quote.select().where(
            sa.or_(t.quote.c.quote_id.in_(person.quotes), t.quote.c.basket_id.in_(person.baskets))
        ),
        **{
            name: each.select().where(each.c.leg_id.in_(person.legs))
            for name, each in of_leg.items()
        },
        **{
            name: each.select().where(each.c.purchase_id.in_(person.purchases))
            for name, each in of_purchase.items()
        },
        "idempotent_request": t.idempotent_request.select().where(mentions(person)),
    }
    return {name: [dict(row) for row in tx.execute(chosen[name]).mappings()] for name in KEPT}


_BY_LEG = ("step", "refund", "webhook_event", "ledger_transaction")
_BY_PURCHASE = (
    *("purchase", "leg", "letter", "customer_event", "event_delivery", "accepted_terms"),
)


def mentions(person: Person) -> sa.ColumnElement[bool]:
    """Kept answers of the API that speak of the person or of one of its orders and baskets."""
    text = sa.func.lower(sa.cast(t.idempotent_request.c.answer, sa.Text))
    words = (person.email, *person.order_refs, *person.baskets)
    return sa.or_(*(text.contains(word.lower(), autoescape=True) for word in words))
