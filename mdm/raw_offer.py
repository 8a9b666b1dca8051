"""What a merchant said about one offer, before anyone interprets it.

`RawOffer` is the only thing that feed formats, spiders and the push API hand to `mdm.intake`. Text
stays as the merchant wrote it (decoded, stripped, bounded); meaning is given by `mdm.normalise`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class RawDelivery:
    """Delivery to one country as stated. `price` in the notation of the feed, e.g. `4,90 EUR`."""

    country: str | None
    price: str
    service: str | None = None
    days_min: int | None = None
    days_max: int | None = None


@dataclass(frozen=True, slots=True)
class RawOffer:
    """One offer as stated. `sku` is the merchant's own key: unique within the merchant.

    `price` is the price asked now, in the merchant's notation (`1.299,00`, `15.0 EUR`); a
    `sale_price` with its interval is read by the normaliser. `decimal` is `.` or `,` when the
    source fixes it. `seller` names the real merchant where the source speaks for several.
    `valid_until` is the ISO 8601 day or moment after which the offer no longer holds.
    """

    sku: str
    title: str
    price: str | None
    currency: str | None = None
    sale_price: str | None = None
    sale_interval: str | None = None
    decimal: str | None = None
    price_is_net: bool = False
    tax_rate: str | None = None
    description: str | None = None
    language: str | None = None
    url: str | None = None
    image_urls: tuple[str, ...] = ()
    gtins: tuple[str, ...] = ()
    mpn: str | None = None
    manufacturer: str | None = None
    category: str | None = None
    google_category: str | None = None
    condition: str | None = None
    availability: str | None = None
    quantity: int | None = None
    delivery: tuple[RawDelivery, ...] = ()
    group: str | None = None
    multipack: int | None = None
    is_bundle: bool = False
    attributes: tuple[tuple[str, str], ...] = ()
    seller: str | None = None
    valid_until: str | None = None

    def as_json(self) -> dict[str, Any]:
        """JSON form without empty members; the input of the content hash."""
        # By identity: a quantity of 0 equals False and must not be lost.
        stated = {
            name: value
            for name in _OFFER_FIELDS
            if (value := getattr(self, name)) is not None and value is not False and value != ()
        }
        if self.delivery:
            stated["delivery"] = [
                {name: getattr(row, name) for name in _DELIVERY_FIELDS} for row in self.delivery
            ]
        return stated

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> RawOffer:
        """Inverse of `as_json`."""
        data = {"price": None, **value}
        data["delivery"] = tuple(RawDelivery(**row) for row in data.get("delivery", ()))
        for name in ("image_urls", "gtins"):
            data[name] = tuple(data.get(name, ()))
        data["attributes"] = tuple((row[0], row[1]) for row in data.get("attributes", ()))
        return cls(**data)


_OFFER_FIELDS = tuple(each.name for each in fields(RawOffer))
_DELIVERY_FIELDS = tuple(each.name for each in fields(RawDelivery))


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that was not accepted: where it stood, a stable code, why, and what to do.

    `position` is the record's ordinal (or line) in the source; `excerpt` is a bounded, printable
    piece of it for the merchant.
    """

    code: str
    reason: str
    position: int | None = None
    sku: str | None = None
    hint: str = ""
    excerpt: str = field(default="", compare=False)
