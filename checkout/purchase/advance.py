"""Carrying purchases out: each leg as far as it will go now, and whatever was left behind.

`advance` is the job and what pages call; `resume_all` finds the legs that a killed process left.
Both may run anywhere, at once and again: the lease of a leg lets one in, and the rest pass by.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

import sqlalchemy as sa

from checkout import tables as t
from checkout.contact import Contact
from checkout.deps import CheckoutDeps
from checkout.outcomes import NoAnswer, Refused
from checkout.payment_providers.port import Payment, PaymentStatus
from checkout.purchase.journal import Attempt, Journal, LeaseLost, Leg, Result, is_free
from checkout.purchase.machine import (
    FINAL,
    STEP_OF,
    Outcome,
    State,
    gives_up_at_deadline,
)
from checkout.purchase.steps import Confirmed, Steps
from checkout.purchase.together import Turn, turn_of
from checkout.quote import read_quote
from checkout.states import Policy, Reason
from mdm.merchants import read_merchant

_LOG = logging.getLogger(__name__)

# An answer lost on the way is mostly there at the first look-up: worth staying for.
_QUICK_TRIES_S = (0.0, 0.3)


def advance(deps: CheckoutDeps, purchase_id: str) -> None:
    """Carry every leg of the purchase as far as it will go now; settled legs are left alone.

    Legs that go in step are taken up again as long as one of them gets further.
    """
    before: set[_Unsettled] = set()
    of_purchase = t.leg.c.purchase_id == purchase_id
    while (legs := _unsettled(deps, of_purchase)) and set(legs) != before:
        for leg in legs:
            advance_leg(deps, leg.leg_id)
        before = set(legs)
        if not legs[0].goes_in_step:
            return


def resume_all(deps: CheckoutDeps, *, limit: int = 100) -> int:
    """Advance legs that are due and held by nobody; answers how many were taken up.

    To be called when a worker starts, and every few seconds.
    """
    is_due = sa.and_(is_free(), t.leg.c.next_try_at <= deps.clock())
    due = _unsettled(deps, is_due)[:limit]
    taken = sum(advance_leg(deps, leg.leg_id) for leg in due)
    # What one of them did may be what the others of its purchase wait for.
    for purchase_id in {leg.purchase_id for leg in due if leg.goes_in_step}:
        advance(deps, purchase_id)
    return taken


@dataclass(frozen=True, slots=True)
class _Unsettled:
    """A leg to be carried on, and how far it was. `goes_in_step`: all or nothing is wanted."""

    leg_id: str
    purchase_id: str
    state: State
    goes_in_step: bool


def _unsettled(deps: CheckoutDeps, condition: sa.ColumnElement[bool]) -> list[_Unsettled]:
    in_step = t.purchase.c.policy == Policy.ALL_OR_NOTHING
    statement = (
        sa.select(t.leg.c.leg_id, t.leg.c.purchase_id, t.leg.c.state, in_step)
        .join(t.purchase, t.purchase.c.purchase_id == t.leg.c.purchase_id)
        .where(condition, t.leg.c.state.not_in(FINAL))
        .order_by(t.leg.c.next_try_at, t.leg.c.ordinal)
    )
    with deps.database.platform() as tx:
        rows = tx.execute(statement).all()
    return [_Unsettled(leg_id, bought, State(state), goes) for leg_id, bought, state, goes in rows]


def advance_leg(deps: CheckoutDeps, leg_id: str) -> bool:
    """Carry one leg as far as it will go now; False when somebody else has it, or it is settled."""
    journal = Journal(deps, leg_id)
    leg = journal.claim()
    if leg is None:
        return False
    try:
        _Run(deps, journal, leg).go(leg)
    except LeaseLost:
        _LOG.warning("leg %s was taken over by another worker", leg_id)
    return True


def _confirmed(deps: CheckoutDeps, leg: Leg) -> Confirmed:
    with deps.database.platform() as tx:
        row = tx.execute(
            t.purchase.select().where(t.purchase.c.purchase_id == leg.purchase_id)
        ).one()
        quote = read_quote(tx, row.quote_id)
        assert quote is not None
        return Confirmed(
            language=row.language,
            site=row.site,
            contact=Contact.from_json(row.contact),
            quoted=quote.leg(leg.merchant_id),
            merchant=read_merchant(tx, leg.merchant_id),
            policy=Policy(row.policy),
        )


class _Run:
    """One claim of one leg."""

    def __init__(self, deps: CheckoutDeps, journal: Journal, leg: Leg) -> None:
        self._deps = deps
        self._journal = journal
        self._confirmed = _confirmed(deps, leg)
        self._steps = Steps(deps, self._confirmed)
        self._quick_tries = list(_QUICK_TRIES_S)
        self._refusal: str | None = None
        self._waits_for_others = False

    def go(self, leg: Leg) -> None:
        """Move until the leg is settled or has to wait."""
        while not leg.is_settled:
            moved = self._ask(leg) if leg.state is State.AWAITING_PAYMENT else self._step(leg)
            if moved is None:
                self._rest(leg)
                return
            leg = moved

    def _rest(self, leg: Leg) -> None:
        if self._waits_for_others:
            self._journal.wait_for_others(leg)
        else:
            self._journal.pause(leg, attention=self._attention(leg))

    def _turn(self, leg: Leg) -> Turn:
        """Whether the other legs let this one go on. An order that stands is paid for."""
        goes_alone = self._confirmed.policy is Policy.BEST_EFFORT
        if goes_alone or leg.reason is Reason.TOO_LATE:
            return Turn.GO
        return turn_of(leg.state, self._journal.states_of_others(leg))

    def _fail_with_others(self, leg: Leg) -> Leg:
        after = State.WITHDRAWING if leg.state is State.PLACED else State.VOIDING
        result = Result(Outcome.DONE, Reason.OTHER_PART_FAILED, "another leg failed")
        return self._journal.turn(leg, after, result)

    def _step(self, leg: Leg) -> Leg | None:
        """Settle what is open of the state's step, then take it; None to wait."""
        name = STEP_OF[leg.state]
        doubtful = [attempt for attempt in self._journal.attempts(name) if attempt.is_open]
        if doubtful:
            try:
                found = self._steps.look_up(leg, name)
            except (NoAnswer, Refused):
                # Without a payment nothing can be paid: releasing looks it up again.
                is_unpaid = leg.state is State.NEW and self._is_late(leg)
                return self._give_up(leg) if is_unpaid else None
            if found is not None:
                return self._finish(leg, doubtful[-1], found)
        turn = self._turn(leg)
        if turn is Turn.GIVE_UP:
            return self._fail_with_others(leg)
        self._waits_for_others = turn is Turn.WAIT
        if self._waits_for_others:
            return None
        if self._is_late(leg) and gives_up_at_deadline(leg.state):
            return self._give_up(leg)
        attempt = self._journal.begin(leg, name, self._steps.request_sha256(leg, name))
        result = self._steps.perform(leg, name, attempt.idempotency_key)
        return self._finish(leg, attempt, result)

    def _finish(self, leg: Leg, attempt: Attempt, result: Result) -> Leg | None:
        moved = self._journal.finish(leg, attempt, result, self._confirmed.quoted)
        if moved.state is not leg.state or result.outcome is Outcome.DONE:
            return moved
        if result.outcome is Outcome.REFUSED:
            self._refusal = f"{attempt.name}: {result.detail}"
            return None
        if not self._quick_tries:
            return None
        time.sleep(self._quick_tries.pop(0))
        return moved

    def _ask(self, leg: Leg) -> Leg | None:
        """Read the payment: only the provider's answer counts, never a browser's return."""
        try:
            payment = self._steps.read_payment(leg)
        except (NoAnswer, Refused):
            return None
        if payment is None:
            return None
        if payment.status is PaymentStatus.AUTHORISED and payment.amount == leg.total:
            # Some providers know a payment by another id once it is paid.
            changes = {"authorised_minor": payment.amount.minor, "payment_id": payment.id}
            return self._journal.turn(leg, State.AUTHORISED, Result(Outcome.DONE, changes=changes))
        if payment.status is PaymentStatus.REQUIRES_PAYMENT:
            if self._turn(leg) is Turn.GIVE_UP:
                return self._fail_with_others(leg)
            return self._give_up(leg, payment) if self._is_late(leg) else None
        if payment.status in {PaymentStatus.AUTHORISED, PaymentStatus.CAPTURED}:
            return None
        return self._journal.turn(leg, State.CANCELLED, _ended(payment))

    def _give_up(self, leg: Leg, payment: Payment | None = None) -> Leg:
        """Release the money: the time is over."""
        if leg.state is State.AWAITING_PAYMENT:
            declined = payment is not None and payment.decline_code is not None
            reason = Reason.PAYMENT_REFUSED if declined else Reason.PAYMENT_EXPIRED
        elif leg.state is State.NEW:
            reason = Reason.PROVIDER_SILENT
        else:
            reason = Reason.MERCHANT_SILENT
        result = Result(Outcome.DONE, reason, "the time was over")
        return self._journal.turn(leg, State.VOIDING, result)

    def _is_late(self, leg: Leg) -> bool:
        return self._deps.clock() >= leg.deadline_at

    def _attention(self, leg: Leg) -> str | None:
        """Why people are told: refused where there is no way back, or not settled in time."""
        if leg.attention is not None or not (self._refusal or self._is_late(leg)):
            return None
        reason = self._refusal or f"{leg.state}: no settled outcome in time"
        _LOG.error("leg %s needs attention: %s", leg.leg_id, reason)
        return reason


def _ended(payment: Payment) -> Result:
    """Why a payment ended without money."""
    reason = {
        PaymentStatus.EXPIRED: Reason.PAYMENT_EXPIRED,
        PaymentStatus.VOIDED: Reason.PROVIDER_REFUSED,
    }.get(payment.status, Reason.PAYMENT_CANCELLED)
    if payment.decline_code is not None:
        reason = Reason.PAYMENT_REFUSED
    return Result(Outcome.DONE, reason, payment.decline_code or payment.status)
