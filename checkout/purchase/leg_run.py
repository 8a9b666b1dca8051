"""One leg under one claim: carried on, turn after turn, as far as it will go now.

A turn is one transaction and then one outside call. The transaction writes down how the last call
ended, the state that this leads to, and the intent of the next call; it is committed before that
call begins, and none is open during it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from checkout.capture_moment import CaptureMoment, capture_moment
from checkout.deps import CheckoutDeps
from checkout.outcomes import NoAnswer, Refused
from checkout.payment_providers.port import Payment, PaymentStatus
from checkout.purchase.attention import news_for_people
from checkout.purchase.confirmed import Confirmed, read_confirmed
from checkout.purchase.consequences import follow_acceptance
from checkout.purchase.journal import Journal
from checkout.purchase.leg import Attempt, Leg, Result
from checkout.purchase.machine import STEP_OF, Outcome, State, gives_up_at_deadline
from checkout.purchase.shipment import (
    Seen,
    has_come,
    is_unpaid,
    leads_to,
    look_at,
    next_look_in,
    told,
    trouble,
)
from checkout.purchase.steps import Steps
from checkout.purchase.together import Turn, turn_of
from checkout.states import Policy, Reason
from kernel.db import Transaction
from kernel.errors import DomainError

_LOG = logging.getLogger(__name__)

# An answer lost on the way is mostly there at the first look-up: worth staying for.
_QUICK_TRIES_S = (0.0, 0.3)

_Call = Callable[[], "_Note"]
"""Asks a peer, with no transaction open; answers how to write down what it told."""
_Note = Callable[[Transaction], _Call | None]
"""Writes that down, and with it the next call; None: there is nothing more to do now."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A leg that is this worker's, once the claim is committed, and what comes first."""

    journal: Journal
    first: _Call | None


def claim(deps: CheckoutDeps, tx: Transaction, leg_id: str) -> Claim | None:
    """Take a leg and write down what comes first. None where there is nothing to claim."""
    journal = Journal(deps, leg_id)
    leg = journal.claim(tx)
    if leg is None:
        return None
    call = None
    try:
        run = _Run(deps, journal, read_confirmed(tx, leg))
    except DomainError as error:
        _held_up(deps, tx, journal, leg, error)
    else:
        call = run.next(tx, leg)
    journal.write(tx)
    return Claim(journal, call)


def carry(deps: CheckoutDeps, claimed: Claim) -> None:
    """Move a claimed leg until it is settled or has to wait.

    Raises LeaseLost where another worker has taken the leg over meanwhile.
    """
    call = claimed.first
    while call is not None:
        note = call()
        with deps.database.platform() as tx:
            call = note(tx)
            claimed.journal.write(tx)


def _held_up(
    deps: CheckoutDeps, tx: Transaction, journal: Journal, leg: Leg, error: DomainError
) -> None:
    """Nobody can be asked until people mend the settings; the other legs go on meanwhile."""
    journal.pause(tx, leg, attention=_call_people(deps, leg, f"{error.code}: {error.message}"))


def _call_people(deps: CheckoutDeps, leg: Leg, trouble: str | None) -> str | None:
    news = news_for_people(leg, trouble, deps.clock(), deps.windows)
    if news is not None:
        _LOG.error("leg %s needs attention: %s", leg.leg_id, news)
    return news


class _Run:
    """One claim of one leg."""

    def __init__(self, deps: CheckoutDeps, journal: Journal, confirmed: Confirmed) -> None:
        self._deps = deps
        self._journal = journal
        self._confirmed = confirmed
        self._steps = Steps(deps, confirmed)
        self._quick_tries = list(_QUICK_TRIES_S)
        self._refusal: str | None = None
        self._pays_on = capture_moment(confirmed.merchant)

    def next(self, tx: Transaction, leg: Leg) -> _Call | None:
        """What the state asks for. What is open of its step is settled before it is taken."""
        if leg.is_settled:
            return None
        if leg.state is State.AWAITING_PAYMENT:
            return partial(self._ask, leg)
        if leg.state is State.AWAITING_SHIPMENT:
            return partial(self._look, leg)
        doubtful = self._journal.open_attempt(STEP_OF[leg.state])
        if doubtful is not None:
            return partial(self._look_up, leg, doubtful)
        return self._take_step(tx, leg)

    def _take_step(self, tx: Transaction, leg: Leg) -> _Call | None:
        turn = self._turn(tx, leg)
        if turn is Turn.GIVE_UP:
            return self._fail_with_others(tx, leg)
        if turn is Turn.WAIT:
            self._journal.wait(tx, leg)
            return None
        if self._is_late(leg) and gives_up_at_deadline(leg.state):
            return self._give_up(tx, leg)
        if leg.state is State.PLACED and self._pays_on is CaptureMoment.SHIPMENT:
            follow_acceptance(tx, leg, self._confirmed, self._deps.clock())
            return self._enter(tx, leg, State.AWAITING_SHIPMENT, Result(Outcome.DONE))
        name = STEP_OF[leg.state]
        attempt = self._journal.begin(tx, leg, name, self._steps.request_sha256(leg, name))
        return partial(self._perform, leg, attempt)

    def _turn(self, tx: Transaction, leg: Leg) -> Turn:
        """Whether the other legs let this one go on. An order that stands is paid for."""
        goes_alone = self._confirmed.policy is Policy.BEST_EFFORT
        if goes_alone or leg.reason is Reason.TOO_LATE:
            return Turn.GO
        others = self._journal.others(tx, leg)
        first = [others[each] for each in others if each < leg.ordinal]
        is_binding = self._confirmed.is_binding
        return turn_of(leg.state, list(others.values()), first if is_binding else ())

    # --- the outside calls

    def _perform(self, leg: Leg, attempt: Attempt) -> _Note:
        result = self._steps.perform(leg, attempt.name, attempt.idempotency_key)
        return partial(self._finish, leg=leg, attempt=attempt, result=result)

    def _look_up(self, leg: Leg, doubtful: Attempt) -> _Note:
        try:
            found = self._steps.look_up(leg, doubtful.name)
        except (NoAnswer, Refused):
            return partial(self._stay_in_doubt, leg=leg)
        if found is None:
            return partial(self._take_step, leg=leg)
        return partial(self._finish, leg=leg, attempt=doubtful, result=found)

    def _ask(self, leg: Leg) -> _Note:
        """Read the payment: only the provider's answer counts, never a browser's return."""
        try:
            payment = self._steps.read_payment(leg)
        except (NoAnswer, Refused):
            payment = None
        return partial(self._note_payment, leg=leg, payment=payment)

    def _look(self, leg: Leg) -> _Note:
        """Read what became of an order that is charged on shipment, and of its money."""
        return partial(self._note_look, leg=leg, seen=look_at(self._steps, leg))

    # --- what they told, and where it leads

    def _finish(self, tx: Transaction, leg: Leg, attempt: Attempt, result: Result) -> _Call | None:
        moved = self._journal.finish(tx, leg, attempt, result, self._confirmed)
        if moved.state is State.AWAITING_PAYMENT:
            # Nobody can have paid yet on a page that has only just been made.
            return self._rest(tx, moved)
        if moved.state is not leg.state or result.outcome is Outcome.DONE:
            return self.next(tx, moved)
        if result.outcome is Outcome.REFUSED and is_unpaid(moved, result):
            return self._enter(tx, moved, State.WITHDRAWING, result)
        if result.outcome is Outcome.REFUSED:
            self._refusal = f"{attempt.name}: {result.detail}"
            return self._rest(tx, moved)
        if result.retry_after_s is not None:
            self._journal.wait(tx, moved, timedelta(seconds=result.retry_after_s))
            return None
        if not self._quick_tries:
            return self._rest(tx, moved)
        return _after(self._quick_tries.pop(0), self.next(tx, moved))

    def _stay_in_doubt(self, tx: Transaction, leg: Leg) -> _Call | None:
        """Without a payment nothing can be paid: releasing looks it up again."""
        is_unpaid = leg.state is State.NEW and self._is_late(leg)
        return self._give_up(tx, leg) if is_unpaid else self._rest(tx, leg)

    def _note_payment(self, tx: Transaction, leg: Leg, payment: Payment | None) -> _Call | None:
        if payment is None:
            return self._rest(tx, leg)
        if payment.status is PaymentStatus.AUTHORISED and payment.amount == leg.total:
            # Some providers know a payment by another id once it is paid.
            changes = {
                "authorised_minor": payment.amount.minor,
                "payment_id": payment.id,
                "card_network": payment.network,
                "capture_before": payment.capture_before,
            }
            return self._enter(tx, leg, State.AUTHORISED, Result(Outcome.DONE, changes=changes))
        if payment.status is PaymentStatus.REQUIRES_PAYMENT:
            if self._turn(tx, leg) is Turn.GIVE_UP:
                return self._fail_with_others(tx, leg)
            return self._give_up(tx, leg, payment) if self._is_late(leg) else self._rest(tx, leg)
        if payment.status in {PaymentStatus.AUTHORISED, PaymentStatus.CAPTURED}:
            return self._rest(tx, leg)
        return self._enter(tx, leg, State.CANCELLED, _ended(payment))

    def _note_look(self, tx: Transaction, leg: Leg, seen: Seen) -> _Call | None:
        found = leads_to(leg, seen)
        if found is not None:
            return self._enter(tx, leg, *found)
        if has_come(tx, leg.leg_id):
            return partial(self._look, leg)
        now, windows = self._deps.clock(), self._deps.windows
        news = _call_people(self._deps, leg, trouble(leg, seen, now, windows))
        wait = next_look_in(leg, now, windows)
        self._journal.pause(tx, leg, attention=news, told=told(seen), wait=wait)
        return None

    def _enter(self, tx: Transaction, leg: Leg, after: State, result: Result) -> _Call | None:
        return self.next(tx, self._journal.turn(tx, leg, after, result))

    def _fail_with_others(self, tx: Transaction, leg: Leg) -> _Call | None:
        after = State.WITHDRAWING if leg.state is State.PLACED else State.VOIDING
        result = Result(Outcome.DONE, Reason.OTHER_PART_FAILED, "another leg failed")
        return self._enter(tx, leg, after, result)

    def _give_up(self, tx: Transaction, leg: Leg, payment: Payment | None = None) -> _Call | None:
        """Release the money: the time is over."""
        if leg.state is State.AWAITING_PAYMENT:
            declined = payment is not None and payment.decline_code is not None
            reason = Reason.PAYMENT_REFUSED if declined else Reason.PAYMENT_EXPIRED
        elif leg.state is State.NEW:
            reason = Reason.PROVIDER_SILENT
        else:
            reason = Reason.MERCHANT_SILENT
        result = Result(Outcome.DONE, reason, "the time was over")
        return self._enter(tx, leg, State.VOIDING, result)

    def _rest(self, tx: Transaction, leg: Leg) -> _Call | None:
        """Let go of the leg, to be tried again later."""
        self._journal.pause(tx, leg, attention=self._attention(leg))
        return None

    def _is_late(self, leg: Leg) -> bool:
        return self._deps.clock() >= leg.deadline_at

    def _attention(self, leg: Leg) -> str | None:
        late = f"{leg.state}: no settled outcome in time" if self._is_late(leg) else None
        return _call_people(self._deps, leg, self._refusal or late)


def _after(pause_s: float, call: _Call | None) -> _Call | None:
    """The same call a moment later."""

    def later() -> _Note:
        assert call is not None
        time.sleep(pause_s)
        return call()

    return None if call is None else later


def _ended(payment: Payment) -> Result:
    """Why a payment ended without money."""
    reason = {
        PaymentStatus.EXPIRED: Reason.PAYMENT_EXPIRED,
        PaymentStatus.VOIDED: Reason.PROVIDER_REFUSED,
    }.get(payment.status, Reason.PAYMENT_CANCELLED)
    if payment.decline_code is not None:
        reason = Reason.PAYMENT_REFUSED
    return Result(Outcome.DONE, reason, payment.decline_code or payment.status)
