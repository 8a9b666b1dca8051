"""How often products were shown to shoppers and chosen by them, over all brands, from the log."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from kernel.db import Transaction


def product_traffic(
    tx: Transaction, product_ids: Iterable[str], since: datetime
) -> dict[str, tuple[int, int]]:
    """(times shown, times chosen) by product, for those that were met since then.

    One pass over the log of that time, however many products are asked for. `tx` sees all brands.
    """
    asked = {"ids": list(product_ids), "since": since}
    shown = tx.execute(
        sa.text(
            "SELECT product_id, count(*) AS times FROM (SELECT unnest(products) AS product_id "
            "FROM tenants.logged_query WHERE asked_at >= :since) AS listed "
            "JOIN unnest(CAST(:ids AS text[])) AS wanted(product_id) USING (product_id) "
            "GROUP BY product_id"
        ),
        asked,
    )
    found = {row.product_id: (int(row.times), 0) for row in shown}
    chosen = tx.execute(
        sa.text(
            "SELECT e.product_id, count(*) AS times FROM tenants.query_event e "
            "JOIN unnest(CAST(:ids AS text[])) AS wanted(product_id) USING (product_id) "
            "WHERE e.happened_at >= :since GROUP BY e.product_id"
        ),
        asked,
    )
    for row in chosen:
        found[row.product_id] = (found.get(row.product_id, (0, 0))[0], int(row.times))
    return found
