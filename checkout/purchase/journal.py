"""What is written down of a leg, when, and by whom.

An intent is committed before its outside call; the result is committed together with the state it
leads to. A leg is worked on under a lease: one UPDATE claims it, and every turn ends with one that
holds only while the same owner still has it, so that a worker that was too slow changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from math import ceil
from typing import Any

import sqlalchemy as sa

from checkout import tables as t
from checkout.customer_events.outbox import tell
from checkout.deps import CheckoutDeps
from checkout.letters_due import letter_due
from checkout.purchase.confirmed import Confirmed
from checkout.purchase.consequences import WITH_CONSEQUENCES, follow
from checkout.purchase.jobs import advance_soon
from checkout.purchase.machine import (
    FINAL,
    Outcome,
    State,
    StepName,
    deadline_of,
    keeps_deadline,
    next_look,
    retry_in,
    state_after,
)
from checkout.states import Reason
from kernel.db import Prepared, Transaction
from kernel.ids import drawn_id
from kernel.money import Money


class LeaseLost(Exception):
    """Another worker has the leg now; what this one wanted to write was not written."""


@dataclass(frozen=True, slots=True)
class Leg:
    """A leg as on record."""

    leg_id: str
    brand_id: str
    purchase_id: str
    ordinal: int
    merchant_id: str
    merchant_name: str
    total: Money
    state: State
    reason: Reason | None
    payment_id: str | None
    handle: str | None
    merchant_order: str | None
    authorised: Money
    captured: Money
    refunded: Money
    order_status: str | None
    attention: str | None
    state_since: datetime
    deadline_at: datetime

    @property
    def is_settled(self) -> bool:
        """True where nothing is left to do."""
        return self.state in FINAL


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call as journalled. `outcome` None: it was begun, and nobody wrote how it ended."""

    name: StepName
    revision: int
    number: int
    idempotency_key: str
    outcome: Outcome | None

    @property
    def is_open(self) -> bool:
        """True where the call may have had an effect that is not on record."""
        return self.outcome in (None, Outcome.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Result:
    """What is known after a call or a look-up. `changes` are columns of the leg.

    `retry_after_s` is set where the peer does it only later, and nothing is wrong.
    """

    outcome: Outcome
    reason: Reason | None = None
    detail: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)
    response: Mapping[str, Any] = field(default_factory=dict)
    retry_after_s: int | None = None


def leg_of(row: Any) -> Leg:
    """The leg of a row of `checkout.leg`."""
    return Leg(
        leg_id=row.leg_id,
        brand_id=row.brand_id,
        purchase_id=row.purchase_id,
        ordinal=row.ordinal,
        merchant_id=row.merchant_id,
        merchant_name=row.merchant_name,
        total=Money(row.total_minor, row.currency),
        state=State(row.state),
        reason=None if row.reason is None else Reason(row.reason),
        payment_id=row.payment_id,
        handle=row.handle,
        merchant_order=row.merchant_order,
        authorised=Money(row.authorised_minor, row.currency),
        captured=Money(row.captured_minor, row.currency),
        refunded=Money(row.refunded_minor, row.currency),
        order_status=row.order_status,
        attention=row.attention,
        state_since=row.state_since,
        deadline_at=row.deadline_at,
    )


_AMOUNTS = {
    "authorised_minor": "authorised",
    "captured_minor": "captured",
    "refunded_minor": "refunded",
}
_FIELDS = {each.name for each in fields(Leg)}


def changed(leg: Leg, columns: Mapping[str, Any]) -> Leg:
    """The leg as it is once these columns are written. Pure."""
    new = {name: value for name, value in columns.items() if name in _FIELDS}
    for column, name in _AMOUNTS.items():
        if column in columns:
            new[name] = Money(columns[column], leg.total.currency)
    return replace(leg, **new)


def is_free() -> sa.ColumnElement[bool]:
    """Condition on `checkout.leg`: nobody holds it, or whoever did let the time go by."""
    return sa.or_(t.leg.c.lease_until.is_(None), t.leg.c.lease_until < sa.func.clock_timestamp())


_LEASE_END = sa.func.clock_timestamp() + sa.bindparam("lease", type_=sa.Interval)
_CLAIM = Prepared(
    t.leg.update()
    .where(t.leg.c.leg_id == sa.bindparam("claimed"), is_free(), t.leg.c.state.not_in(FINAL))
    .values(lease_until=_LEASE_END)
    .returning(t.leg)
)
_HELD = t.leg.update().where(
    t.leg.c.leg_id == sa.bindparam("held"),
    t.leg.c.state == sa.bindparam("state_read"),
    t.leg.c.lease_owner == sa.bindparam("owner"),
)
_LET_GO, _HOLD = Prepared(_HELD), Prepared(_HELD.values(lease_until=_LEASE_END))
_BEGIN_STEP = Prepared(t.step.insert())
_END_STEP = Prepared(
    t.step.update().where(
        t.step.c.leg_id == sa.bindparam("of_leg"),
        t.step.c.name == sa.bindparam("of_name"),
        t.step.c.revision == sa.bindparam("of_revision"),
        t.step.c.attempt == sa.bindparam("of_attempt"),
    )
)
_ENTER = Prepared(t.leg_transition.insert().inline())
_ATTEMPTS = Prepared(
    t.step.select()
    .where(t.step.c.leg_id == sa.bindparam("of_leg"))
    .order_by(t.step.c.name, t.step.c.revision, t.step.c.attempt)
)
_OTHERS = Prepared(
    sa.select(t.leg.c.ordinal, t.leg.c.state).where(
        t.leg.c.purchase_id == sa.bindparam("bought"), t.leg.c.leg_id != sa.bindparam("this")
    )
)


class Journal:
    """One worker's pen for one leg, from claim to release.

    What changes of the leg is kept until `write`, which ends the turn.
    """

    def __init__(self, deps: CheckoutDeps, leg_id: str) -> None:
        self._deps = deps
        self._leg_id = leg_id
        self._owner = drawn_id("own")
        self._attempts: list[Attempt] = []
        self._state_read = State.NEW
        self._changes: dict[str, Any] = {}

    def claim(self, tx: Transaction) -> Leg | None:
        """Take the leg, if it is unsettled and nobody else holds it."""
        values = {
            "claimed": self._leg_id,
            "lease_owner": self._owner,
            "lease": self._deps.windows.lease,
            # Should this worker end here, the leg is due as soon as its lease is over.
            "next_try_at": self._deps.clock(),
        }
        row = _CLAIM.first(tx, values)
        if row is None:
            return None
        self._attempts = _attempts(tx, self._leg_id)
        self._state_read = State(row.state)
        return leg_of(row)

    def write(self, tx: Transaction) -> None:
        """Write what the turn changed of the leg, whose lease begins anew unless it is let go.

        Raises LeaseLost where another worker has the leg: then nothing of the turn may be kept.
        """
        values: dict[str, Any] = {
            "held": self._leg_id,
            "state_read": self._state_read,
            "owner": self._owner,
        }
        statement = _LET_GO
        if "lease_until" not in self._changes:
            statement, values["lease"] = _HOLD, self._deps.windows.lease
        if statement.run(tx, values | self._changes) == 0:
            raise LeaseLost(self._leg_id)
        self._state_read = self._changes.get("state", self._state_read)
        self._changes = {}

    def open_attempt(self, name: StepName) -> Attempt | None:
        """The newest attempt at a step that may have had an effect that is not on record."""
        found = [attempt for attempt in self._of(name) if attempt.is_open]
        return found[-1] if found else None

    def _of(self, name: StepName) -> list[Attempt]:
        """Every attempt at a step, oldest first. Under the lease nobody else adds any."""
        return [attempt for attempt in self._attempts if attempt.name is name]

    def begin(self, tx: Transaction, leg: Leg, name: StepName, request_sha256: str) -> Attempt:
        """Write down the intent. Only what is over starts a new revision, and with it a new key."""
        before = self._of(name)
        revision = 1 + sum(attempt.outcome in (Outcome.REFUSED, Outcome.DONE) for attempt in before)
        number = 1 + sum(attempt.revision == revision for attempt in before)
        key = f"{leg.purchase_id}/{leg.ordinal}/{name}/{revision}"
        if any(attempt.outcome is None for attempt in before):
            self._close_abandoned(tx, leg, name)
        intent = {
            "leg_id": leg.leg_id,
            "name": name,
            "revision": revision,
            "attempt": number,
            "brand_id": leg.brand_id,
            "owner": self._owner,
            "idempotency_key": key,
            "request_sha256": request_sha256,
            "started_at": self._deps.clock(),
        }
        _BEGIN_STEP.run(tx, intent)
        attempt = Attempt(name, revision, number, key, None)
        self._attempts.append(attempt)
        return attempt

    def _close_abandoned(self, tx: Transaction, leg: Leg, name: StepName) -> None:
        """An attempt whose worker ended before writing how it went stays unknown for ever."""
        tx.execute(
            t.step.update()
            .where(t.step.c.leg_id == leg.leg_id, t.step.c.name == name, t.step.c.outcome.is_(None))
            .values(outcome=Outcome.UNKNOWN, finished_at=self._deps.clock())
        )

    def finish(
        self, tx: Transaction, leg: Leg, attempt: Attempt, result: Result, confirmed: Confirmed
    ) -> Leg:
        """Write down how a call ended, what follows from it, and the state that it leads to."""
        now, is_done = self._deps.clock(), result.outcome is Outcome.DONE
        self._attempts[self._attempts.index(attempt)] = replace(attempt, outcome=result.outcome)
        ended = {
            "of_leg": leg.leg_id,
            "of_name": attempt.name,
            "of_revision": attempt.revision,
            "of_attempt": attempt.number,
            "outcome": result.outcome,
            "finished_at": now,
            "response": {"detail": result.detail, **result.response},
        }
        _END_STEP.run(tx, ended)
        if is_done and attempt.name in WITH_CONSEQUENCES:
            # Nothing is booked but by who still has the leg.
            self.write(tx)
            after = follow(tx, leg, attempt.name, confirmed, now)
        else:
            after = state_after(leg.state, attempt.name, result.outcome)
        return leg if after is leg.state and not is_done else self.turn(tx, leg, after, result)

    def turn(self, tx: Transaction, leg: Leg, after: State, result: Result) -> Leg:
        """Enter a state: because of how a call ended, of what was read, or of a deadline."""
        return self._change(leg, entering(tx, self._deps, leg, after, result, self._owner))

    def others(self, tx: Transaction, leg: Leg) -> dict[int, State]:
        """How far the other legs of the purchase are, by their ordinals."""
        rows = _OTHERS.all(tx, {"bought": leg.purchase_id, "this": leg.leg_id})
        return {row.ordinal: State(row.state) for row in rows}

    def wait_for_others(self, tx: Transaction, leg: Leg) -> None:
        """Let go of the leg until others are as far; its own time begins when they are."""
        now = self._deps.clock()
        own_time = {"deadline_at": deadline_of(leg.state, now, self._deps.windows)}
        self._let_go(tx, self._change(leg, own_time))

    def wait(self, tx: Transaction, leg: Leg, wait_s: int) -> None:
        """Let go of the leg for as long as its peer wants; its own time begins then."""
        then = self._deps.clock() + timedelta(seconds=wait_s)
        own_time = {"deadline_at": deadline_of(leg.state, then, self._deps.windows)}
        self._let_go(tx, self._change(leg, own_time), timedelta(seconds=wait_s))

    def pause(self, tx: Transaction, leg: Leg, *, attention: str | None = None) -> None:
        """Let go of the leg and have it tried again later. `attention` says why people are told."""
        if attention is not None:
            leg = self._change(leg, {"attention": attention})
            letter_due(tx, leg.brand_id, leg.purchase_id, self._deps.clock())
        self._let_go(tx, leg)

    def _let_go(self, tx: Transaction, leg: Leg, wait: timedelta | None = None) -> None:
        now = self._deps.clock()
        if wait is None:
            wait = retry_in(leg.state_since, now, needs_attention=leg.attention is not None)
        self._change(leg, {"lease_owner": None, "lease_until": None, "next_try_at": now + wait})
        advance_soon(tx, leg.purchase_id, delay_s=ceil(wait.total_seconds()))

    def _change(self, leg: Leg, columns: Mapping[str, Any]) -> Leg:
        self._changes.update(columns)
        return changed(leg, columns)


def entering(
    tx: Transaction, deps: CheckoutDeps, leg: Leg, after: State, result: Result, owner: str
) -> dict[str, Any]:
    """Put on record that a leg enters a state, when and by whom, and make due what is to be told.

    Answers the columns of the leg that change; the caller, who holds the leg, writes them.
    """
    now = deps.clock()
    columns: dict[str, Any] = {
        **result.changes,
        "state": after,
        "state_since": now,
        "attention": None,
        "next_try_at": now,
    }
    if not keeps_deadline(leg.state, after):
        columns["deadline_at"] = deadline_of(after, now, deps.windows)
    # Why it was settled says nothing about what it is woken up for.
    if result.reason is not None or leg.is_settled:
        columns |= {"reason": result.reason, "reason_detail": result.detail[:500] or None}
    if after is State.COMPLETED and leg.state is State.PLACED:
        # From now on the merchant is asked what becomes of the order.
        columns["watch_at"] = next_look(now, now)
    if after in FINAL:
        columns |= {"next_try_at": None, "lease_owner": None, "lease_until": None}
        if result.reason is not Reason.PAYMENT_CANCELLED:
            letter_due(tx, leg.brand_id, leg.purchase_id, now)
    entered = {
        "leg_id": leg.leg_id,
        "brand_id": leg.brand_id,
        "state": after,
        "reason": result.reason,
        "owner": owner,
        "at": now,
    }
    _ENTER.run(tx, entered)
    tell(tx, leg, changed(leg, columns), now)
    return columns


def _attempts(tx: Transaction, leg_id: str) -> list[Attempt]:
    return [
        Attempt(
            StepName(row.name),
            row.revision,
            row.attempt,
            row.idempotency_key,
            None if row.outcome is None else Outcome(row.outcome),
        )
        for row in _ATTEMPTS.all(tx, {"of_leg": leg_id})
    ]
