"""What other packages may read of a product: the golden record with its offers, frozen.

`indexer` projects it into each brand's index; `checkout` reads single offers of it. Versions grow
by one with every change, so that a late projection never wins over a newer one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from kernel.money import Money
from kernel.offer_terms import Availability, Condition, Execution, Grade


@dataclass(frozen=True, slots=True)
class Delivery:
    """Delivery of one offer to one country (ISO 3166 alpha-2), price including VAT."""

    country: str
    price: Money
    service: str | None = None
    days_min: int | None = None
    days_max: int | None = None


@dataclass(frozen=True, slots=True)
class OfferView:
    """One merchant's live offer. `price` includes VAT; None where the merchant states none."""

    offer_id: str
    product_id: str
    merchant_id: str
    merchant_name: str
    sku: str
    title: str
    language: str | None
    url: str | None
    price: Money | None
    delivery: tuple[Delivery, ...]
    condition: Condition
    availability: Availability
    quantity: int | None
    execution: Execution
    returns_days: int | None
    updated_at: datetime
    expires_at: datetime | None = None
    merchant_quality_percent: int | None = None
    """Share of its orders that the merchant confirmed; None while too few are known."""
    grade: Grade | None = None
    """How well it is kept; None for new goods."""
    image_urls: tuple[str, ...] = ()
    description: str | None = None
    """Photos and text of this very piece: of unique items alone, empty for goods in series."""

    def delivery_to(self, country: str) -> Delivery | None:
        """Cheapest stated delivery to the country; None when none is stated."""
        options = [row for row in self.delivery if row.country == country]
        return min(options, key=lambda row: row.price.minor, default=None)


@dataclass(frozen=True, slots=True)
class PriceDay:
    """A day (since 1970-01-01, UTC) on which an offer's price or stock was stated anew.

    The lowest price stated on it and the last one; None where it could not be bought.
    """

    day: int
    lowest_minor: int | None
    last_minor: int | None


@dataclass(frozen=True, slots=True)
class PriceTrail:
    """What one offer asked, by day; `ended_day` is its last day where it is there no longer."""

    merchant_id: str
    condition: str
    currency: str
    days: tuple[PriceDay, ...]
    ended_day: int | None = None


@dataclass(frozen=True, slots=True)
class Stated:
    """A value of a field that did not survive, and who states it."""

    value: str | int
    offers: tuple[str, ...]
    merchants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProductView:
    """A golden record. Texts by language; `attributes` by stable English key (`colour`: `black`).

    `provenance` says for each field which offer it was taken from, `conflicts` what else is stated.
    Products that share one of `variant_groups` differ only in colour, size or capacity.
    `shop_numbers` are bar codes that hold within one shop only: looked up by, never matched by.
    """

    product_id: str
    version: int
    titles: Mapping[str, str]
    descriptions: Mapping[str, str]
    manufacturer: str | None
    gtins: tuple[str, ...]
    mpns: tuple[str, ...]
    category_id: int | None
    attributes: Mapping[str, str]
    image_urls: tuple[str, ...]
    variant_groups: tuple[str, ...]
    offers: tuple[OfferView, ...]
    provenance: Mapping[str, str] = field(default_factory=dict)
    updated_at: datetime | None = None
    price_trails: tuple[PriceTrail, ...] = ()
    shop_numbers: tuple[str, ...] = ()
    google_category_id: int | None = None
    conflicts: Mapping[str, tuple[Stated, ...]] = field(default_factory=dict)
