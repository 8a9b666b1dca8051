"""What the demo market consists of: products, offers, and the truth that joins them.

Prices are integer cents. A refurbished item is a product of its own that points at the new one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

Fact = int | Decimal | str
LANGUAGES = ("fr", "de", "en")


@dataclass(frozen=True, slots=True)
class Product:
    """One thing that can be sold. `facts` by English key; `axes` are what tells variants apart."""

    id: str
    family: str
    category: int
    manufacturer: str
    model: str
    kind: Mapping[str, str]
    mpn: str
    colour: str
    facts: Mapping[str, Fact]
    axes: tuple[str, ...]
    descriptions: Mapping[str, str]
    titles: Mapping[str, str]
    reference_minor: int
    gtins: tuple[str, ...] = ()
    variant_group: str | None = None
    condition: str = "new"
    pack: int = 1
    single_id: str | None = None
    new_id: str | None = None
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MarketOffer:
    """What one merchant states about one product; `product_id` is the truth nobody publishes.

    `gtin` is as printed by the merchant and may be wrong. `delivery` in cents by country.
    """

    merchant: str
    sku: str
    product_id: str
    language: str
    title: str
    description: str
    manufacturer: str
    mpn: str | None
    gtin: str | None
    price_minor: int
    list_price_minor: int | None
    currency: str
    delivery: Mapping[str, int]
    delivery_days: int
    stock: int
    condition: str
    category: int
    category_text: str
    colour: str
    pack: int
    is_bundle: bool
    group: str | None

    @property
    def key(self) -> tuple[str, str]:
        """Merchant and the merchant's own article number."""
        return self.merchant, self.sku

    @property
    def page(self) -> str:
        """Path of the human page on the merchants' site server."""
        if self.merchant == "atelier-boreal":
            return f"/atelier-boreal/{self.language}/p/{self.sku}"
        return f"/{self.merchant}/p/{self.sku}"

    @property
    def picture(self) -> str:
        """Path of the picture on the merchants' site server."""
        return f"/pictures/{self.category}-{self.colour}.svg"


@dataclass(frozen=True)
class Market:
    """Everything for sale, in a fixed order."""

    seed: int
    products: tuple[Product, ...]
    offers: tuple[MarketOffer, ...]

    @cached_property
    def by_id(self) -> Mapping[str, Product]:
        """Products by id."""
        return {product.id: product for product in self.products}

    @cached_property
    def by_key(self) -> Mapping[tuple[str, str], MarketOffer]:
        """Offers by merchant and article number."""
        return {offer.key: offer for offer in self.offers}

    def offers_of(self, merchant: str) -> tuple[MarketOffer, ...]:
        """The offers of one merchant."""
        return tuple(offer for offer in self.offers if offer.merchant == merchant)

    def truth(self, *, split_conditions: bool = True) -> dict[tuple[str, str], str]:
        """Product id of each offer by (merchant, sku): the same id means the same product.

        With `split_conditions=False` a refurbished item counts as the product it was when new.
        """
        return {
            offer.key: offer.product_id
            if split_conditions
            else self.by_id[offer.product_id].new_id or offer.product_id
            for offer in self.offers
        }
