"""Prices that offers had before they were first seen here, from whoever kept them.

In: points by merchant and article number. Out: rows of the price history, older than what was seen
here, and the products in the change log. An offer whose past is on record is left as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from kernel.db import Transaction
from mdm.bulk import copy_rows
from mdm.catalogue import log_changes

PAST = timedelta(days=1)
"""What was seen longer ago than this is a past: it is not written over."""

_OFFERS = sa.text(
    """
    SELECT o.offer_id, o.product_id, o.merchant_id, o.sku, o.currency, h.first_seen
    FROM mdm.offer o JOIN LATERAL (
        SELECT min(observed_at) AS first_seen FROM mdm.price_history WHERE offer_id = o.offer_id
    ) h ON h.first_seen >= :recent
    WHERE o.merchant_id = ANY(:merchants) ORDER BY o.offer_id
    """
)


def record_earlier_prices(
    tx: Transaction,
    points: Mapping[tuple[str, str], Sequence[tuple[datetime, int]]],
    now: datetime,
) -> int:
    """Write (moment, minor units of the offer's currency) by (merchant id, article number).

    Moments are time zone aware; those from the offer's first day here on are left out. Answers how
    many offers have a past now that had none.
    """
    asked = {"merchants": sorted({merchant for merchant, _ in points}), "recent": now - PAST}
    rows, products = [], {}
    for offer in tx.execute(_OFFERS, asked):
        for moment, minor in points.get((offer.merchant_id, offer.sku), ()):
            if moment < offer.first_seen:
                rows.append((offer.offer_id, moment, minor, offer.currency, "in_stock"))
                products[offer.offer_id] = offer.product_id
    columns = ("offer_id", "observed_at", "price_minor", "currency", "availability")
    copy_rows(tx, "mdm.price_history", columns, rows)
    log_changes(tx, [product for product in products.values() if product is not None])
    return len(products)
