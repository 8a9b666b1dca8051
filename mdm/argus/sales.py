"""Sales on record: what argus takes in from whoever sells. The same sale again is the same row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from kernel.db import Transaction
from kernel.money import Money


@dataclass(frozen=True, slots=True)
class SoldArticle:
    """One line of an order that was carried out: the price of one piece, without delivery.

    `sale_id` is `order/line` and never used twice.
    """

    sale_id: str
    offer_id: str
    price: Money
    sold_at: datetime


def record_sales(tx: Transaction, sold: Iterable[SoldArticle]) -> int:
    """Keep sales of offers that are known; returns how many are new. Free articles say nothing."""
    rows = [
        {
            "sale": each.sale_id,
            "offer": each.offer_id,
            "price": each.price.minor,
            "currency": each.price.currency,
            "at": each.sold_at,
        }
        for each in sold
        if each.price.minor > 0
    ]
    count = 0
    for row in rows:
        count += tx.execute(
            sa.text(
                "INSERT INTO mdm.sale "
                "(sale_id, offer_id, product_id, grade, price_minor, currency, sold_at) "
                "SELECT :sale, offer_id, product_id, CASE WHEN condition = 'new' THEN 'new' "
                "ELSE coalesce(facts ->> 'grade', 'unknown') END, :price, :currency, :at "
                "FROM mdm.offer WHERE offer_id = :offer AND product_id IS NOT NULL "
                "ON CONFLICT (sale_id) DO NOTHING"
            ),
            row,
        ).rowcount
    return count


def take_back_sales(tx: Transaction, order_ids: Iterable[str]) -> int:
    """Sales of orders that came to nothing after all; `sale_id` is `order/line`."""
    statement = sa.text("DELETE FROM mdm.sale WHERE split_part(sale_id, '/', 1) = ANY(:ids)")
    return tx.execute(statement, {"ids": list(order_ids)}).rowcount
