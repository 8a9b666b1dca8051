"""What a step that is done changes besides the leg: basket, refunds, ledger; and where it leads.

Written in the transaction that also closes the step and moves the leg.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from checkout import basket, ledger, refunds
from checkout import tables as t
from checkout.purchase.machine import Outcome, State, StepName, next_look, state_after
from checkout.quote_document import LegQuoted
from kernel.db import Transaction

if TYPE_CHECKING:
    from checkout.purchase.journal import Leg


def follow(tx: Transaction, leg: Leg, step: StepName, quoted: LegQuoted, now: datetime) -> State:
    """The state that the done step leads to, after what follows from it is written."""
    if step is StepName.CAPTURE:
        basket.take_out(tx, _basket_of(tx, leg), [offer.offer_id for offer in quoted.offers])
        ledger.book_capture(tx, leg.brand_id, leg.leg_id, quoted, now)
        _watch(tx, leg, now)
    elif step is StepName.CANCEL_ORDER:
        refunds.ask_refund(
            tx, leg.leg_id, None, refunds.Cause.CANCELLED,
            asked_by="buyer", key="cancellation", now=now,
        )  # fmt: skip
    elif step is StepName.REFUND:
        given = refunds.open_refund(tx, leg.leg_id)
        if given is not None:
            ledger.book_refund(tx, leg.brand_id, leg.merchant_id, given, now)
            return refunds.settle(tx, given, leg.captured, now)
    return state_after(leg.state, step, Outcome.DONE)


def _watch(tx: Transaction, leg: Leg, now: datetime) -> None:
    """Have the merchant asked what becomes of the order."""
    tx.execute(
        t.leg.update().where(t.leg.c.leg_id == leg.leg_id).values(watch_at=next_look(now, now))
    )


def _basket_of(tx: Transaction, leg: Leg) -> str:
    statement = sa.select(t.purchase.c.basket_id).where(t.purchase.c.purchase_id == leg.purchase_id)
    return str(tx.execute(statement).scalar_one())
