"""The states of a leg: every one is left, the pivot holds, and time runs as it should."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from checkout.deps import Windows
from checkout.purchase.machine import (
    BEFORE_PIVOT,
    FINAL,
    STEP_OF,
    Outcome,
    State,
    StepName,
    deadline_of,
    gives_up_at_deadline,
    keeps_deadline,
    retry_in,
    state_after,
)

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def test_every_state_is_final_or_has_a_step_or_waits_for_somebody() -> None:
    waiting = {State.AWAITING_PAYMENT, State.AWAITING_SHIPMENT}
    assert FINAL | set(STEP_OF) | waiting == set(State)


def test_doubt_never_changes_the_state() -> None:
    for (state, step), outcome in itertools.product(
        STEP_OF.items(), (Outcome.UNKNOWN, Outcome.UNSENT)
    ):
        assert state_after(state, step, outcome) is state


def test_after_the_pivot_nothing_leads_back() -> None:
    for state in (State.PLACED, State.SHIPPED):
        assert state_after(state, StepName.CAPTURE, Outcome.REFUSED) is state
    for state in (State.PLACED, State.AWAITING_SHIPMENT, State.SHIPPED):
        assert state not in BEFORE_PIVOT
        assert not gives_up_at_deadline(state)
    assert not gives_up_at_deadline(State.VOIDING)


@pytest.mark.parametrize("state", [State.AUTHORISED, State.REQUOTED, State.PREPARED])
def test_refusal_before_the_pivot_releases_the_money(state: State) -> None:
    assert state_after(state, STEP_OF[state], Outcome.REFUSED) is State.VOIDING
    assert gives_up_at_deadline(state)


def test_wrong_step_is_an_error() -> None:
    with pytest.raises(ValueError, match="no step"):
        state_after(State.NEW, StepName.CAPTURE, Outcome.DONE)


def test_deadlines_run_on_within_a_phase() -> None:
    windows = Windows()
    assert keeps_deadline(State.NEW, State.AWAITING_PAYMENT)
    assert keeps_deadline(State.AUTHORISED, State.PREPARED)
    assert not keeps_deadline(State.AWAITING_PAYMENT, State.AUTHORISED)
    assert deadline_of(State.NEW, NOW, windows) == NOW + windows.payment
    assert deadline_of(State.PREPARED, NOW, windows) == NOW + windows.placing
    assert deadline_of(State.PLACED, NOW, windows) == NOW + windows.settling


def test_pauses_grow_up_to_a_ceiling() -> None:
    def pause(after: timedelta, *, told: bool = False) -> timedelta:
        return retry_in(NOW - after, NOW, needs_attention=told)

    assert pause(timedelta(0)) == timedelta(seconds=1)
    assert pause(timedelta(seconds=20)) == timedelta(seconds=10)
    assert pause(timedelta(hours=1)) == timedelta(minutes=1)
    assert pause(timedelta(hours=1), told=True) == timedelta(minutes=15)
