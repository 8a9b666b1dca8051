"""The rows of maison-oscar's shop: what its database is seeded with and what it pushes.

Each row: sku, gtin, title, description, category ("A > B", one French tree for the whole shop),
category_id, price_minor, currency, stock, language, manufacturer, mpn, colour, condition, pack,
is_bundle, group, delivery {country: minor}, delivery_days.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from comptoir.demo_market.model import Market
from kernel.categories import categories, category_path


def oscar_catalogue(market: Market) -> Iterator[dict[str, Any]]:
    """One JSON-ready row for each offer of maison-oscar, in the market's order."""
    for offer in market.offers_of("maison-oscar"):
        yield {
            "sku": offer.sku,
            "gtin": offer.gtin,
            "title": offer.title,
            "description": offer.description,
            "category": " > ".join(
                categories()[key].name("fr") for key in category_path(offer.category)
            ),
            "category_id": offer.category,
            "price_minor": offer.price_minor,
            "currency": offer.currency,
            "stock": offer.stock,
            "language": offer.language,
            "manufacturer": offer.manufacturer,
            "mpn": offer.mpn,
            "colour": offer.colour,
            "condition": offer.condition,
            "pack": offer.pack,
            "is_bundle": offer.is_bundle,
            "group": offer.group,
            "delivery": dict(offer.delivery),
            "delivery_days": offer.delivery_days,
        }
