"""The document of one product in one brand's index, the same for every engine.

Written by `indexer.project`, read by `search_api`. Prices are those of the brand's country, total
including delivery, in minor units of the brand's currency. `offers` is carried, not searched.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import msgspec


@dataclass(frozen=True, slots=True)
class OfferLine:
    """An offer as shown to shoppers. Amounts are minor units of the document's currency.

    `total_minor` is price plus the cheapest stated delivery to the brand's country; None where the
    price or the delivery is unknown (an unknown delivery is never counted as free).
    """

    offer_id: str
    merchant_id: str
    merchant_name: str
    title: str
    language: str | None
    url: str | None
    price_minor: int | None
    delivery_minor: int | None
    total_minor: int | None
    days_min: int | None
    days_max: int | None
    condition: str
    availability: str
    quantity: int | None
    execution: str
    returns_days: int | None
    updated_at: str
    expires_at: str | None = None
    merchant_quality_percent: int | None = None
    """Share of the orders asked of the merchant that it confirmed; None while it is not known."""
    grade: str | None = None
    """How well it is kept; None for new goods."""
    photos: tuple[str, ...] = ()
    piece: str | None = None
    """Of a unique item: its own photos and what its merchant says of it."""


@dataclass(frozen=True, slots=True)
class ProductDocument:
    """A product as a brand shows it. `version` is the golden record's; late ones never win.

    `titles` and `descriptions` map language -> text. `category_path` runs from department to leaf.
    `total_minor` is the lowest total among available new offers, else among all.
    """

    product_id: str
    version: int
    currency: str
    titles: dict[str, str]
    descriptions: dict[str, str]
    manufacturer: str | None
    gtins: tuple[str, ...]
    mpns: tuple[str, ...]
    skus: tuple[str, ...]
    category_id: int | None
    category_path: tuple[int, ...]
    attributes: dict[str, str]
    picture: str
    variant_groups: tuple[str, ...]
    merchant_ids: tuple[str, ...]
    availability: str
    conditions: tuple[str, ...]
    total_minor: int | None
    offer_count: int
    offers: tuple[OfferLine, ...]
    updated_at: str
    price_steps: tuple[tuple[int, int | None], ...] = ()
    """(day since 1970-01-01, lowest price of a new article without delivery) where it changed."""
    disputed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Attribute -> what else the brand's merchants state of it."""
    pictures: tuple[str, ...] = ()
    """All that are shown on its page, `picture` first; none where it is the only one."""

    def title(self, language: str) -> str:
        """Title in the language, else in the first of `titles`: the brand's own languages lead."""
        for candidate in (language, *self.titles):
            if candidate in self.titles:
                return self.titles[candidate]
        return ""

    def as_json(self) -> dict[str, Any]:
        """JSON form stored by the engines."""
        value = {name: getattr(self, name) for name in _NAMES}
        value["offers"] = [
            {name: getattr(line, name) for name in _LINE_NAMES} for line in self.offers
        ]
        return value

    @classmethod
    def from_json(cls, value: bytes | dict[str, Any]) -> ProductDocument:
        """Inverse of `as_json`, of what an engine stored. ValueError for anything else."""
        try:
            if isinstance(value, bytes):
                return _STORED.decode(value)
            return msgspec.convert(value, cls)
        except msgspec.DecodeError as error:
            raise ValueError(f"the document cannot be read: {error}") from error


_STORED = msgspec.json.Decoder(ProductDocument)
# asdict copies whatever lies deep inside, at ten times the cost.
_NAMES = tuple(each.name for each in fields(ProductDocument))
_LINE_NAMES = tuple(each.name for each in fields(OfferLine))
