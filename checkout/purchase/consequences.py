"""What a step that is done changes besides the leg: basket, refunds, ledger; and where it leads.

Written in the transaction that also closes the step and moves the leg, once the leg is moved.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from checkout import basket, ledger, refunds
from checkout.purchase.machine import Outcome, State, StepName, state_after
from kernel.db import Transaction

if TYPE_CHECKING:
    from checkout.purchase.confirmed import Confirmed
    from checkout.purchase.journal import Leg


WITH_CONSEQUENCES = frozenset({StepName.CAPTURE, StepName.CANCEL_ORDER, StepName.REFUND})


def leads_to(tx: Transaction, leg: Leg, step: StepName, outcome: Outcome) -> State:
    """The state after a step that ended so; where money went back, by what is still to go."""
    if step is StepName.REFUND and outcome is Outcome.DONE:
        return refunds.state_once_given(tx, leg.leg_id, leg.captured)
    return state_after(leg.state, step, outcome)


def follow(tx: Transaction, leg: Leg, step: StepName, confirmed: Confirmed, now: datetime) -> None:
    """Write what follows from the done step."""
    if step is StepName.CAPTURE:
        bought = [offer.offer_id for offer in confirmed.quoted.offers]
        basket.take_out(tx, confirmed.basket_id, bought)
        ledger.book_capture(tx, leg.brand_id, leg.leg_id, confirmed.quoted, now)
    elif step is StepName.CANCEL_ORDER:
        refunds.ask_refund(
            tx, leg.leg_id, None, refunds.Cause.CANCELLED,
            asked_by="buyer", key="cancellation", now=now,
        )  # fmt: skip
    elif step is StepName.REFUND:
        given = refunds.open_refund(tx, leg.leg_id)
        if given is not None:
            ledger.book_refund(tx, leg.brand_id, leg.merchant_id, given, now)
            refunds.settle(tx, given, now)
