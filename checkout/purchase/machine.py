"""The states of a leg and what leads from one to the next. Pure.

The pivot is the merchant's acceptance: before it a leg can be given up by releasing the money,
after it the leg only goes forward. Money is captured after the pivot alone.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from checkout.deps import Windows


class State(StrEnum):
    """How far a leg is. The last two are final."""

    NEW = "new"
    AWAITING_PAYMENT = "awaiting_payment"
    AUTHORISED = "authorised"
    REQUOTED = "requoted"
    PREPARED = "prepared"
    PLACED = "placed"
    VOIDING = "voiding"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class StepName(StrEnum):
    """The outside calls of a leg."""

    CREATE_PAYMENT = "create_payment"
    REQUOTE = "requote"
    PREPARE = "prepare"
    PLACE = "place"
    CAPTURE = "capture"
    VOID = "void"


class Outcome(StrEnum):
    """What is known of a call. `UNSENT`: the peer was not reached, nothing changed."""

    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    UNSENT = "unsent"


FINAL = frozenset({State.COMPLETED, State.CANCELLED})
# Money may be reserved and no order can exist unseen: giving up is safe.
BEFORE_PIVOT = frozenset(
    {State.NEW, State.AWAITING_PAYMENT, State.AUTHORISED, State.REQUOTED, State.PREPARED}
)

STEP_OF = {
    State.NEW: StepName.CREATE_PAYMENT,
    State.AUTHORISED: StepName.REQUOTE,
    State.REQUOTED: StepName.PREPARE,
    State.PREPARED: StepName.PLACE,
    State.PLACED: StepName.CAPTURE,
    State.VOIDING: StepName.VOID,
}

_AFTER_DONE = {
    StepName.CREATE_PAYMENT: State.AWAITING_PAYMENT,
    StepName.REQUOTE: State.REQUOTED,
    StepName.PREPARE: State.PREPARED,
    StepName.PLACE: State.PLACED,
    StepName.CAPTURE: State.COMPLETED,
    StepName.VOID: State.CANCELLED,
}
_AFTER_REFUSED = {
    StepName.CREATE_PAYMENT: State.CANCELLED,
    StepName.REQUOTE: State.VOIDING,
    StepName.PREPARE: State.VOIDING,
    StepName.PLACE: State.VOIDING,
    # After the pivot there is no way back: people are told, and it is tried again.
    StepName.CAPTURE: State.PLACED,
    StepName.VOID: State.VOIDING,
}


def state_after(state: State, step: StepName, outcome: Outcome) -> State:
    """The state that an outcome leads to. ValueError for a step that this state does not have."""
    if STEP_OF.get(state) is not step:
        raise ValueError(f"a leg that is {state} has no step {step}")
    if outcome is Outcome.DONE:
        return _AFTER_DONE[step]
    if outcome is Outcome.REFUSED:
        return _AFTER_REFUSED[step]
    return state


def deadline_of(state: State, now: datetime, windows: Windows) -> datetime:
    """Until when a leg that enters the state now may stay in it before something is done."""
    window: timedelta
    if state in {State.NEW, State.AWAITING_PAYMENT}:
        window = windows.payment
    elif state in BEFORE_PIVOT:
        window = windows.placing
    else:
        window = windows.settling
    return now + window


def keeps_deadline(before: State, after: State) -> bool:
    """True where the clock runs on: all of paying is one window, all of placing another."""
    paying = {State.NEW, State.AWAITING_PAYMENT}
    placing = {State.AUTHORISED, State.REQUOTED, State.PREPARED}
    return {before, after} <= paying or {before, after} <= placing


def gives_up_at_deadline(state: State) -> bool:
    """True where a deadline leads to releasing the money; else people are told and it goes on."""
    return state in BEFORE_PIVOT


def retry_in(since: datetime, now: datetime, *, needs_attention: bool) -> timedelta:
    """Longer and longer pauses: a second at first, a minute at most, 15 once people know."""
    half = (now - since) / 2
    ceiling = timedelta(minutes=15) if needs_attention else timedelta(minutes=1)
    return min(max(half, timedelta(seconds=1)), ceiling)
