"""Money that goes back: what is asked for, that it never exceeds what was charged, what is done.

A refund is on record before the provider hears of it. The leg it belongs to wakes up, gives the
refunds back one by one (`checkout.purchase`), and rests again once none is open. A request is known
by a key of its own, so that asking twice gives back once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from checkout import tables as t
from checkout.purchase.machine import State
from kernel.db import Transaction
from kernel.errors import DomainError, NotFound
from kernel.ids import derived_id
from kernel.money import Money

MAX_KEY = 80
_GIVES_BACK = (State.COMPLETED, State.CANCELLING_ORDER, State.REFUNDING)


class Cause(StrEnum):
    """Why money goes back."""

    CANCELLED = "cancelled"  # the merchant has agreed to cancel
    MERCHANT_CANCELLED = "merchant_cancelled"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Refund:
    """One amount to give back. `done_at` None: the provider has not confirmed it yet."""

    refund_id: str
    leg_id: str
    ordinal: int
    amount: Money
    cause: Cause
    asked_by: str
    asked_at: datetime
    done_at: datetime | None


def ask_refund(
    tx: Transaction,
    leg_id: str,
    amount: Money | None,
    cause: Cause,
    *,
    asked_by: str,
    key: str,
    now: datetime,
) -> Refund:
    """Put a refund on record and wake the leg; None as amount: all that is left.

    The caller has it advanced. Raises DomainError `over_refund`, `not_refundable`,
    `idempotency_conflict`, `refund_amount`; NotFound `leg_unknown`.
    """
    row = tx.execute(t.leg.select().where(t.leg.c.leg_id == leg_id).with_for_update()).one_or_none()
    if row is None:
        raise NotFound("leg_unknown", "There is no such leg of an order.")
    known = refunds_of(tx, leg_id)
    refund_id = derived_id("rfd", leg_id, key[:MAX_KEY])
    for each in known:
        if each.refund_id == refund_id:
            return _same(each, amount, cause)
    left = Money(row.captured_minor, row.currency)
    for each in known:
        left = left - each.amount
    wanted = left if amount is None else amount
    _check(row, wanted, left)
    made = Refund(refund_id, leg_id, len(known) + 1, wanted, cause, asked_by, now, None)
    tx.execute(
        t.refund.insert().values(
            refund_id=refund_id,
            brand_id=row.brand_id,
            leg_id=leg_id,
            ordinal=made.ordinal,
            amount_minor=wanted.minor,
            currency=wanted.currency,
            cause=cause,
            asked_by=asked_by[:200],
            asked_at=now,
        )
    )
    return made


def refunds_of(tx: Transaction, leg_id: str) -> list[Refund]:
    """Every refund of a leg, the oldest first."""
    rows = tx.execute(
        t.refund.select().where(t.refund.c.leg_id == leg_id).order_by(t.refund.c.ordinal)
    )
    return [_refund(row) for row in rows]


def open_refund(tx: Transaction, leg_id: str) -> Refund | None:
    """The oldest that is not given back yet."""
    return next((each for each in refunds_of(tx, leg_id) if each.done_at is None), None)


def state_once_given(tx: Transaction, leg_id: str, captured: Money) -> State:
    """The state of the leg as soon as the oldest open refund is given back.

    The caller has locked the leg's row, as `ask_refund` does.
    """
    every = refunds_of(tx, leg_id)
    if sum(each.done_at is None for each in every) > 1:
        return State.REFUNDING
    back = sum(each.amount.minor for each in every)
    return State.REFUNDED if back == captured.minor else State.COMPLETED


def settle(tx: Transaction, refund: Refund, now: datetime) -> None:
    """Note that the provider gave it back."""
    tx.execute(
        t.refund.update().where(t.refund.c.refund_id == refund.refund_id).values(done_at=now)
    )


def _check(row: sa.Row[Any], wanted: Money, left: Money) -> None:
    if row.state not in _GIVES_BACK:
        raise DomainError(
            "not_refundable",
            f"This part of the order is {row.state}: there is nothing to give back.",
            hint="Only what was charged can be given back.",
            status=409,
        )
    if wanted.currency != left.currency or wanted.minor <= 0:
        raise DomainError("refund_amount", f"A refund is an amount above 0 in {left.currency}.")
    if wanted.minor > left.minor:
        raise DomainError(
            "over_refund",
            f"{wanted} is more than the {left} that can still be given back.",
            hint=f"Give back {left} or less.",
            status=409,
        )


def _same(known: Refund, amount: Money | None, cause: Cause) -> Refund:
    if (amount is not None and amount != known.amount) or cause is not known.cause:
        raise DomainError(
            "idempotency_conflict",
            "This request was used for another refund already.",
            hint="Use a new key for another refund. Nothing was given back twice.",
            status=422,
        )
    return known


def _refund(row: sa.Row[Any]) -> Refund:
    return Refund(
        refund_id=row.refund_id,
        leg_id=row.leg_id,
        ordinal=row.ordinal,
        amount=Money(row.amount_minor, row.currency),
        cause=Cause(row.cause),
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        done_at=row.done_at,
    )
