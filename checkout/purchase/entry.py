"""An entry of the journal: all that a turn changes of a leg and of its steps, in one statement.

Everything in it hangs on the row of the leg, which it finds by lease and state: where another
worker has the leg, nothing is written. How a call ended, the state that this leads to and the
intent of the next call therefore stand together or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from checkout import tables as t
from checkout.purchase.machine import State
from kernel.db import Prepared, Transaction

LEASE_END = sa.func.clock_timestamp() + sa.bindparam("lease", type_=sa.Interval)

_STEP_KEY = ("name", "revision", "attempt")
_STEP_END = ("outcome", "finished_at", "response")
_STEP_BEGUN = (*_STEP_KEY, "owner", "idempotency_key", "request_sha256", "started_at")
_ENTERED = ("state", "reason", "owner", "at")


@dataclass(frozen=True, slots=True)
class Hold:
    """Whose lease it is on which leg, and how long it lasts when it begins anew."""

    leg_id: str
    brand_id: str
    owner: str
    lease: timedelta


@dataclass(slots=True)
class Entry:
    """What a turn has to say so far; each part by the names of its columns.

    `changes` are columns of the leg, `ended` the step whose end is known, `entered` the state that
    the leg is in now, `begun` the intent of the next call.
    """

    changes: dict[str, Any] = field(default_factory=dict)
    ended: Mapping[str, Any] | None = None
    entered: Mapping[str, Any] | None = None
    begun: Mapping[str, Any] | None = None

    @property
    def is_empty(self) -> bool:
        """True where nothing is to be written."""
        return not (self.changes or self.ended or self.entered or self.begun)

    def write(self, tx: Transaction, hold: Hold, state_read: State) -> bool:
        """Write all of it; False where the leg is not held as said, and nothing was written.

        The lease begins anew unless the changes say when it ends.
        """
        statement = _statement(
            tuple(self.changes),
            has_ended=self.ended is not None,
            has_entered=self.entered is not None,
            has_begun=self.begun is not None,
        )
        values: dict[str, Any] = {"held": hold.leg_id, "held_by": hold.owner}
        values["state_read"] = state_read
        if "lease_until" not in self.changes:
            values["lease"] = hold.lease
        if self.entered is not None or self.begun is not None:
            values["of_brand"] = hold.brand_id
        for part in ("changes", "ended", "entered", "begun"):
            columns = getattr(self, part) or {}
            values |= {f"{part}_{name}": value for name, value in columns.items()}
        return statement.first(tx, values) is not None


@lru_cache(maxsize=256)
def _statement(
    changed: tuple[str, ...], *, has_ended: bool, has_entered: bool, has_begun: bool
) -> Prepared:
    lease = {} if "lease_until" in changed else {"lease_until": LEASE_END}
    held = (
        t.leg.update()
        .where(
            t.leg.c.leg_id == sa.bindparam("held"),
            t.leg.c.state == sa.bindparam("state_read"),
            t.leg.c.lease_owner == sa.bindparam("held_by"),
        )
        .values({**_given(t.leg, "changes", changed), **lease})
        .returning(t.leg.c.leg_id)
        .cte("held")
    )
    parts: list[sa.CTE] = []
    if has_ended:
        key = _given(t.step, "ended", _STEP_KEY)
        ended = t.step.update().where(
            t.step.c.leg_id == sa.select(held.c.leg_id).scalar_subquery(),
            *(t.step.c[name] == value for name, value in key.items()),
        )
        parts.append(ended.values(_given(t.step, "ended", _STEP_END)).cte("ended"))
    if has_entered:
        parts.append(_added(t.leg_transition, "entered", _ENTERED, held))
    if has_begun:
        parts.append(_added(t.step, "begun", _STEP_BEGUN, held))
    return Prepared(sa.select(held.c.leg_id).add_cte(*parts))


def _added(table: sa.Table, part: str, columns: tuple[str, ...], held: sa.CTE) -> sa.CTE:
    """A row of the leg in a table of its own, if the leg is held."""
    brand_id = sa.bindparam("of_brand", type_=sa.Text)
    row = sa.select(held.c.leg_id, brand_id, *_given(table, part, columns).values())
    return table.insert().from_select(["leg_id", "brand_id", *columns], row).cte(part)


def _given(
    table: sa.Table, part: str, columns: tuple[str, ...]
) -> dict[str, sa.BindParameter[Any]]:
    return {name: sa.bindparam(f"{part}_{name}", type_=table.c[name].type) for name in columns}
