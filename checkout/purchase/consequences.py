"""What a step that is done changes besides the leg: basket, refunds, ledger; and where it leads.

Written in the transaction that also closes the step and moves the leg, once the leg is moved.
"""

from __future__ import annotations

from datetime import datetime

from checkout import basket, ledger, refunds
from checkout.letters_due import letter_due
from checkout.purchase.confirmed import Confirmed
from checkout.purchase.leg import Leg
from checkout.purchase.machine import Outcome, State, StepName, state_after
from checkout.states import Reason
from kernel.db import Transaction

# Where an order that is charged on shipment is to be cancelled before: nothing is to go back.
_UNCHARGED = {Outcome.DONE: State.VOIDING, Outcome.REFUSED: State.AWAITING_SHIPMENT}
WITH_CONSEQUENCES = frozenset({StepName.CAPTURE, StepName.CANCEL_ORDER, StepName.REFUND})


def leads_to(tx: Transaction, leg: Leg, step: StepName, outcome: Outcome) -> State:
    """The state after a step that ended so; where money went back, by what is still to go."""
    if step is StepName.REFUND and outcome is Outcome.DONE:
        return refunds.state_once_given(tx, leg.leg_id, leg.captured)
    if step is StepName.CANCEL_ORDER and leg.captured.minor == 0 and outcome in _UNCHARGED:
        return _UNCHARGED[outcome]
    if step is StepName.WITHDRAW and outcome is Outcome.REFUSED and _is_unpayable(leg):
        return leg.state
    return state_after(leg.state, step, outcome)


def follow_acceptance(tx: Transaction, leg: Leg, confirmed: Confirmed, now: datetime) -> None:
    """Write what follows where the charge comes later: the buyer has ordered, and is told so."""
    _empty_basket(tx, confirmed)
    letter_due(tx, leg.brand_id, leg.purchase_id, now)


def _empty_basket(tx: Transaction, confirmed: Confirmed) -> None:
    bought = [offer.offer_id for offer in confirmed.quoted.offers]
    basket.take_out(tx, confirmed.basket_id, bought)


def _is_unpayable(leg: Leg) -> bool:
    """True where an order stands that cannot be charged: people have to settle it."""
    return leg.reason is Reason.HOLD_EXPIRED


def follow(tx: Transaction, leg: Leg, step: StepName, confirmed: Confirmed, now: datetime) -> None:
    """Write what follows from the done step."""
    if step is StepName.CAPTURE:
        if leg.state is State.PLACED:
            _empty_basket(tx, confirmed)
        ledger.book_capture(tx, leg.brand_id, leg.leg_id, confirmed.quoted, now)
    elif step is StepName.CANCEL_ORDER and leg.captured.minor:
        refunds.ask_refund(
            tx, leg.leg_id, None, refunds.Cause.CANCELLED,
            asked_by="buyer", key="cancellation", now=now,
        )  # fmt: skip
    elif step is StepName.REFUND:
        given = refunds.open_refund(tx, leg.leg_id)
        if given is not None:
            ledger.book_refund(tx, leg.brand_id, leg.merchant_id, given, now)
            refunds.settle(tx, given, now)
