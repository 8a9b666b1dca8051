"""One raw offer on its way in: bounded, hashed, and refused at once where it can never be shown."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson

from mdm.merchants import Merchant, seller_id
from mdm.normalise.asking_price import asking_price
from mdm.normalise.refused import RefusedError
from mdm.normalise.text import MAX_DESCRIPTION, MAX_TITLE, plain_text
from mdm.quarantine import MAX_EXCERPT, printable
from mdm.raw_offer import RawOffer, Refusal

MAX_SKU = 200
MAX_BYTES = 100_000
MAX_IMAGES = 20
MAX_ATTRIBUTES = 200
MAX_DELIVERIES = 60


@dataclass(frozen=True, slots=True)
class Landed:
    """A raw offer ready to be stored; the hash decides whether it says anything new."""

    sku: str
    content_sha256: bytes
    raw_json: str
    price_minor: int | None
    currency: str

    @property
    def excerpt(self) -> str:
        """A bounded, printable piece of it."""
        return printable(self.raw_json, MAX_EXCERPT)


def land(
    raw: RawOffer, merchant: Merchant, sellers: frozenset[str], now: datetime
) -> Landed | Refusal:
    """Check what no later step could mend: key, title, price, seller, size."""
    try:
        return _land(raw, merchant, sellers, now)
    except RefusedError as refused:
        return Refusal(
            code=refused.code,
            reason=refused.reason,
            sku=raw.sku[:MAX_SKU] or None,
            hint=refused.hint,
            excerpt=printable(f"{raw.sku} | {raw.title} | {raw.price}", MAX_EXCERPT),
        )


def usable_key(raw: RawOffer) -> str | None:
    """The key as it is kept; None where it can be none."""
    sku = raw.sku.strip()
    return sku if 0 < len(sku) <= MAX_SKU and sku.isprintable() else None


def _land(raw: RawOffer, merchant: Merchant, sellers: frozenset[str], now: datetime) -> Landed:
    sku = usable_key(raw)
    if sku is None:
        raise RefusedError(
            "sku", f"the key must be 1 to {MAX_SKU} printable characters", "Give each offer a key."
        )
    if plain_text(raw.title, MAX_TITLE) is None:
        raise RefusedError("title_missing", "there is no title", "Every offer needs a title.")
    if raw.seller and seller_id(merchant.id, raw.seller[:200]) not in sellers:
        raise RefusedError("too_many_sellers", f"{merchant.name} speaks for too many sellers")
    asking = asking_price(
        raw,
        currency=merchant.currency,
        decimal=merchant.decimal,
        optional=merchant.prices_are_optional,
        now=now,
    )
    payload = _payload(_bounded(raw, sku))
    if len(payload) > MAX_BYTES:
        raise RefusedError("record_too_large", f"the record has over {MAX_BYTES} bytes")
    price = asking.regular or asking.price
    return Landed(
        sku=sku,
        content_sha256=hashlib.sha256(payload).digest(),
        raw_json=payload.decode(),
        price_minor=price.minor if price else None,
        currency=asking.currency,
    )


def _bounded(raw: RawOffer, sku: str) -> RawOffer:
    description = raw.description
    if description and len(description) > MAX_DESCRIPTION * 4:
        description = description[: MAX_DESCRIPTION * 4]
    return replace(
        raw,
        sku=sku,
        title=raw.title[: MAX_TITLE * 8],
        description=description,
        seller=raw.seller[:200] if raw.seller else None,
        image_urls=raw.image_urls[:MAX_IMAGES],
        attributes=raw.attributes[:MAX_ATTRIBUTES],
        delivery=raw.delivery[:MAX_DELIVERIES],
    )


def _payload(raw: RawOffer) -> bytes:
    """Canonical JSON. PostgreSQL stores neither NUL nor lone surrogates: both are dropped."""
    value = raw.as_json()
    try:
        payload = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        if b"\\u0000" not in payload:
            return payload
    except TypeError:
        pass
    return orjson.dumps(_storable(value), option=orjson.OPT_SORT_KEYS)


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "ignore").decode()
    if isinstance(value, list | tuple):
        return [_storable(each) for each in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(each) for key, each in value.items()}
    return value
