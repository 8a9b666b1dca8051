"""The states of a leg and what leads from one to the next. Pure.

The pivot is the merchant's acceptance: before it a leg can be given up by releasing the money,
after it the leg only goes forward. Money is captured after the pivot alone: at once, or, where the
merchant is paid on shipment, as soon as it has shipped; until then it may still cancel for nothing.
A completed leg wakes up again where it is to be cancelled or where money goes back. Where the buyer
wants all or nothing the pivot is the last merchant's acceptance: until then an accepted order can
be withdrawn.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from checkout.deps import Windows


class State(StrEnum):
    """How far a leg is. The last three are final, the first of them until somebody wants it
    cancelled or money back.
    """

    NEW = "new"
    AWAITING_PAYMENT = "awaiting_payment"
    AUTHORISED = "authorised"
    REQUOTED = "requoted"
    PREPARED = "prepared"
    PLACED = "placed"
    AWAITING_SHIPMENT = "awaiting_shipment"  # accepted, the money held until the merchant ships
    SHIPPED = "shipped"  # by a merchant that is paid on shipment: the charge is next
    WITHDRAWING = "withdrawing"
    VOIDING = "voiding"
    CANCELLING_ORDER = "cancelling_order"
    REFUNDING = "refunding"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"


class StepName(StrEnum):
    """The outside calls of a leg."""

    CREATE_PAYMENT = "create_payment"
    REQUOTE = "requote"
    PREPARE = "prepare"
    PLACE = "place"
    CAPTURE = "capture"
    VOID = "void"
    WITHDRAW = "withdraw"
    CANCEL_ORDER = "cancel_order"
    REFUND = "refund"


class Outcome(StrEnum):
    """What is known of a call. `UNSENT`: the peer was not reached, nothing changed."""

    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    UNSENT = "unsent"


FINAL = frozenset({State.COMPLETED, State.CANCELLED, State.REFUNDED})
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
    State.SHIPPED: StepName.CAPTURE,
    State.WITHDRAWING: StepName.WITHDRAW,
    State.VOIDING: StepName.VOID,
    State.CANCELLING_ORDER: StepName.CANCEL_ORDER,
    State.REFUNDING: StepName.REFUND,
}

WATCHED_FOR = timedelta(days=45)
"""How long a merchant is asked what became of an order: delivery, and the days to return it."""

_AFTER_DONE = {
    StepName.CREATE_PAYMENT: State.AWAITING_PAYMENT,
    StepName.REQUOTE: State.REQUOTED,
    StepName.PREPARE: State.PREPARED,
    StepName.PLACE: State.PLACED,
    StepName.CAPTURE: State.COMPLETED,
    StepName.WITHDRAW: State.VOIDING,
    StepName.VOID: State.CANCELLED,
    StepName.CANCEL_ORDER: State.REFUNDING,
    # Where all of it has gone back, or more is still to go: see `checkout.refunds`.
    StepName.REFUND: State.COMPLETED,
}
_AFTER_REFUSED = {
    StepName.CREATE_PAYMENT: State.CANCELLED,
    StepName.REQUOTE: State.VOIDING,
    StepName.PREPARE: State.VOIDING,
    StepName.PLACE: State.VOIDING,
    # An order that cannot be withdrawn will be sent: it stands, and is paid for.
    StepName.WITHDRAW: State.PLACED,
    StepName.VOID: State.VOIDING,
    # The merchant says that it is too late: the order stands as it stood.
    StepName.CANCEL_ORDER: State.COMPLETED,
    StepName.REFUND: State.REFUNDING,
}


def state_after(state: State, step: StepName, outcome: Outcome) -> State:
    """The state that an outcome leads to. ValueError for a step that this state does not have."""
    if STEP_OF.get(state) is not step:
        raise ValueError(f"a leg that is {state} has no step {step}")
    if outcome is Outcome.DONE:
        return _AFTER_DONE[step]
    if outcome is Outcome.REFUSED:
        # After the pivot a charge has no way back: people are told, and it is tried again.
        return state if step is StepName.CAPTURE else _AFTER_REFUSED[step]
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


def next_look(since: datetime, now: datetime) -> datetime | None:
    """When a merchant is asked next what became of an order made at `since`; None: no more.

    Soon at first, for shops that sell what they do not have cancel soon; then twice a day.
    """
    age = now - since
    if age > WATCHED_FOR:
        return None
    return now + min(max(timedelta(minutes=10), age / 4), timedelta(hours=12))


def retry_in(since: datetime, now: datetime, *, needs_attention: bool) -> timedelta:
    """Longer and longer pauses: a second at first, a minute at most, 15 once people know."""
    half = (now - since) / 2
    ceiling = timedelta(minutes=15) if needs_attention else timedelta(minutes=1)
    return min(max(half, timedelta(seconds=1)), ceiling)
