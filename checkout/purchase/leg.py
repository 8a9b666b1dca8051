"""A leg as on record, the calls made for it, and what is known after one. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from checkout.purchase.machine import FINAL, Outcome, State, StepName
from checkout.states import Reason
from kernel.money import Money


@dataclass(frozen=True, slots=True)
class Leg:
    """A leg as on record."""

    leg_id: str
    brand_id: str
    purchase_id: str
    ordinal: int
    merchant_id: str
    merchant_name: str
    total: Money
    state: State
    reason: Reason | None
    payment_id: str | None
    handle: str | None
    merchant_order: str | None
    authorised: Money
    captured: Money
    refunded: Money
    capture_before: datetime | None
    order_status: str | None
    attention: str | None
    state_since: datetime
    deadline_at: datetime

    @property
    def is_settled(self) -> bool:
        """True where nothing is left to do."""
        return self.state in FINAL


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call as journalled. `outcome` None: it was begun, and nobody wrote how it ended."""

    name: StepName
    revision: int
    number: int
    idempotency_key: str
    outcome: Outcome | None

    @property
    def is_open(self) -> bool:
        """True where the call may have had an effect that is not on record."""
        return self.outcome in (None, Outcome.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Result:
    """What is known after a call or a look-up. `changes` are columns of the leg.

    `retry_after_s` is set where the peer does it only later, and nothing is wrong.
    """

    outcome: Outcome
    reason: Reason | None = None
    detail: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)
    response: Mapping[str, Any] = field(default_factory=dict)
    retry_after_s: int | None = None


def leg_of(row: Any) -> Leg:
    """The leg of a row of `checkout.leg`."""
    return Leg(
        leg_id=row.leg_id,
        brand_id=row.brand_id,
        purchase_id=row.purchase_id,
        ordinal=row.ordinal,
        merchant_id=row.merchant_id,
        merchant_name=row.merchant_name,
        total=Money(row.total_minor, row.currency),
        state=State(row.state),
        reason=None if row.reason is None else Reason(row.reason),
        payment_id=row.payment_id,
        handle=row.handle,
        merchant_order=row.merchant_order,
        authorised=Money(row.authorised_minor, row.currency),
        captured=Money(row.captured_minor, row.currency),
        refunded=Money(row.refunded_minor, row.currency),
        capture_before=row.capture_before,
        order_status=row.order_status,
        attention=row.attention,
        state_since=row.state_since,
        deadline_at=row.deadline_at,
    )


_AMOUNTS = {
    "authorised_minor": "authorised",
    "captured_minor": "captured",
    "refunded_minor": "refunded",
}
_FIELDS = {each.name for each in fields(Leg)}


def changed(leg: Leg, columns: Mapping[str, Any]) -> Leg:
    """The leg as it is once these columns are written. Pure."""
    new = {name: value for name, value in columns.items() if name in _FIELDS}
    for column, name in _AMOUNTS.items():
        if column in columns:
            new[name] = Money(columns[column], leg.total.currency)
    return replace(leg, **new)


def attempts_of(rows: list[tuple[str, int, int, str, str | None]] | None) -> list[Attempt]:
    """Every attempt on record, in the order of steps, revisions and tries."""
    return [
        Attempt(StepName(name), revision, number, key, None if end is None else Outcome(end))
        for name, revision, number, key, end in sorted(rows or (), key=lambda row: row[:3])
    ]
