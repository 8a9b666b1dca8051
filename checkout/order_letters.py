"""Letters to buyers: one for an order that is settled, one more whenever something changes.

A letter says how the order stands when it is sent, so several changes in a row need only one. That
one is due is written in the transaction of the change; it is sent by the worker, kept as sent, and
keeps its Message-ID when a lost answer makes it go twice.
"""

from __future__ import annotations

import html
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from checkout import tables as t
from checkout.mail import Letter, MailLaterError, MailRefusedError, MailServer, send
from checkout.orders import Order, read_purchase
from checkout.pages.order_page import order_page, order_path
from checkout.signed_links import OrderLinks
from kernel.db import Database, Transaction
from tenants.brand import Brand
from tenants.pages.rendering import page_environment, render

if TYPE_CHECKING:
    from jinja2 import Environment

_LOG = logging.getLogger(__name__)

PATIENCE = timedelta(minutes=10)
"""How long a letter waits for the rest of its order to be settled."""
AT_ONCE = 50
_LONGEST_PAUSE = timedelta(hours=6)
_GIVE_UP_AFTER = timedelta(days=5)


@dataclass(frozen=True, slots=True)
class Post:
    """Where letters go out: the server, and the address they come from."""

    server: MailServer
    sender: str


def send_letters(
    database: Database, brands: Mapping[str, Brand], post: Post, now: datetime, *, links: OrderLinks
) -> int:
    """Send what is due; answers how many letters were looked at.

    A letter whose server is away stays due, with longer and longer pauses.
    """
    with database.platform() as tx:
        rows = tx.execute(
            t.letter.select()
            .where(t.letter.c.state == "due", t.letter.c.next_try_at <= now)
            .order_by(t.letter.c.next_try_at)
            .limit(AT_ONCE)
        ).all()
    for row in rows:
        _deliver(database, brands, post, row.letter_id, now, links=links)
    return len(rows)


def _deliver(
    database: Database,
    brands: Mapping[str, Brand],
    post: Post,
    letter_id: str,
    now: datetime,
    *,
    links: OrderLinks,
) -> None:
    """One letter, under a lock of its row: two workers never send the same one."""
    with database.platform() as tx:
        row = tx.execute(
            t.letter.select()
            .where(t.letter.c.letter_id == letter_id, t.letter.c.state == "due")
            .with_for_update(skip_locked=True)
        ).one_or_none()
        if row is None:
            return
        order, brand = read_purchase(tx, row.purchase_id), brands.get(row.brand_id)
        if brand is None or (not order.is_resting and now - row.due_at < PATIENCE):
            _put_off(tx, letter_id, now + timedelta(seconds=30), "")
            return
        opens = links.order(order.brand_id, order.order_ref)
        subject, text = written(order, opens, brand, is_first=row.ordinal == 1)
        letter = Letter(
            to=order.contact.email,
            sender=post.sender,
            sender_name=brand.name,
            subject=subject,
            text=text,
            message_id=f"{letter_id}@{post.sender.rpartition('@')[2]}",
            language=order.language,
            written_at=now,
        )
        _send(tx, post, letter_id, letter, now - row.due_at)


def _send(tx: Transaction, post: Post, letter_id: str, letter: Letter, due_for: timedelta) -> None:
    """Hand the letter over and write down what became of it."""
    now = letter.written_at
    try:
        send(post.server, letter)
    except MailRefusedError as refusal:
        _end(tx, letter_id, "refused", now, letter, refusal.message)
    except MailLaterError as error:
        if due_for > _GIVE_UP_AFTER:
            _end(tx, letter_id, "refused", now, letter, error.message)
        else:
            pause = min(max(due_for / 2, timedelta(seconds=30)), _LONGEST_PAUSE)
            _put_off(tx, letter_id, now + pause, error.message)
    else:
        _end(tx, letter_id, "sent", now, letter, "")


def written(order: Order, opens: str, brand: Brand, *, is_first: bool) -> tuple[str, str]:
    """Subject and text, in the buyer's language; `opens` is the signed reference. Pure."""
    page = order_page(order, opens)
    html_text = render(
        _templates(),
        "order_letter.txt",
        brand=brand,
        language=order.language,
        page=page,
        order_url=f"{order.site}{order_path(opens)}",
        terms_url=f"{order.site}{page.terms_path}",
        is_first=is_first,
    )
    # Everything was escaped exactly once; a letter is plain text.
    lines = [line.strip() for line in html.unescape(html_text).splitlines()]
    subject, _, text = "\n".join(lines).strip().partition("\n")
    return subject, re.sub(r"\n{3,}", "\n\n", text.strip()) + "\n"


@lru_cache(maxsize=1)
def _templates() -> Environment:
    return page_environment(["checkout.pages"])


def _put_off(tx: Transaction, letter_id: str, until: datetime, said: str) -> None:
    if said:
        _LOG.warning("letter %s waits: %s", letter_id, said)
    tx.execute(
        t.letter.update()
        .where(t.letter.c.letter_id == letter_id)
        .values(next_try_at=until, said=said or t.letter.c.said)
    )


def _end(
    tx: Transaction, letter_id: str, state: str, now: datetime, letter: Letter, said: str
) -> None:
    if state == "refused":
        _LOG.error("letter %s was not sent: %s", letter_id, said)
    tx.execute(
        t.letter.update()
        .where(t.letter.c.letter_id == letter_id)
        .values(
            state=state,
            ended_at=now,
            next_try_at=None,
            subject=letter.subject,
            text=letter.text,
            said=said or None,
        )
    )
