"""Past prices of a product's offers, day by day, for its history. Reads `mdm.price_history` alone.

A day's figure is the lowest price asked on it while the offer could be bought; days are counted
from 1970-01-01 in UTC. What comes out depends on what is on record, not on today.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from kernel.db import Transaction
from mdm.product_view import PriceDay, PriceTrail

KEPT_DAYS = 90
"""Days before a product's last known price that are looked at."""

_TRAILS = sa.text(
    """
    WITH offers AS (
        SELECT offer_id, product_id, merchant_id, condition, currency,
            CASE WHEN NOT live THEN updated_at WHEN expired THEN expires_at END AS ended_at
        FROM mdm.offer WHERE product_id = ANY(:ids)
    ), window_of AS (
        SELECT o.product_id, max(h.observed_at) - make_interval(days => :days) AS since
        FROM offers o JOIN mdm.price_history h USING (offer_id) GROUP BY o.product_id
    )
    SELECT o.offer_id, o.product_id, o.merchant_id, o.condition, o.currency,
        (o.ended_at AT TIME ZONE 'UTC')::date - date '1970-01-01' AS ended_day, p.*
    FROM offers o JOIN window_of w USING (product_id) CROSS JOIN LATERAL (
        SELECT day, min(price_minor) AS lowest_minor,
            (array_agg(price_minor ORDER BY observed_at DESC))[1] AS last_minor
        FROM (
            SELECT (h.observed_at AT TIME ZONE 'UTC')::date - date '1970-01-01' AS day,
                h.observed_at,
                CASE WHEN h.availability <> 'out_of_stock' AND h.currency = o.currency
                    THEN h.price_minor END AS price_minor
            FROM mdm.price_history h
            WHERE h.offer_id = o.offer_id AND h.observed_at >= (
                SELECT coalesce(max(e.observed_at), '-infinity') FROM mdm.price_history e
                WHERE e.offer_id = o.offer_id AND e.observed_at <= w.since
            )
        ) AS points GROUP BY day
    ) AS p
    ORDER BY o.offer_id, p.day
    """
)


def price_trails(tx: Transaction, product_ids: Sequence[str]) -> dict[str, tuple[PriceTrail, ...]]:
    """Trails by product, of withdrawn offers too; products without any price are absent."""
    days: dict[str, list[PriceDay]] = defaultdict(list)
    offers: dict[str, Any] = {}
    for row in tx.execute(_TRAILS, {"ids": list(product_ids), "days": KEPT_DAYS}):
        offers[row.offer_id] = row
        days[row.offer_id].append(PriceDay(row.day, row.lowest_minor, row.last_minor))
    found: dict[str, list[PriceTrail]] = defaultdict(list)
    for offer_id, row in offers.items():
        found[row.product_id].append(
            PriceTrail(
                row.merchant_id, row.condition, row.currency, tuple(days[offer_id]), row.ended_day
            )
        )
    return {product_id: tuple(trails) for product_id, trails in found.items()}
