"""What is written down of a leg, when, and by whom.

An intent is committed before its outside call; the result is committed together with the state it
leads to. A leg is worked on under a lease: one UPDATE claims it, and every later write holds only
while the same owner still has it, so that a worker that was too slow changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import ceil
from typing import Any

import sqlalchemy as sa

from checkout import tables as t
from checkout.customer_events.outbox import tell
from checkout.deps import CheckoutDeps
from checkout.letters_due import letter_due
from checkout.purchase.consequences import follow
from checkout.purchase.jobs import advance_soon
from checkout.purchase.machine import (
    FINAL,
    Outcome,
    State,
    StepName,
    deadline_of,
    keeps_deadline,
    retry_in,
    state_after,
)
from checkout.quote_document import LegQuoted
from checkout.states import Reason
from kernel.db import Transaction
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
    """What is known after a call or a look-up. `changes` are columns of the leg."""

    outcome: Outcome
    reason: Reason | None = None
    detail: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)
    response: Mapping[str, Any] = field(default_factory=dict)


def leg_of(row: sa.Row[Any]) -> Leg:
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


def is_free() -> sa.ColumnElement[bool]:
    """Condition on `checkout.leg`: nobody holds it, or whoever did let the time go by."""
    return sa.or_(t.leg.c.lease_until.is_(None), t.leg.c.lease_until < sa.func.clock_timestamp())


class Journal:
    """One worker's pen for one leg, from claim to release."""

    def __init__(self, deps: CheckoutDeps, leg_id: str) -> None:
        self._deps = deps
        self._leg_id = leg_id
        self._owner = drawn_id("own")
        self._attempts: list[Attempt] = []

    def claim(self) -> Leg | None:
        """Take the leg, if it is unsettled and nobody else holds it."""
        statement = (
            t.leg.update()
            .where(
                t.leg.c.leg_id == self._leg_id,
                is_free(),
                t.leg.c.state.not_in(FINAL),
            )
            .values(
                lease_owner=self._owner,
                lease_until=self._lease_end(),
                # Should this worker end here, the leg is due as soon as its lease is over.
                next_try_at=self._deps.clock(),
            )
            .returning(t.leg)
        )
        with self._deps.database.platform() as tx:
            row = tx.execute(statement).one_or_none()
            if row is None:
                return None
            self._attempts = _attempts(tx, self._leg_id)
        return leg_of(row)

    def attempts(self, name: StepName) -> tuple[Attempt, ...]:
        """Every attempt at a step, oldest first. Under the lease nobody else adds any."""
        return tuple(attempt for attempt in self._attempts if attempt.name is name)

    def begin(self, leg: Leg, name: StepName, request_sha256: str) -> Attempt:
        """Write down the intent. Only what is over starts a new revision, and with it a new key."""
        before = self.attempts(name)
        revision = 1 + sum(attempt.outcome in (Outcome.REFUSED, Outcome.DONE) for attempt in before)
        number = 1 + sum(attempt.revision == revision for attempt in before)
        key = f"{leg.purchase_id}/{leg.ordinal}/{name}/{revision}"
        with self._deps.database.platform() as tx:
            self._write(tx, leg, {"lease_until": self._lease_end()})
            if any(attempt.outcome is None for attempt in before):
                self._close_abandoned(tx, leg, name)
            tx.execute(
                t.step.insert().values(
                    leg_id=leg.leg_id,
                    name=name,
                    revision=revision,
                    attempt=number,
                    brand_id=leg.brand_id,
                    owner=self._owner,
                    idempotency_key=key,
                    request_sha256=request_sha256,
                    started_at=self._deps.clock(),
                )
            )
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

    def finish(self, leg: Leg, attempt: Attempt, result: Result, quoted: LegQuoted) -> Leg:
        """Write down how a call ended, and the state that it leads to, in one transaction."""
        now, is_done = self._deps.clock(), result.outcome is Outcome.DONE
        self._attempts[self._attempts.index(attempt)] = replace(attempt, outcome=result.outcome)
        with self._deps.database.platform() as tx:
            tx.execute(
                t.step.update()
                .where(
                    t.step.c.leg_id == leg.leg_id,
                    t.step.c.name == attempt.name,
                    t.step.c.revision == attempt.revision,
                    t.step.c.attempt == attempt.number,
                )
                .values(
                    outcome=result.outcome,
                    finished_at=now,
                    response={"detail": result.detail, **result.response},
                )
            )
            if is_done:
                # Only who still has the leg may write what follows from it.
                self._write(tx, leg, {})
                after = follow(tx, leg, attempt.name, quoted, now)
            else:
                after = state_after(leg.state, attempt.name, result.outcome)
            if after is leg.state and not is_done:
                return self._write(tx, leg, {})
            return self._enter(tx, leg, after, result)

    def turn(self, leg: Leg, after: State, result: Result) -> Leg:
        """Enter a state because of what was read or of a deadline; no call led to it."""
        with self._deps.database.platform() as tx:
            return self._enter(tx, leg, after, result)

    def states_of_others(self, leg: Leg) -> list[State]:
        """How far the other legs of the purchase are."""
        statement = sa.select(t.leg.c.state).where(
            t.leg.c.purchase_id == leg.purchase_id, t.leg.c.leg_id != leg.leg_id
        )
        with self._deps.database.platform() as tx:
            return [State(state) for state in tx.execute(statement).scalars()]

    def wait_for_others(self, leg: Leg) -> None:
        """Let go of the leg until others are as far; its own time begins when they are."""
        now = self._deps.clock()
        with self._deps.database.platform() as tx:
            self._let_go(tx, leg, {"deadline_at": deadline_of(leg.state, now, self._deps.windows)})

    def pause(self, leg: Leg, *, attention: str | None = None) -> None:
        """Let go of the leg and have it tried again later. `attention` says why people are told."""
        told = attention or leg.attention
        with self._deps.database.platform() as tx:
            self._let_go(tx, leg, {"attention": told})
            if attention is not None:
                letter_due(tx, leg.brand_id, leg.purchase_id, self._deps.clock())

    def _let_go(self, tx: Transaction, leg: Leg, changes: Mapping[str, Any]) -> None:
        now = self._deps.clock()
        told = changes.get("attention", leg.attention)
        wait = retry_in(leg.state_since, now, needs_attention=told is not None)
        free = {"lease_owner": None, "lease_until": None, "next_try_at": now + wait}
        self._write(tx, leg, {**free, **changes})
        advance_soon(tx, leg.purchase_id, delay_s=ceil(wait.total_seconds()))

    def _enter(self, tx: Transaction, leg: Leg, after: State, result: Result) -> Leg:
        return enter(
            tx, self._deps, leg, after, result, self._owner, t.leg.c.lease_owner == self._owner
        )

    def _write(self, tx: Transaction, leg: Leg, changes: Mapping[str, Any]) -> Leg:
        """Change the leg, only while this owner has it in the state that it was read in."""
        changes = {"lease_owner": self._owner, **changes}
        return _change(tx, leg, changes, t.leg.c.lease_owner == self._owner)

    def _lease_end(self) -> sa.ColumnElement[datetime]:
        return sa.func.clock_timestamp() + sa.cast(self._deps.windows.lease, sa.Interval)


def enter(
    tx: Transaction,
    deps: CheckoutDeps,
    leg: Leg,
    after: State,
    result: Result,
    owner: str,
    condition: sa.ColumnElement[bool],
) -> Leg:
    """Put the leg into a state, and on record who did it and when.

    Raises LeaseLost where the condition no longer holds, or the leg is in another state.
    """
    now = deps.clock()
    changes: dict[str, Any] = {
        **result.changes,
        "state": after,
        "state_since": now,
        "attention": None,
        "next_try_at": now,
    }
    if not keeps_deadline(leg.state, after):
        changes["deadline_at"] = deadline_of(after, now, deps.windows)
    # Why it was settled says nothing about what it is woken up for.
    if result.reason is not None or leg.is_settled:
        changes |= {"reason": result.reason, "reason_detail": result.detail[:500] or None}
    if after in FINAL:
        changes |= {"next_try_at": None, "lease_owner": None, "lease_until": None}
        if result.reason is not Reason.PAYMENT_CANCELLED:
            letter_due(tx, leg.brand_id, leg.purchase_id, now)
    tx.execute(
        t.leg_transition.insert().values(
            leg_id=leg.leg_id,
            brand_id=leg.brand_id,
            state=after,
            reason=result.reason,
            owner=owner,
            at=now,
        )
    )
    changed = _change(tx, leg, changes, condition)
    tell(tx, leg, changed, now)
    return changed


def _change(
    tx: Transaction, leg: Leg, changes: Mapping[str, Any], condition: sa.ColumnElement[bool]
) -> Leg:
    statement = (
        t.leg.update()
        .where(t.leg.c.leg_id == leg.leg_id, t.leg.c.state == leg.state, condition)
        .values(**changes)
        .returning(t.leg)
    )
    row = tx.execute(statement).one_or_none()
    if row is None:
        raise LeaseLost(leg.leg_id)
    return leg_of(row)


def _attempts(tx: Transaction, leg_id: str) -> list[Attempt]:
    rows = tx.execute(
        t.step.select()
        .where(t.step.c.leg_id == leg_id)
        .order_by(t.step.c.name, t.step.c.revision, t.step.c.attempt)
    )
    return [
        Attempt(
            StepName(row.name),
            row.revision,
            row.attempt,
            row.idempotency_key,
            None if row.outcome is None else Outcome(row.outcome),
        )
        for row in rows
    ]
