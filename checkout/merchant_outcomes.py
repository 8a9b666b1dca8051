"""What became of the orders passed to each merchant: confirmed, or not for a reason of its own.

Orders that failed at the payment say nothing about the merchant and are not counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from checkout.purchase.machine import State
from checkout.states import LegState, Reason
from kernel.db import Transaction

CONFIRMED = (State.PLACED, State.AWAITING_SHIPMENT, State.SHIPPED, State.COMPLETED)
NOT_CONFIRMED = (
    Reason.PRICE_CHANGED,
    Reason.OUT_OF_STOCK,
    Reason.NOT_DELIVERED,
    Reason.MERCHANT_REFUSED,
    Reason.FINISH_AT_MERCHANT,
    Reason.MERCHANT_SILENT,
    Reason.MERCHANT_CANCELLED,
)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Orders of one merchant that were confirmed, and those that were not."""

    confirmed: int
    not_confirmed: int


def merchant_outcomes(tx: Transaction, since: datetime) -> dict[str, Outcomes]:
    """Of orders made since a moment, by merchant; over all brands that the transaction sees."""
    rows = tx.execute(
        sa.text(
            "SELECT merchant_id, count(*) FILTER (WHERE state = ANY(:confirmed)) AS confirmed, "
            "count(*) FILTER (WHERE state = ANY(:ended) AND reason = ANY(:reasons)) AS other "
            "FROM checkout.leg WHERE created_at >= :since GROUP BY merchant_id"
        ),
        {
            "confirmed": [state.value for state in CONFIRMED],
            "ended": [LegState.CANCELLED.value, LegState.REFUNDED.value],
            "reasons": [reason.value for reason in NOT_CONFIRMED],
            "since": since,
        },
    )
    return {row.merchant_id: Outcomes(row.confirmed, row.other) for row in rows}
