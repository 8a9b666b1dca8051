"""The argus of a product as the database knows it: courses of its offers and its sales.

An offer counts for the product it belongs to now, wherever it was sold or asked under before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from kernel.db import Transaction
from kernel.offer_terms import Grade
from mdm.argus.observations import WINDOW_DAYS, Course, Sale, voices
from mdm.argus.value import Value, values

MAX_POINTS = 20_000
MAX_SALES = 5_000

_COURSES = sa.text(
    """
    SELECT o.offer_id, o.merchant_id,
        CASE WHEN o.condition = 'new' THEN 'new' ELSE coalesce(o.facts ->> 'grade', 'unknown') END
            AS grade,
        CASE WHEN NOT o.live THEN o.updated_at WHEN o.expired THEN o.expires_at ELSE :now END
            AS until,
        h.observed_at,
        CASE WHEN h.availability <> 'out_of_stock' THEN h.price_minor END AS price_minor
    FROM mdm.offer o JOIN mdm.price_history h ON h.offer_id = o.offer_id
        AND h.currency = :currency
    WHERE o.product_id = :product AND (h.observed_at >= :since OR h.observed_at = (
        SELECT max(e.observed_at) FROM mdm.price_history e
        WHERE e.offer_id = o.offer_id AND e.observed_at < :since))
    ORDER BY h.observed_at DESC LIMIT :most
    """
)

_SALES = sa.text(
    """
    SELECT coalesce(o.merchant_id, '') AS merchant_id, s.grade, s.price_minor, s.sold_at
    FROM mdm.sale s LEFT JOIN mdm.offer o USING (offer_id)
    WHERE (o.product_id = :product OR (o.offer_id IS NULL AND s.product_id = :product))
        AND s.currency = :currency AND s.sold_at >= :since
    ORDER BY s.sold_at DESC LIMIT :most
    """
)


@dataclass(frozen=True, slots=True)
class Argus:
    """Values by grade in one currency as of a moment; None where the data is thin."""

    product_id: str
    currency: str
    as_of: datetime
    values: dict[Grade, Value | None]


def argus_of(
    tx: Transaction,
    product_id: str,
    currency: str,
    now: datetime,
    *,
    heard: Callable[[str], bool] = lambda _: True,
) -> Argus:
    """Of a living product; `now` is time zone aware. Only merchants that are `heard` have a say: a
    brand's readers are told nothing of those that it does not show.
    """
    asked: dict[str, Any] = {
        "product": product_id,
        "currency": currency,
        "since": now - timedelta(days=WINDOW_DAYS),
    }
    rows = tx.execute(_COURSES, {**asked, "now": now, "most": MAX_POINTS}).all()
    points: dict[str, list[tuple[datetime, int | None]]] = defaultdict(list)
    heads = {}
    for row in reversed(rows):
        points[row.offer_id].append((row.observed_at, row.price_minor))
        heads[row.offer_id] = row
    courses = [
        Course(offer_id, head.merchant_id, Grade(head.grade), tuple(points[offer_id]), head.until)
        for offer_id, head in sorted(heads.items())
        if heard(head.merchant_id)
    ]
    sales = [
        Sale(row.merchant_id, Grade(row.grade), row.price_minor, row.sold_at)
        for row in tx.execute(_SALES, {**asked, "most": MAX_SALES})
        if heard(row.merchant_id)
    ]
    return Argus(product_id, currency, now, values(voices(courses, sales, now)))


def main_currency(tx: Transaction, product_id: str) -> str | None:
    """The currency that most of its offers are in; None where it has none."""
    statement = sa.text(
        "SELECT currency FROM mdm.offer WHERE product_id = :id GROUP BY 1 "
        "ORDER BY count(*) FILTER (WHERE live) DESC, count(*) DESC, 1 LIMIT 1"
    )
    found: str | None = tx.execute(statement, {"id": product_id}).scalar_one_or_none()
    return found
