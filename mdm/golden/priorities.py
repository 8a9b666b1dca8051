"""Which sources an operator trusts more, by merchant and field, with the record of who said so.

A field is `titles`, `descriptions`, `manufacturer`, `category_id`, `image_urls`, one attribute
(`attributes.power`), all of them (`attributes.*`), one language (`titles.de`), or `*` for all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime

import sqlalchemy as sa

from kernel.db import Prepared, Transaction
from kernel.errors import DomainError, NotFound
from mdm.curation import Act, record_act
from mdm.golden.members import Priorities

MAX_RANK = 100

_FIELD = re.compile(
    r"\*|manufacturer|category_id|image_urls|attributes\.(?:\*|[\w.-]{1,60})|"
    r"(?:titles|descriptions)\.(?:\*|[a-z]{2,3})"
)


_ALL = Prepared(sa.text("SELECT merchant_id, field, rank FROM mdm.source_priority"))


def read_priorities(tx: Transaction) -> Priorities:
    """All that were set."""
    return asked_priorities(tx)()


def asked_priorities(tx: Transaction) -> Callable[[], Priorities]:
    """The same, asked for now and read when it is called: for statements that are sent together."""
    asked = _ALL.asked(tx)
    return lambda: {(row.merchant_id, row.field): row.rank for row in asked.fetchall()}


def set_priority(
    tx: Transaction,
    merchant_id: str,
    field: str,
    rank: int | None,
    who: str,
    why: str,
    now: datetime,
) -> list[str]:
    """Set a rank, or take it back with None. Answers the products whose record it may change.

    DomainError `priority_field`, `priority_rank`; NotFound `merchant_unknown`.
    """
    if not _FIELD.fullmatch(field):
        raise DomainError(
            "priority_field",
            f"No field of a record is called {field!r}",
            hint="Such as manufacturer, category_id, image_urls, titles.*, attributes.power or *.",
        )
    if rank is not None and abs(rank) > MAX_RANK:
        raise DomainError("priority_rank", f"A rank is between -{MAX_RANK} and {MAX_RANK}")
    known = sa.text("SELECT 1 FROM mdm.merchant WHERE merchant_id = :id FOR UPDATE")
    if tx.execute(known, {"id": merchant_id}).one_or_none() is None:
        raise NotFound("merchant_unknown", f"No merchant is called {merchant_id!r}")
    key = {"merchant": merchant_id, "field": field}
    before = tx.execute(
        sa.text(
            "DELETE FROM mdm.source_priority WHERE merchant_id = :merchant AND field = :field "
            "RETURNING rank"
        ),
        key,
    ).scalar_one_or_none()
    if rank is not None:
        tx.execute(
            sa.text(
                "INSERT INTO mdm.source_priority (merchant_id, field, rank) "
                "VALUES (:merchant, :field, :rank)"
            ),
            {**key, "rank": rank},
        )
    act_key = f"{merchant_id} {field}"
    act = Act(now, who, why, "source_priority", act_key, _ranked(before), _ranked(rank))
    record_act(tx, act)
    return _products_of(tx, merchant_id) if before != rank else []


def _ranked(rank: int | None) -> Mapping[str, int] | None:
    return None if rank is None else {"rank": rank}


def _products_of(tx: Transaction, merchant_id: str) -> list[str]:
    rows = tx.execute(
        sa.text(
            "SELECT DISTINCT o.product_id FROM mdm.offer o JOIN mdm.merchant m USING (merchant_id) "
            "WHERE o.live AND o.product_id IS NOT NULL AND "
            "(m.merchant_id = :id OR m.speaks_for = :id) ORDER BY 1"
        ),
        {"id": merchant_id},
    )
    return list(rows.scalars())
