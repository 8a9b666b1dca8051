"""The gate every raw offer of a stranger passes: bounded, printable, with a key and a name.

In: a `RawOffer` as a reader understood it. Out: the same offer cleaned, or the refusal that says
which field is wrong. Nothing is shortened silently that shoppers would read.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from mdm.raw_offer import RawDelivery, RawOffer, Refusal

TEXT_LIMITS = {
    "sku": 200,
    "title": 1_000,
    "price": 100,
    "currency": 20,
    "sale_price": 100,
    "sale_interval": 200,
    "tax_rate": 20,
    "description": 100_000,
    "language": 40,
    "url": 4_000,
    "mpn": 200,
    "manufacturer": 300,
    "category": 1_000,
    "google_category": 1_000,
    "condition": 100,
    "availability": 200,
    "group": 200,
    "seller": 300,
    "valid_until": 60,
}
IMAGES, GTINS, DELIVERIES, ATTRIBUTES, ATTRIBUTE_CHARS = 20, 20, 60, 150, 2_000
MOST = 2**31 - 1
SERVICE_CHARS = 200

# C0 and C1 controls but tab and line feed, zero-width and bidirectional overrides, surrogates.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ufff9-\ufffb"
    "\ud800-\udfff]"
)


class _Bad(Exception):
    def __init__(self, code: str, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.refusal = (code, reason, hint)


def clean_text(text: str) -> str:
    """Text without control characters, stripped."""
    return _UNPRINTABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def excerpt_of(*texts: str | None) -> str:
    """A short, printable piece for the merchant to recognise the record by."""
    return " | ".join(clean_text(text[:200])[:80] for text in texts if text)[:200]


def checked(
    offer: RawOffer, position: int | None = None, *, price_required: bool = True
) -> RawOffer | Refusal:
    """The offer as it may land, or why not."""
    try:
        return _clean(offer, price_required)
    except _Bad as bad:
        code, reason, hint = bad.refusal
        return Refusal(
            code,
            reason,
            position=position,
            sku=clean_text(offer.sku[:1_000])[:200] or None,
            hint=hint,
            excerpt=excerpt_of(offer.sku, offer.title, offer.price),
        )


def _clean(offer: RawOffer, price_required: bool) -> RawOffer:
    texts = {name: _text(name, getattr(offer, name)) for name in TEXT_LIMITS}
    sku, title = texts.pop("sku"), texts.pop("title")
    if not sku:
        raise _Bad("sku_missing", "the record has no identifier", "Give each offer its own id.")
    if not title:
        raise _Bad("title_missing", "the record has no title")
    if price_required and texts["price"] is None:
        raise _Bad("price_missing", "the record has no price")
    _require_web_address(texts["url"])
    _require_counts(offer)
    named: dict[str, Any] = texts
    return replace(
        offer,
        sku=sku,
        title=title,
        **named,
        image_urls=_pictures(offer.image_urls),
        gtins=tuple(_short(number, 60) for number in offer.gtins if number.strip())[:GTINS],
        delivery=tuple(_delivery(row) for row in offer.delivery[:DELIVERIES]),
        attributes=_attributes(offer.attributes),
    )


def _text(name: str, value: str | None) -> str | None:
    if value is None:
        return None
    limit = TEXT_LIMITS[name]
    if len(value) > 2 * limit + 1_000:
        raise _too_long(name, limit)
    text = clean_text(value)
    if len(text) > limit:
        raise _too_long(name, limit)
    return text or None


def _too_long(name: str, limit: int) -> _Bad:
    return _Bad("field_too_long", f"{name} is longer than {limit} characters")


def _short(text: str, limit: int) -> str:
    return clean_text(text[: 2 * limit])[:limit]


def _require_web_address(url: str | None) -> None:
    if url is not None and not _is_web(url):
        raise _Bad(
            "url_scheme",
            f"the link is not a web address: {url[:80]}",
            "Give the full address, beginning with https://.",
        )


def _is_web(url: str) -> bool:
    return url[:8].lower().startswith(("http://", "https://")) and not re.search(r"\s", url)


def _require_counts(offer: RawOffer) -> None:
    for name in ("quantity", "multipack"):
        count = getattr(offer, name)
        if count is not None and not 0 <= count <= MOST:
            raise _Bad("count_out_of_range", f"{name} must be between 0 and {MOST}")


def _pictures(urls: tuple[str, ...]) -> tuple[str, ...]:
    """Pictures are an extra: an address that cannot be used is left out."""
    usable = (url.strip() for url in urls if len(url) <= TEXT_LIMITS["url"])
    return tuple(dict.fromkeys(url for url in usable if _is_web(url)))[:IMAGES]


def _delivery(row: RawDelivery) -> RawDelivery:
    days = [
        value if value is not None and 0 <= value <= 3_650 else None
        for value in (row.days_min, row.days_max)
    ]
    return RawDelivery(
        country=_short(row.country, 60) if row.country else None,
        price=_short(row.price, TEXT_LIMITS["price"]),
        service=(_short(row.service, SERVICE_CHARS) or None) if row.service else None,
        days_min=days[0],
        days_max=days[1],
    )


def _attributes(pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Named values, each pair once; long ones are left out rather than cut."""
    kept: dict[tuple[str, str], None] = {}
    for name, value in pairs:
        if len(name) > 200 or len(value) > ATTRIBUTE_CHARS:
            continue
        pair = clean_text(name), clean_text(value)
        if all(pair):
            kept[pair] = None
        if len(kept) == ATTRIBUTES:
            break
    return tuple(kept)
