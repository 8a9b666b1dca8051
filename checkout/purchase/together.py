"""All or nothing: what a leg may do, given how far the other legs of its purchase are. Pure.

Legs go in step: none is placed before all are prepared, none is charged before all are placed. One
that has failed takes the others with it. That all are placed and that one has failed exclude each
other and both last, so no two legs ever read another decision. An order that could not be withdrawn
is placed last, once those before it stand.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from checkout.purchase.machine import State

_FAILED = frozenset({State.WITHDRAWING, State.VOIDING, State.CANCELLED})
_ORDER = (
    *(State.NEW, State.AWAITING_PAYMENT, State.AUTHORISED, State.REQUOTED, State.PREPARED),
    State.PLACED,
)
_NOT_PLACED = _ORDER[: _ORDER.index(State.PLACED)]
# Before the merchant is asked again, before it gets the order, before anything is charged.
_WAITS_IN = frozenset({State.AUTHORISED, State.PREPARED, State.PLACED})


class Turn(StrEnum):
    """What a leg does next."""

    GO = "go"
    WAIT = "wait"
    GIVE_UP = "give_up"


def turn_of(state: State, others: Collection[State], first: Collection[State] = ()) -> Turn:
    """Whether a leg may take the step of its state now; legs past the charge hold nobody up.

    `first`: those of the others that have to be placed before this one.
    """
    if state not in _ORDER:
        return Turn.GO
    if _FAILED.intersection(others):
        return Turn.GIVE_UP
    if state is State.PREPARED and any(other in _NOT_PLACED for other in first):
        return Turn.WAIT
    behind = _ORDER[: _ORDER.index(state)]
    return Turn.WAIT if state in _WAITS_IN and any(o in behind for o in others) else Turn.GO
