"""Carrying purchases out: each leg as far as it will go now, and whatever was left behind.

`advance` is the job and what pages call; `resume_all` finds the legs that a killed process left.
Both may run anywhere, at once and again: the lease of a leg lets one in, and the rest pass by.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from checkout import tables as t
from checkout.deps import CheckoutDeps
from checkout.purchase.journal import LeaseLost, is_free
from checkout.purchase.leg_run import Claim, carry, claim
from checkout.purchase.machine import FINAL, State
from checkout.states import Policy
from kernel.db import Prepared, Transaction

_LOG = logging.getLogger(__name__)

LEGS_AT_ONCE = 100


def advance(deps: CheckoutDeps, purchase_id: str) -> None:
    """Carry every leg of the purchase as far as it will go now; settled legs are left alone.

    Legs that go in step are taken up again as long as one of them gets further.
    """
    before: set[_Unsettled] = set()
    while True:
        with deps.database.platform() as tx:
            legs = _unsettled(tx, _OF_PURCHASE, {"bought": purchase_id})
            if not legs or set(legs) == before:
                return
            first = claim(deps, tx, legs[0].leg_id)
        _carry(deps, legs[0].leg_id, first)
        for leg in legs[1:]:
            advance_leg(deps, leg.leg_id)
        before = set(legs)
        if not legs[0].goes_in_step:
            return


def resume_all(deps: CheckoutDeps) -> int:
    """Advance legs that are due and held by nobody; answers how many were taken up.

    To be called when a worker starts, and every few seconds.
    """
    with deps.database.platform() as tx:
        due = _unsettled(tx, _DUE, {"now": deps.clock()})[:LEGS_AT_ONCE]
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


def _unsettled_where(condition: sa.ColumnElement[bool]) -> Prepared:
    in_step = (t.purchase.c.policy == Policy.ALL_OR_NOTHING).label("in_step")
    return Prepared(
        sa.select(t.leg.c.leg_id, t.leg.c.purchase_id, t.leg.c.state, in_step)
        .join(t.purchase, t.purchase.c.purchase_id == t.leg.c.purchase_id)
        .where(condition, t.leg.c.state.not_in(FINAL))
        .order_by(t.leg.c.next_try_at, t.leg.c.ordinal)
    )


_OF_PURCHASE = _unsettled_where(t.leg.c.purchase_id == sa.bindparam("bought"))
_DUE = _unsettled_where(sa.and_(is_free(), t.leg.c.next_try_at <= sa.bindparam("now")))


def _unsettled(
    tx: Transaction, statement: Prepared, values: Mapping[str, object]
) -> list[_Unsettled]:
    rows = statement.all(tx, values)
    return [_Unsettled(leg_id, bought, State(state), goes) for leg_id, bought, state, goes in rows]


def advance_leg(deps: CheckoutDeps, leg_id: str) -> bool:
    """Carry one leg as far as it will go now; False when somebody else has it, or it is settled."""
    with deps.database.platform() as tx:
        claimed = claim(deps, tx, leg_id)
    return _carry(deps, leg_id, claimed)


def _carry(deps: CheckoutDeps, leg_id: str, claimed: Claim | None) -> bool:
    if claimed is None:
        return False
    try:
        carry(deps, claimed)
    except LeaseLost:
        _LOG.warning("leg %s was taken over by another worker", leg_id)
    return True
