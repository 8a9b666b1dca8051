"""Who is told: an address, a secret, the kinds of events it wants, and links into its own pages.

Receivers are rows of the database, added and ended by operators. An address on a private network is
refused at the sending, unless the operator has named it (`EVENT_ALLOW_HOSTS`).
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from string import Formatter
from urllib.parse import quote, urlsplit

import sqlalchemy as sa

from checkout import tables as t
from checkout.customer_events.outbox import KINDS
from kernel.db import Transaction
from kernel.errors import DomainError, NotFound
from kernel.http import checked_url
from kernel.ids import drawn_id
from mdm.merchants import read_merchant

LINK_FIELDS = frozenset({"order_ref", "merchant", "merchant_order", "event_id"})


@dataclass(frozen=True, slots=True)
class Receiver:
    """`brand_id` None: of every brand; no `kinds`: every kind. `secret` begins with whsec_."""

    receiver_id: str
    brand_id: str | None
    url: str
    secret: str
    kinds: tuple[str, ...]
    link_template: str | None
    created_at: datetime
    ended_at: datetime | None


def add_receiver(
    tx: Transaction,
    url: str,
    *,
    brand_id: str | None,
    kinds: Sequence[str],
    link_template: str | None,
    allow_hosts: Collection[str],
    now: datetime,
) -> Receiver:
    """Put a receiver on record; its secret is made here.

    DomainError `address_refused`, `event_unknown`, `link_invalid`.
    """
    checked_url(url, allow_hosts)
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.netloc not in allow_hosts:
        raise DomainError(
            "address_refused",
            "Events name buyers: they are sent to https alone.",
            hint="EVENT_ALLOW_HOSTS names receivers on networks of your own.",
        )
    unknown = sorted(set(kinds) - set(KINDS))
    if unknown:
        raise DomainError(
            "event_unknown",
            f"There is no event {', '.join(unknown)}.",
            hint=f"Known: {', '.join(KINDS)}.",
        )
    if link_template is not None:
        link(link_template, dict.fromkeys(LINK_FIELDS, "x"))
    secret = f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"
    made = Receiver(drawn_id("rcv"), brand_id, url, secret, tuple(kinds), link_template, now, None)
    tx.execute(
        t.event_receiver.insert().values(
            receiver_id=made.receiver_id,
            brand_id=brand_id,
            url=url,
            secret=secret,
            kinds=list(kinds),
            link_template=link_template,
            created_at=now,
        )
    )
    return made


def receivers(tx: Transaction) -> list[Receiver]:
    """Every receiver there is or was, the oldest first."""
    rows = tx.execute(t.event_receiver.select().order_by(t.event_receiver.c.created_at))
    return [_receiver(row) for row in rows]


def read_receiver(tx: Transaction, receiver_id: str) -> Receiver:
    """One receiver. NotFound."""
    row = tx.execute(
        t.event_receiver.select().where(t.event_receiver.c.receiver_id == receiver_id)
    ).one_or_none()
    if row is None:
        raise NotFound("receiver_unknown", f"There is no receiver {receiver_id}.")
    return _receiver(row)


def end_receiver(tx: Transaction, receiver_id: str, now: datetime) -> None:
    """Nothing more goes there; what was due is dead. NotFound."""
    read_receiver(tx, receiver_id)
    of_receiver = t.event_receiver.c.receiver_id == receiver_id
    tx.execute(t.event_receiver.update().where(of_receiver).values(ended_at=now))
    tx.execute(
        t.event_delivery.update()
        .where(t.event_delivery.c.receiver_id == receiver_id, t.event_delivery.c.state == "due")
        .values(state="dead", next_try_at=None, ended_at=now, said="the receiver was ended")
    )


def back_office(tx: Transaction, merchant_id: str | None) -> str | None:
    """The template of links into a merchant's own back office; None without one that is sound."""
    if merchant_id is None:
        return None
    template = read_merchant(tx, merchant_id).connector_settings.get("back_office")
    try:
        return template if template and link(template, {}) else None
    except DomainError:
        return None


def link(template: str, values: Mapping[str, str | None]) -> str:
    """An address in somebody's back office, such as `https://crm.example/orders/{order_ref}`.

    Values are escaped for addresses and never become part of the host. DomainError `link_invalid`.
    """
    try:
        named = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
        host = urlsplit(template).netloc
    except ValueError as error:
        raise _link_invalid(str(error)) from error
    if not template.startswith("https://") or "{" in host or not host or not named <= LINK_FIELDS:
        raise _link_invalid(f"it has {', '.join(sorted(named)) or 'no field'} in {host or 'it'}")
    escaped = {name: quote(values.get(name) or "", safe="") for name in named}
    return template.format(**escaped)


def _link_invalid(why: str) -> DomainError:
    return DomainError(
        "link_invalid",
        f"This is no template of a link: {why}.",
        hint=f"Write https://host/path with fields from {', '.join(sorted(LINK_FIELDS))}.",
    )


def _receiver(row: sa.Row[tuple[object, ...]]) -> Receiver:
    values = row._mapping
    return Receiver(**{**values, "kinds": tuple(values["kinds"])})
