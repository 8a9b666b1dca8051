"""Which landed records the pipeline takes next, and that it has taken them.

What a merchant pushes goes ahead of whole feeds: turn about, so that neither waits for the other's
end, and a few records of each source, so that no source waits for another's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kernel.db import Prepared, Transaction

FEW = 100
"""Pushed records of one source that go ahead at a time."""

_COLUMNS = "source_id, sku, content_sha256, raw, state, landed_by, confirmed_at"
# Source by source through the index of what was pushed, however much of it one of them has.
_PUSHED = Prepared(
    sa.text(
        "WITH RECURSIVE source(id) AS ("  # noqa: S608 - columns of our own
        "(SELECT source_id FROM mdm.raw_offer WHERE pending AND pushed ORDER BY 1 LIMIT 1) "
        "UNION ALL SELECT (SELECT source_id FROM mdm.raw_offer WHERE pending AND pushed "
        "AND source_id > source.id ORDER BY 1 LIMIT 1) FROM source WHERE source.id IS NOT NULL) "
        f"SELECT {_COLUMNS} FROM source CROSS JOIN LATERAL (SELECT {_COLUMNS} FROM mdm.raw_offer "
        "WHERE pending AND pushed AND source_id = source.id ORDER BY sku LIMIT :few) AS first "
        "ORDER BY source_id, sku LIMIT :limit"
    )
)
# Two halves, each in the order of its own index: with OR, or in another order, it may become a walk
# through all records that ever landed.
_ALL = Prepared(
    sa.text(
        f"(SELECT {_COLUMNS} FROM mdm.raw_offer WHERE pending "  # noqa: S608
        "ORDER BY source_id, sku LIMIT :limit) UNION ALL "
        f"(SELECT {_COLUMNS} FROM mdm.raw_offer WHERE NOT pending AND revisit_at <= :now "
        "ORDER BY revisit_at LIMIT :limit) ORDER BY source_id, sku LIMIT :limit"
    )
)
_SETTLE = Prepared(
    sa.text(
        "UPDATE mdm.raw_offer o SET pending = false, pushed = false, revisit_at = s.revisit_at "
        "FROM unnest(CAST(:sources AS text[]), CAST(:skus AS text[]), CAST(:contents AS bytea[]), "
        "CAST(:states AS text[]), CAST(:confirmed AS timestamptz[]), "
        "CAST(:revisits AS timestamptz[])) "
        "s(source_id, sku, content_sha256, state, confirmed_at, revisit_at) "
        "WHERE o.source_id = s.source_id AND o.sku = s.sku "
        "AND o.content_sha256 = s.content_sha256 AND o.state = s.state "
        "AND o.confirmed_at = s.confirmed_at"
    )
)
_SOMEBODY = Prepared(
    sa.text("SELECT EXISTS (SELECT FROM mdm.raw_offer WHERE pending AND pushed) AS waits")
)
_LEFT = Prepared(
    sa.text(
        "SELECT (SELECT source_id FROM mdm.raw_offer WHERE pending ORDER BY source_id, sku LIMIT 1)"
        " IS NOT NULL AS pending, (SELECT min(revisit_at) FROM mdm.raw_offer) AS revisit_at"
    )
)


@dataclass(frozen=True, slots=True)
class Turn:
    """Records in the order of their keys, so that the order of arrival plays no part."""

    records: Sequence[Any]
    is_pushed: bool


@dataclass(frozen=True, slots=True)
class Left:
    """What waits: records now, and the moment when a sale next begins or ends."""

    pending: bool
    revisit_at: datetime | None

    def is_due(self, now: datetime) -> bool:
        """Whether there is something to take up."""
        return self.pending or (self.revisit_at is not None and self.revisit_at <= now)


def next_turn(tx: Transaction, limit: int, now: datetime, *, after_pushed: bool) -> Turn:
    """What is worked off next; `after_pushed` says that it was what was pushed a moment ago."""
    if not after_pushed:
        pushed = _PUSHED.all(tx, {"few": min(FEW, limit), "limit": limit})
        if pushed:
            return Turn(pushed, is_pushed=True)
    return Turn(_ALL.all(tx, {"limit": limit, "now": now}), is_pushed=False)


def somebody_pushes(tx: Transaction) -> bool:
    """Whether something that was pushed waits, at this moment."""
    waits: bool = _SOMEBODY.first(tx).waits
    return waits


def settle(tx: Transaction, done: Sequence[tuple[Any, ...]]) -> None:
    """Mark what was worked off, unless intake has changed it meanwhile: source, key, content,
    state, when it was confirmed, when to come back to it."""
    if not done:
        return
    columns = ("sources", "skus", "contents", "states", "confirmed", "revisits")
    _SETTLE.run(tx, dict(zip(columns, map(list, zip(*done, strict=True)), strict=True)))


def left(tx: Transaction) -> Callable[[], Left]:
    """What is still to be done, asked for now and read when it is called."""
    asked = _LEFT.asked(tx)
    return lambda: Left(*asked.fetchall()[0])
