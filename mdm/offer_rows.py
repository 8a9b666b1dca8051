"""Offers as stored: from a NormalOffer to its row, and rows into the database many at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
import sqlalchemy as sa

from kernel.db import Prepared, Transaction
from kernel.ids import derived_id
from mdm.merchants import delivery_as_json
from mdm.normalise.offer import NormalOffer
from mdm.taxonomy.placement import Placement
from mdm.unique_items import seat

_COLUMNS = {
    "offer_id": "text", "source_id": "text", "sku": "text", "merchant_id": "text",
    "product_id": "text", "live": "boolean", "identity_sha256": "bytea", "shown_sha256": "bytea",
    "described_sha256": "bytea", "title": "text", "language": "text", "url": "text",
    "price_minor": "bigint", "currency": "text", "condition": "text", "availability": "text",
    "quantity": "integer", "delivery": "jsonb", "facts": "jsonb", "evidence": "jsonb",
    "updated_at": "timestamptz", "confirmed_at": "timestamptz", "valid_until": "timestamptz",
    "expires_at": "timestamptz", "expired": "boolean",
}  # fmt: skip
# What is the offer's own, not its terms: it changes with the offer's description only.
_LASTING = (
    "source_id", "sku", "merchant_id", "product_id", "live", "identity_sha256", "described_sha256",
    "title", "language", "condition", "evidence",
)  # fmt: skip
_PAGE = 500
"""Rows of one statement: the largest that may come are 100 KB each."""


def _written(columns: Iterable[str]) -> str:
    """`s`: rows that are given as one JSON text. Those `told` also get a point of their history."""
    typed = ", ".join(f"{name} {_COLUMNS[name]}" for name in columns)
    return (
        "WITH s AS MATERIALIZED (SELECT * FROM json_to_recordset(CAST(:rows AS json)) "  # noqa: S608
        f"AS s({typed}, told boolean)), told AS (INSERT INTO mdm.price_history "
        "(offer_id, observed_at, price_minor, currency, availability) "
        "SELECT offer_id, :now, price_minor, currency, availability FROM s WHERE told) "
    )


def _writing() -> sa.TextClause:
    names = ", ".join(_COLUMNS)
    changing = [name for name in _COLUMNS if name not in ("offer_id", "source_id", "sku")]
    return sa.text(
        f"{_written(_COLUMNS)} INSERT INTO mdm.offer AS o ({names}, described_at) "  # noqa: S608
        f"SELECT {names}, :now FROM s "
        f"ON CONFLICT (offer_id) DO UPDATE SET ({', '.join(changing)}) = "
        f"({', '.join('EXCLUDED.' + name for name in changing)}), "
        "described_at = CASE WHEN o.described_sha256 = EXCLUDED.described_sha256 "
        "THEN o.described_at ELSE EXCLUDED.described_at END"
    )


def _updating_terms() -> sa.TextClause:
    terms = [name for name in _COLUMNS if name not in _LASTING]
    changes = ", ".join(f"{name} = s.{name}" for name in terms if name != "offer_id")
    return sa.text(
        f"{_written(terms)} UPDATE mdm.offer o SET {changes} FROM s "  # noqa: S608
        # The second condition says nothing new: the server takes the rows of a JSON text for a
        # hundred, and would look for those by reading all offers.
        "WHERE o.offer_id = s.offer_id AND o.offer_id = ANY(ARRAY(SELECT offer_id FROM s))"
    )


_WRITE = Prepared(_writing())
_UPDATE_TERMS = Prepared(_updating_terms())
_WITHDRAW = Prepared(
    sa.text(
        "UPDATE mdm.offer SET live = false, updated_at = :now WHERE offer_id = ANY(:ids) AND live"
    )
)


@dataclass(slots=True)
class OfferRow:
    """An offer about to be written. `product_id` and `evidence` are filled in by the matching."""

    offer_id: str
    normal: NormalOffer
    facts: dict[str, Any]
    identity_sha256: bytes
    shown_sha256: bytes
    described_sha256: bytes
    confirmed_at: datetime
    expires_at: datetime
    product_id: str | None = None
    evidence: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class KnownOffer:
    """What the database holds of an offer that comes again."""

    offer_id: str
    product_id: str | None
    merchant_id: str
    condition: str
    live: bool
    identity_sha256: bytes
    shown_sha256: bytes
    described_sha256: bytes | None
    price_minor: int | None
    currency: str
    availability: str
    evidence: Mapping[str, Any] | None
    confirmed_at: datetime


def offer_id_of(source_id: str, sku: str) -> str:
    """The same offer has the same id in every database."""
    return derived_id("off", source_id, sku)


def offer_row(normal: NormalOffer, confirmed_at: datetime, lifetime_days: int) -> OfferRow:
    """The row of a normalised offer, not yet matched.

    It ends when it says so itself, else when nobody has confirmed it for its merchant's lifetime.
    """
    facts = facts_of(normal)
    identity = {
        "title": normal.title,
        "merchant": normal.merchant_id,
        "condition": seat(normal.condition, normal.grade, ""),
        **{name: facts.get(name) for name in _IDENTIFYING},
    }
    described = {name: value for name, value in facts.items() if name not in _TERMS}
    shown = {
        "identity": identity,
        "facts": facts,
        "language": normal.language,
        "url": normal.url,
        "price": normal.asking.price.as_json() if normal.asking.price else None,
        "currency": normal.asking.currency,
        "availability": normal.availability,
        "quantity": normal.quantity,
        "delivery": delivery_as_json(normal.delivery),
        "valid_until": normal.valid_until,
    }
    until = normal.valid_until
    return OfferRow(
        offer_id=offer_id_of(normal.source_id, normal.sku),
        normal=normal,
        facts=facts,
        identity_sha256=_digest(identity),
        shown_sha256=_digest(shown),
        described_sha256=_digest([identity, normal.language, described]),
        confirmed_at=confirmed_at,
        expires_at=confirmed_at + timedelta(days=lifetime_days) if until is None else until,
    )


# Facts that no golden record is made of.
_TERMS = ("regular_price", "notes")
_IDENTIFYING = ("manufacturer", "gtins", "mpn", "attributes", "is_bundle", "is_accessory")


def facts_of(normal: NormalOffer) -> dict[str, Any]:
    """What the golden record and the matcher read, without empty members."""
    regular = normal.asking.regular
    facts = {
        "description": normal.description,
        "image_urls": list(normal.image_urls),
        "manufacturer": normal.manufacturer,
        "gtins": list(normal.gtins),
        "gtin_problems": list(normal.gtin_problems),
        "mpn": normal.mpn,
        "category_text": normal.category_text,
        **_placement(normal.placement),
        "attributes": dict(normal.attributes),
        "grade": normal.grade,
        "group": normal.group,
        "is_bundle": normal.is_bundle,
        "is_accessory": normal.is_accessory,
        "regular_price": regular.as_json() if regular else None,
        "notes": list(normal.notes),
    }
    return {name: value for name, value in facts.items() if value}


def _placement(found: Placement | None) -> dict[str, Any]:
    if found is None or found.google_id is None:
        return {}
    return {
        "category_id": found.category_id,
        "google_category_id": found.google_id,
        "category_percent": found.percent,
        "category_by": found.by,
    }


_KNOWN = Prepared(
    sa.text(
        "SELECT offer_id, product_id, merchant_id, condition, live, identity_sha256, "
        "shown_sha256, described_sha256, price_minor, currency, availability, evidence, "
        "confirmed_at FROM mdm.offer WHERE offer_id = ANY(:ids)"
    )
)


def known_offers(tx: Transaction, offer_ids: Sequence[str]) -> dict[str, KnownOffer]:
    """Stored offers by id."""
    return asked_offers(tx, offer_ids)()


def asked_offers(tx: Transaction, offer_ids: Sequence[str]) -> Callable[[], dict[str, KnownOffer]]:
    """The same, asked for now and read when it is called: for statements that are sent together."""
    asked = _KNOWN.asked(tx, {"ids": list(offer_ids)})
    return lambda: {row.offer_id: KnownOffer(*row) for row in asked.fetchall()}


def is_newcomer(row: OfferRow, old: KnownOffer | None) -> bool:
    """True for an offer that has to be matched: unknown, gone before, or now another thing."""
    return (
        old is None
        or not old.live
        or old.product_id is None
        or old.identity_sha256 != row.identity_sha256
    )


def is_described_anew(row: OfferRow, old: KnownOffer | None) -> bool:
    """True where the golden record may change; price, stock and delivery are no part of it."""
    return (
        old is None
        or is_newcomer(row, old)
        or bytes(old.described_sha256 or b"") != row.described_sha256
    )


def write_offers(
    tx: Transaction, rows: Sequence[OfferRow], known: Mapping[str, KnownOffer], now: datetime
) -> None:
    """Insert or replace offers, live; a point in the history of those whose price or availability
    is not what it was."""
    _write(tx, _WRITE, rows, known, now)


def update_terms(
    tx: Transaction, rows: Sequence[OfferRow], known: Mapping[str, KnownOffer], now: datetime
) -> None:
    """Price, stock, delivery and lifetime of stored offers that are described as before, with their
    history."""
    _write(tx, _UPDATE_TERMS, rows, known, now)


def withdraw_offers(tx: Transaction, offer_ids: Sequence[str], now: datetime) -> None:
    """Offers that are no longer made. They keep their product, for when they come back."""
    _WITHDRAW.run(tx, {"ids": list(offer_ids), "now": now})


def _write(
    tx: Transaction,
    statement: Prepared,
    rows: Sequence[OfferRow],
    known: Mapping[str, KnownOffer],
    now: datetime,
) -> None:
    for start in range(0, len(rows), _PAGE):
        page = [_values(row, known.get(row.offer_id), now) for row in rows[start : start + _PAGE]]
        statement.run(tx, {"rows": orjson.dumps(page).decode(), "now": now})


def _values(row: OfferRow, old: KnownOffer | None, now: datetime) -> dict[str, Any]:
    normal = row.normal
    price = normal.asking.price.minor if normal.asking.price else None
    state = (price, normal.asking.currency, normal.availability.value)
    return {
        "offer_id": row.offer_id,
        "source_id": normal.source_id,
        "sku": normal.sku,
        "merchant_id": normal.merchant_id,
        "product_id": row.product_id,
        "live": True,
        "identity_sha256": _hex(row.identity_sha256),
        "shown_sha256": _hex(row.shown_sha256),
        "described_sha256": _hex(row.described_sha256),
        "title": normal.title,
        "language": normal.language,
        "url": normal.url,
        "price_minor": price,
        "currency": normal.asking.currency,
        "condition": normal.condition.value,
        "availability": normal.availability.value,
        "quantity": normal.quantity,
        "delivery": delivery_as_json(normal.delivery),
        "facts": row.facts,
        "evidence": row.evidence,
        "updated_at": now,
        "confirmed_at": row.confirmed_at,
        "valid_until": normal.valid_until,
        "expires_at": row.expires_at,
        "expired": row.expires_at <= now,
        "told": old is None or (old.price_minor, old.currency, old.availability) != state,
    }


def _hex(value: bytes) -> str:
    return f"\\x{value.hex()}"


def _digest(value: Any) -> bytes:
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).digest()
