"""Legs that wait for a person: which they are, and what a person has found out.

A leg is parked where it is not known whether the merchant has made the order. It goes on by itself
as soon as the merchant's system answers; where that never happens, a person asks the merchant by
telephone, and says here what it said. Nothing is guessed: only a doubt can be settled like that,
and an order that stands though its money was let go. So is a shipment told that no system reports.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from checkout import tables as t
from checkout.deps import CheckoutDeps
from checkout.merchant_connectors.port import OrderStatus
from checkout.orders import Order
from checkout.purchase.advance import advance
from checkout.purchase.confirmed import read_confirmed
from checkout.purchase.journal import Journal
from checkout.purchase.leg import Attempt, Leg, Result, leg_of
from checkout.purchase.machine import Outcome, State, StepName
from checkout.states import Reason
from kernel.db import Transaction
from kernel.errors import DomainError, NotFound

_MOST_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Parked:
    """A leg that people were called to."""

    order_ref: str
    leg: Leg

    @property
    def held_until(self) -> datetime | None:
        """Until when its money can still be charged; None where none is held, or nobody says."""
        is_held = self.leg.authorised.minor > 0 and self.leg.captured.minor == 0
        is_held = is_held and self.leg.reason is not Reason.HOLD_EXPIRED
        return self.leg.capture_before if is_held else None


def parked_legs(tx: Transaction) -> list[Parked]:
    """Every leg that waits for a person, that with the least time first."""
    rows = tx.execute(
        sa.select(t.leg, t.purchase.c.order_ref)
        .join(t.purchase, t.purchase.c.purchase_id == t.leg.c.purchase_id)
        .where(t.leg.c.attention.is_not(None))
        .order_by(t.leg.c.capture_before.nulls_last(), t.leg.c.state_since, t.leg.c.leg_id)
    )
    return [Parked(row.order_ref, leg_of(row)) for row in rows]


def settle_doubt(
    deps: CheckoutDeps, order: Order, merchant_id: str, number: str | None, *, by: str
) -> None:
    """The merchant says that it made the order `number`, or (None) that it made none and will not.

    The purchase is carried on at once: charged, or its money released. NotFound for a merchant that
    has no part; DomainError `nothing_in_doubt`, `leg_under_way`, `number_invalid`, and `hold_ended`
    where what was made can no longer be charged here.
    """
    if number is not None and not 0 < len(number.strip()) <= _MOST_CHARACTERS:
        raise DomainError("number_invalid", "This is no number of an order.")
    found = _part(order, merchant_id)
    journal = Journal(deps, found.leg_id)
    with deps.database.platform() as tx:
        leg = _claimed(tx, journal, found)
        if leg is not None and leg.state is State.WITHDRAWING and leg.reason is Reason.HOLD_EXPIRED:
            _close_unpaid(tx, journal, leg, number, by)
        else:
            _end_doubt(tx, journal, leg, number, by)
    advance(deps, order.purchase_id)


def say_shipped(deps: CheckoutDeps, order: Order, merchant_id: str, *, by: str) -> None:
    """The merchant says that it has shipped what is charged then, and its system does not.

    The confirmed total is charged at once. NotFound for a merchant that has no part; DomainError
    `not_awaiting_shipment`, `leg_under_way`.
    """
    found = _part(order, merchant_id)
    journal = Journal(deps, found.leg_id)
    with deps.database.platform() as tx:
        leg = _claimed(tx, journal, found)
        if leg is None or leg.state is not State.AWAITING_SHIPMENT:
            raise DomainError("not_awaiting_shipment", "No charge waits for this to be shipped.")
        said = {
            "order_status": OrderStatus.SHIPPED.value,
            "reason_detail": f"shipped, said by {by[:_MOST_CHARACTERS]}",
        }
        moved = journal.turn(tx, leg, State.SHIPPED, Result(Outcome.DONE, changes=said))
        journal.pause(tx, moved)
        journal.write(tx)
    advance(deps, order.purchase_id)


def _part(order: Order, merchant_id: str) -> Leg:
    for each in order.legs:
        if each.leg.merchant_id == merchant_id:
            return each.leg
    raise NotFound("merchant_unknown", "This merchant has no part in the order.")


def _claimed(tx: Transaction, journal: Journal, found: Leg) -> Leg | None:
    leg = journal.claim(tx)
    if leg is None and not found.is_settled:
        raise DomainError("leg_under_way", "It is asked for right now.", hint="Try again soon.")
    return leg


def _end_doubt(
    tx: Transaction, journal: Journal, leg: Leg | None, number: str | None, by: str
) -> None:
    doubtful = None if leg is None else journal.open_attempt(StepName.PLACE)
    if leg is None or leg.state is not State.PREPARED or doubtful is None:
        raise DomainError("nothing_in_doubt", "Whether this order was made is not in doubt.")
    result = _said(None if number is None else number.strip(), by)
    _write(tx, journal, leg, doubtful, result)


def _close_unpaid(tx: Transaction, journal: Journal, leg: Leg, number: str | None, by: str) -> None:
    """End a leg whose order cannot be charged here any more, and is given up or paid elsewhere."""
    if number is not None:
        raise DomainError(
            "hold_ended",
            "The money held for this order was let go: it cannot be charged here any more.",
            hint="Settle it with the merchant and the buyer, then close it with --none.",
        )
    detail = f"closed by {by[:_MOST_CHARACTERS]}"
    moved = journal.turn(tx, leg, State.VOIDING, Result(Outcome.DONE, leg.reason, detail))
    journal.pause(tx, moved)
    journal.write(tx)


def _said(number: str | None, by: str) -> Result:
    response = {"said_by": by[:_MOST_CHARACTERS]}
    if number is None:
        detail = "the merchant says that it made no order"
        return Result(Outcome.REFUSED, Reason.MERCHANT_REFUSED, detail, response=response)
    return Result(Outcome.DONE, changes={"merchant_order": number}, response=response)


def _write(tx: Transaction, journal: Journal, leg: Leg, doubtful: Attempt, result: Result) -> None:
    """Write it down as the end of the call that nobody answered."""
    moved = journal.finish(tx, leg, doubtful, result, read_confirmed(tx, leg))
    journal.pause(tx, moved)
    journal.write(tx)
