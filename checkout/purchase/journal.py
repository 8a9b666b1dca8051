"""What is written down of a leg, when, and by whom.

An intent is committed before its outside call; the result is committed together with the state it
leads to. A leg is worked on under a lease: one UPDATE claims it, and every turn ends with an entry
that holds only while the same owner still has it, so that a worker that was too slow changes
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from math import ceil
from typing import Any

import sqlalchemy as sa

from checkout import tables as t
from checkout.customer_events.outbox import tell
from checkout.deps import CheckoutDeps
from checkout.letters_due import letter_due
from checkout.purchase.confirmed import Confirmed
from checkout.purchase.consequences import WITH_CONSEQUENCES, follow, leads_to
from checkout.purchase.entry import LEASE_END, Entry, Hold
from checkout.purchase.jobs import advance_soon
from checkout.purchase.leg import Attempt, Leg, Result, attempts_of, changed, leg_of
from checkout.purchase.machine import (
    FINAL,
    Outcome,
    State,
    StepName,
    deadline_of,
    keeps_deadline,
    next_look,
    retry_in,
)
from checkout.states import AFTER_ACCEPTANCE, Reason
from kernel.db import Prepared, Transaction
from kernel.ids import drawn_id


class LeaseLost(Exception):
    """Another worker has the leg now; what this one wanted to write was not written."""


def is_free() -> sa.ColumnElement[bool]:
    """Condition on `checkout.leg`: nobody holds it, or whoever did let the time go by."""
    return sa.or_(t.leg.c.lease_until.is_(None), t.leg.c.lease_until < sa.func.clock_timestamp())


_ATTEMPTS = (
    sa.select(
        sa.func.json_agg(
            sa.func.json_build_array(
                *(t.step.c.name, t.step.c.revision, t.step.c.attempt),
                *(t.step.c.idempotency_key, t.step.c.outcome),
            )
        )
    )
    .where(t.step.c.leg_id == t.leg.c.leg_id)
    .scalar_subquery()
    .label("attempts")
)
_CLAIM = Prepared(
    t.leg.update()
    .where(t.leg.c.leg_id == sa.bindparam("claimed"), is_free(), t.leg.c.state.not_in(FINAL))
    .values(lease_until=LEASE_END)
    .returning(t.leg, _ATTEMPTS)
)
_BEGIN_STEP = Prepared(t.step.insert())
_ENTER = Prepared(t.leg_transition.insert().inline())
_OTHERS = Prepared(
    sa.select(t.leg.c.ordinal, t.leg.c.state).where(
        t.leg.c.purchase_id == sa.bindparam("bought"),
        t.leg.c.leg_id != sa.bindparam("this"),
        sa.func.coalesce(t.leg.c.reason, "").not_in(AFTER_ACCEPTANCE),
    )
)


class Journal:
    """One worker's pen for one leg, from claim to release.

    What a turn has to say is kept until `write`, which ends the turn.
    """

    def __init__(self, deps: CheckoutDeps, leg_id: str) -> None:
        self._deps = deps
        self._leg_id = leg_id
        self._owner = drawn_id("own")
        self._attempts: list[Attempt] = []
        self._state_read = State.NEW
        self._brand_id = ""
        self._entry = Entry()
        self._has_leg = False
        """True where the transaction that is open has locked the row of the leg as its own."""

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
        self._has_leg = True
        self._attempts = attempts_of(row.attempts)
        self._state_read, self._brand_id = State(row.state), row.brand_id
        return leg_of(row)

    def write(self, tx: Transaction) -> None:
        """Write what the turn has to say, and end it. The lease begins anew unless it is let go.

        Raises LeaseLost where another worker has the leg: then nothing of the turn may be kept.
        """
        if not (self._has_leg and self._entry.is_empty):
            self._put(tx)
        self._has_leg = False

    def _put(self, tx: Transaction) -> None:
        """Write what there is to say so far, under the lease."""
        entry, self._entry = self._entry, Entry()
        if self._has_leg and entry.begun is not None and entry == Entry(begun=entry.begun):
            row = {"leg_id": self._leg_id, "brand_id": self._brand_id}
            _BEGIN_STEP.run(tx, {**row, **entry.begun})
            return
        lease = self._deps.windows.lease
        hold = Hold(self._leg_id, self._brand_id, self._owner, lease)
        if not entry.write(tx, hold, self._state_read):
            raise LeaseLost(self._leg_id)
        self._state_read = entry.changes.get("state", self._state_read)
        self._has_leg = True

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
        self._entry.begun = {
            "name": name,
            "revision": revision,
            "attempt": number,
            "owner": self._owner,
            "idempotency_key": key,
            "request_sha256": request_sha256,
            "started_at": self._deps.clock(),
        }
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
        self._entry.ended = {
            "name": attempt.name,
            "revision": attempt.revision,
            "attempt": attempt.number,
            "outcome": result.outcome,
            "finished_at": now,
            "response": {"detail": result.detail, **result.response},
        }
        if is_done and attempt.name is StepName.REFUND:
            # With the leg's row locked nobody asks for another refund until it has moved.
            self._put(tx)
        after = leads_to(tx, leg, attempt.name, result.outcome)
        if after is leg.state and not is_done:
            return leg
        moved = self.turn(tx, leg, after, result)
        if is_done and attempt.name in WITH_CONSEQUENCES:
            # Nothing is booked but by who still has the leg.
            self._put(tx)
            follow(tx, leg, attempt.name, confirmed, now)
        return moved

    def turn(self, tx: Transaction, leg: Leg, after: State, result: Result) -> Leg:
        """Enter a state: because of how a call ended, of what was read, or of a deadline."""
        if self._entry.entered is not None:
            row = {"leg_id": leg.leg_id, "brand_id": leg.brand_id}
            _ENTER.run(tx, {**row, **self._entry.entered})
        columns, self._entry.entered = entering(tx, self._deps, leg, after, result, self._owner)
        return self._change(leg, columns)

    def others(self, tx: Transaction, leg: Leg) -> dict[int, State]:
        """How far the others are, by their ordinals; not those that ended once all had accepted."""
        rows = _OTHERS.all(tx, {"bought": leg.purchase_id, "this": leg.leg_id})
        return {row.ordinal: State(row.state) for row in rows}

    def wait(self, tx: Transaction, leg: Leg, wait: timedelta | None = None) -> None:
        """Let go of the leg until its peer, or the others, are ready; its own time begins then."""
        then = self._deps.clock() + (wait or timedelta(0))
        own_time = {"deadline_at": deadline_of(leg.state, then, self._deps.windows)}
        self._let_go(tx, self._change(leg, own_time), wait)

    def pause(
        self, tx: Transaction, leg: Leg, *, attention: str | None = None,
        told: Mapping[str, Any] | None = None, wait: timedelta | None = None,
    ) -> None:  # fmt: skip
        """Let go of the leg and have it tried again later. `attention` says why people are told,
        `told` are columns with what its peer said.
        """
        leg = self._change(leg, told or {})
        if attention is not None:
            if leg.attention is None:  # the buyer is told once
                letter_due(tx, leg.brand_id, leg.purchase_id, self._deps.clock())
            leg = self._change(leg, {"attention": attention})
        self._let_go(tx, leg, wait)

    def _let_go(self, tx: Transaction, leg: Leg, wait: timedelta | None = None) -> None:
        now = self._deps.clock()
        if wait is None:
            wait = retry_in(leg.state_since, now, needs_attention=leg.attention is not None)
        self._change(leg, {"lease_owner": None, "lease_until": None, "next_try_at": now + wait})
        advance_soon(tx, leg.purchase_id, delay_s=ceil(wait.total_seconds()))

    def _change(self, leg: Leg, columns: Mapping[str, Any]) -> Leg:
        self._entry.changes.update(columns)
        return changed(leg, columns)


def entering(
    tx: Transaction, deps: CheckoutDeps, leg: Leg, after: State, result: Result, owner: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Make due what is to be told of a leg that enters a state.

    Answers the columns of the leg that change, and what is to be put on record of the move: when
    and by whom. The caller, who holds the leg, writes both.
    """
    now = deps.clock()
    columns: dict[str, Any] = {
        **result.changes,
        "state": after,
        "state_since": now,
        "attention": None,
    }
    if not keeps_deadline(leg.state, after):
        columns["deadline_at"] = deadline_of(after, now, deps.windows)
    # Why it was settled says nothing about what it is woken up for.
    if result.reason is not None or leg.is_settled:
        columns |= {"reason": result.reason, "reason_detail": result.detail[:500] or None}
    if leg.is_settled:
        columns["next_try_at"] = now
    if after is State.COMPLETED and leg.state in (State.PLACED, State.SHIPPED):
        # From now on the merchant is asked what becomes of the order.
        columns["watch_at"] = next_look(now, now)
    if after in FINAL:
        columns |= {"next_try_at": None, "lease_owner": None, "lease_until": None}
        if result.reason is not Reason.PAYMENT_CANCELLED:
            letter_due(tx, leg.brand_id, leg.purchase_id, now)
    tell(tx, leg, changed(leg, columns), now)
    return columns, {"state": after, "reason": result.reason, "owner": owner, "at": now}


def wake(tx: Transaction, deps: CheckoutDeps, leg: Leg, after: State, result: Result) -> None:
    """Have a leg at rest, whose row is locked, worked on again; who looks at it just now, late."""
    columns, entered = entering(tx, deps, leg, after, result, "after_sale")
    columns |= {"next_try_at": deps.clock(), "lease_owner": None, "lease_until": None}
    _ENTER.run(tx, {"leg_id": leg.leg_id, "brand_id": leg.brand_id, **entered})
    tx.execute(t.leg.update().where(t.leg.c.leg_id == leg.leg_id), columns)
