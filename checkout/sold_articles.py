"""Articles that were sold through us: lines of orders that were placed and charged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from checkout.quote_document import legs_from
from checkout.states import LegState
from kernel.db import Transaction
from kernel.money import Money


@dataclass(frozen=True, slots=True)
class SoldLine:
    """One line: price of one piece including VAT, without delivery. `line_id` is never reused."""

    line_id: str
    offer_id: str
    price: Money
    sold_at: datetime


def sold_lines(tx: Transaction, since: datetime) -> Iterator[SoldLine]:
    """Of orders completed since a moment, over all brands that the transaction sees."""
    rows = tx.execute(
        sa.text(
            "SELECT l.leg_id, l.merchant_id, l.state_since, q.document FROM checkout.leg l "
            "JOIN checkout.purchase p USING (purchase_id) JOIN checkout.quote q USING (quote_id) "
            "WHERE l.state = :completed AND l.state_since >= :since ORDER BY l.leg_id"
        ),
        {"completed": LegState.COMPLETED.value, "since": since},
    )
    for row in rows:
        for leg in legs_from(row.document):
            if leg.merchant_id == row.merchant_id and leg.problem is None:
                for offer in leg.offers:
                    line_id = f"{row.leg_id}/{offer.offer_id}"
                    yield SoldLine(line_id, offer.offer_id, offer.unit_price, row.state_since)


def undone_legs(tx: Transaction, since: datetime) -> list[str]:
    """Orders whose money went back since a moment: what they sold came to nothing."""
    rows = tx.execute(
        sa.text(
            "SELECT leg_id FROM checkout.leg WHERE state = :refunded AND state_since >= :since "
            "ORDER BY leg_id"
        ),
        {"refunded": LegState.REFUNDED.value, "since": since},
    )
    return list(rows.scalars())
