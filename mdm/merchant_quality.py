"""How reliably a merchant confirms orders: a share in per cent that offers are ranked by.

In: confirmed and other orders by merchant. With fewer than ENOUGH orders it is unknown, and ranking
counts the merchant as its stated neutral value. Steps of STEP keep a single order from moving it.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from kernel.db import Transaction
from kernel.jobs import Job
from mdm.catalogue import log_changes

ENOUGH = 10
"""Orders below which nothing is said about a merchant."""
STEP = 5
WINDOW_DAYS = 180
MEASURE = Job("mdm.measure_merchants", "mdm", lock="mdm.measure_merchants")
MEASURE_EVERY_S = 24 * 3600


def quality_percent(confirmed: int, not_confirmed: int) -> int | None:
    """The share of confirmed orders in steps of STEP; None while too few are known."""
    asked = confirmed + not_confirmed
    if asked < ENOUGH:
        return None
    return round(100 * confirmed / asked / STEP) * STEP


def set_merchant_quality(tx: Transaction, percents: Mapping[str, int | None]) -> list[str]:
    """Keep what was measured; merchants not named become unknown. Answers who changed.

    The products of merchants that changed are told to the indices.
    """
    rows = tx.execute(sa.text("SELECT merchant_id, quality_percent FROM mdm.merchant FOR UPDATE"))
    changed = [
        row.merchant_id for row in rows if row.quality_percent != percents.get(row.merchant_id)
    ]
    for merchant_id in changed:
        tx.execute(
            sa.text("UPDATE mdm.merchant SET quality_percent = :percent WHERE merchant_id = :id"),
            {"percent": percents.get(merchant_id), "id": merchant_id},
        )
    if changed:
        products = tx.execute(
            sa.text(
                "SELECT DISTINCT product_id FROM mdm.offer "
                "WHERE live AND product_id IS NOT NULL AND merchant_id = ANY(:ids)"
            ),
            {"ids": changed},
        ).scalars()
        log_changes(tx, products)
    return changed
