"""Offers past their lifetime: at the moment it ends, the products they belonged to are changed.

`mdm.offer.expired` says what the change log was told; where the clock says otherwise, an offer is
due. So a worker that was away tells everything when it is back, and nothing is told twice.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kernel.db import Transaction
from mdm.catalogue import log_changes

BATCH = 5_000


def expire_offers(tx: Transaction, now: datetime, limit: int = BATCH) -> int:
    """Take note of offers that have ended, and of those whose end was put off. Returns how many.

    As many as `limit` of each; ask again when it was reached.
    """
    ended = _flip(tx, "NOT expired AND expires_at <= :now", now, limit)
    revived = _flip(tx, "expired AND expires_at > :now", now, limit)
    log_changes(tx, {row.product_id for row in (*ended, *revived) if row.product_id})
    return len(ended) + len(revived)


def next_expiry(tx: Transaction) -> datetime | None:
    """When the next offer ends; None where there is none."""
    found: datetime | None = tx.execute(
        sa.text("SELECT min(expires_at) FROM mdm.offer WHERE live AND NOT expired")
    ).scalar_one()
    return found


def _flip(tx: Transaction, due: str, now: datetime, limit: int) -> list[sa.Row[Any]]:
    """An offer that somebody is writing is told of by them, or found due again."""
    rows = tx.execute(
        sa.text(
            "UPDATE mdm.offer SET expired = NOT expired WHERE offer_id IN "  # noqa: S608
            f"(SELECT offer_id FROM mdm.offer WHERE live AND {due} ORDER BY expires_at "
            "LIMIT :limit FOR UPDATE SKIP LOCKED) RETURNING product_id"
        ),
        {"now": now, "limit": limit},
    )
    return list(rows)
