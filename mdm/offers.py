"""Reading single offers: what checkout may quote, why it is where it is, and its past prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kernel.db import Prepared, Transaction
from kernel.money import Money
from kernel.offer_terms import Availability, Condition, Execution, Grade
from mdm.merchants import delivery_from_json
from mdm.product_view import OfferView

OFFER_SELECT = (
    "SELECT o.offer_id, o.product_id, o.merchant_id, m.name AS merchant_name, o.sku, o.title, "
    "o.language, o.url, o.price_minor, o.currency, o.delivery, m.default_delivery, o.condition, "
    "o.availability, o.quantity, m.execution, m.returns_days, o.updated_at, "
    "o.expires_at, m.quality_percent, o.facts ->> 'grade' AS grade, CASE WHEN o.condition = 'used' "
    "THEN jsonb_build_object('images', o.facts -> 'image_urls', 'text', o.facts ->> 'description') "
    "END AS own FROM mdm.offer o JOIN mdm.merchant m USING (merchant_id)"
)


_READ = Prepared(
    sa.text(OFFER_SELECT + " WHERE o.live AND o.product_id IS NOT NULL AND o.offer_id = :id")
)


@dataclass(frozen=True, slots=True)
class PricePoint:
    """What an offer asked from a moment on. `price` is None where the merchant stated none."""

    observed_at: datetime
    price: Money | None
    availability: Availability


def read_offer(tx: Transaction, offer_id: str) -> OfferView | None:
    """The live, matched offer; None when it is unknown or withdrawn."""
    row = _READ.first(tx, {"id": offer_id})
    return None if row is None else offer_view(row)


def price_history(tx: Transaction, offer_id: str) -> list[PricePoint]:
    """Every price and availability the offer ever had, oldest first; withdrawn offers included."""
    rows = tx.execute(
        sa.text(
            "SELECT observed_at, price_minor, currency, availability FROM mdm.price_history "
            "WHERE offer_id = :id ORDER BY observed_at"
        ),
        {"id": offer_id},
    )
    return [
        PricePoint(row.observed_at, _price(row), Availability(row.availability)) for row in rows
    ]


def match_evidence(tx: Transaction, offer_id: str) -> Mapping[str, Any] | None:
    """Why the offer belongs to its product: the decision with its evidence for and against."""
    statement = sa.text("SELECT evidence FROM mdm.offer WHERE offer_id = :id")
    found: Mapping[str, Any] | None = tx.execute(statement, {"id": offer_id}).scalar_one_or_none()
    return found


def offer_view(row: Any) -> OfferView:
    """The view of one row of OFFER_SELECT."""
    stated = delivery_from_json(row.delivery)
    countries = {each.country for each in stated}
    defaults = delivery_from_json(row.default_delivery)
    return OfferView(
        offer_id=row.offer_id,
        product_id=row.product_id,
        merchant_id=row.merchant_id,
        merchant_name=row.merchant_name,
        sku=row.sku,
        title=row.title,
        language=row.language,
        url=row.url,
        price=_price(row),
        delivery=stated + tuple(each for each in defaults if each.country not in countries),
        condition=Condition(row.condition),
        availability=Availability(row.availability),
        quantity=row.quantity,
        execution=Execution(row.execution),
        returns_days=row.returns_days,
        updated_at=row.updated_at,
        expires_at=row.expires_at,
        merchant_quality_percent=row.quality_percent,
        grade=Grade(row.grade) if row.grade else None,
        image_urls=tuple((row.own or {}).get("images") or ()),
        description=(row.own or {}).get("text"),
    )


def _price(row: Any) -> Money | None:
    return None if row.price_minor is None else Money(row.price_minor, row.currency)
