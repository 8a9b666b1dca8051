"""Google's product attributes, however they were written: XML elements or table columns.

In: attribute name -> values, in the feed's order, and delivery rows kept apart. Out: a checked
`RawOffer`. Only the product's own price is a price here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from crawlers.feed_options import FeedOptions
from crawlers.offer_check import checked
from mdm.raw_offer import RawDelivery, RawOffer, Refusal

# Names that other portals and newer flat files use for the same thing.
ALIASES = {
    "item_id": "id",
    "offer_id": "id",
    "name": "title",
    "product_name": "title",
    "url": "link",
    "image_url": "image_link",
    "additional_image_urls": "additional_image_link",
    "additional_image_links": "additional_image_link",
    "inventory_quantity": "quantity",
    "quantity_to_sell_on_facebook": "quantity",
    "sell_on_google_quantity": "quantity",
    "group_id": "item_group_id",
    "product_category": "product_type",
    "ean": "gtin",
    "upc": "gtin",
    "isbn": "gtin",
}
DESCRIPTIVE = (
    "color", "size", "size_system", "size_type", "gender", "age_group", "material", "pattern",
    "unit_pricing_measure", "unit_pricing_base_measure", "energy_efficiency_class",
    "min_energy_efficiency_class", "max_energy_efficiency_class", "product_weight",
    "product_length", "product_width", "product_height", "availability_date", "adult",
)  # fmt: skip
REQUIRED = ("id", "title", "price")
KNOWN = frozenset(
    {
        "identifier_exists",  # of the feed rather than the product: no fact to show
        *REQUIRED, *DESCRIPTIVE, "link", "description", "image_link", "additional_image_link",
        "availability", "sale_price", "sale_price_effective_date", "brand", "gtin", "mpn",
        "condition", "product_type", "google_product_category", "item_group_id", "shipping",
        "multipack", "is_bundle", "quantity", "product_detail", "expiration_date",
    }
)  # fmt: skip
_CURRENCY = re.compile(r"[A-Za-z]{3}|[€£$¥₽₴]|Kč|zł|kr|Ft", re.IGNORECASE)
_NOT_NAME = re.compile(r"[\s\-]+")


@lru_cache(maxsize=4096)
def attribute_name(raw: str) -> str:
    """`g:Image Link` -> `image_link`; aliases resolved."""
    name = _NOT_NAME.sub("_", raw.strip().lower().removeprefix("g:"))
    return ALIASES.get(name, name)


def names_currency(price: str | None) -> bool:
    """True when the price text says its own currency."""
    return bool(price and _CURRENCY.search(price))


def offer_of(
    values: Mapping[str, Sequence[str]],
    delivery: Sequence[RawDelivery],
    options: FeedOptions,
    position: int | None,
    details: Sequence[tuple[str, str]] = (),
) -> RawOffer | Refusal:
    """One record. `values` hold non-empty texts only."""

    def first(name: str) -> str | None:
        found = values.get(name)
        return found[0] if found else None

    price = first("price")
    offer = RawOffer(
        sku=first("id") or "",
        title=first("title") or "",
        price=price,
        currency=None if names_currency(price) else options.currency,
        sale_price=first("sale_price"),
        sale_interval=first("sale_price_effective_date"),
        decimal=options.decimal,
        description=first("description"),
        language=first("content_language") or options.language,
        url=first("link"),
        image_urls=(*values.get("image_link", ()), *values.get("additional_image_link", ())),
        gtins=tuple(values.get("gtin", ())),
        mpn=first("mpn"),
        manufacturer=first("brand"),
        category=first("product_type"),
        google_category=first("google_product_category"),
        condition=first("condition"),
        availability=first("availability"),
        quantity=whole_number(first("quantity")),
        delivery=tuple(delivery),
        group=first("item_group_id"),
        multipack=whole_number(first("multipack")),
        is_bundle=(first("is_bundle") or "").lower() in {"yes", "true", "1"},
        attributes=(*_described(values), *details),
        valid_until=first("expiration_date"),
    )
    return checked(offer, position)


def _described(values: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    return [(name, text) for name in DESCRIPTIVE for text in values.get(name, ())]


def whole_number(text: str | None) -> int | None:
    """A count that is plain digits; anything else says nothing."""
    if text is None:
        return None
    text = text.strip().removesuffix(".0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def days(handling: str | None, transit: str | None) -> int | None:
    """Handling plus transit, where at least one is stated."""
    counts = [count for count in map(whole_number, (handling, transit)) if count is not None]
    return sum(counts) if counts else None


def table_delivery(text: str) -> list[RawDelivery]:
    """`country:region:service:price` entries with commas between them.

    A comma may also be the decimal of a price: a piece without a colon belongs to the one before.
    """
    entries: list[str] = []
    for piece in text.split(","):
        if ":" in piece or not entries:
            entries.append(piece)
        else:
            entries[-1] += f",{piece}"
    rows = []
    for entry in entries[:60]:
        parts = [part.strip() for part in entry.split(":")]
        price = next((part for part in reversed(parts) if any(c.isdigit() for c in part)), None)
        if price is None:
            continue
        service = parts[2] if len(parts) > 3 else None
        country = parts[0] if len(parts) > 1 else None
        rows.append(RawDelivery(country or None, price, service or None))
    return rows
