"""A golden record for people: each value with who says it, who says otherwise, what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from kernel.db import Transaction
from kernel.errors import NotFound
from mdm.catalogue import log_changes, product_views, resolve
from mdm.golden.expectations import product_completeness
from mdm.golden.priorities import set_priority
from mdm.product_view import ProductView
from mdm.products import rewrite

LANGUAGES = ("fr", "de", "en")


def record_json(
    tx: Transaction, product_id: str, languages: tuple[str, ...] = LANGUAGES
) -> dict[str, Any]:
    """The record of a product (an id that was merged leads on); NotFound `product_unknown`."""
    current = resolve(tx, product_id)
    views = product_views(tx, [current]) if current else []
    if not views:
        raise NotFound("product_unknown", f"No product is called {product_id!r}")
    (view,) = views
    complete = product_completeness(tx, view.product_id, languages)
    assert complete is not None
    return {
        "product_id": view.product_id,
        "version": view.version,
        "variant_groups": list(view.variant_groups),
        "google_category_id": view.google_category_id,
        "fields": fields_of(view),
        "completeness": {
            "percent": complete.percent,
            "by_language": dict(complete.by_language),
            "missing": list(complete.missing),
        },
        "offers": [
            {
                "offer_id": offer.offer_id,
                "merchant": offer.merchant_id,
                "title": offer.title,
                "condition": offer.condition,
                "grade": offer.grade,
                "price": str(offer.price) if offer.price else None,
            }
            for offer in view.offers
        ],
    }


def fields_of(view: ProductView) -> dict[str, dict[str, Any]]:
    """Every stated field: `value`, the offer and merchant it is `from`, and `others`."""
    merchants = {offer.offer_id: offer.merchant_id for offer in view.offers}
    fields = {}
    for name, value in _values(view):
        offer_id = view.provenance.get(name)
        fields[name] = {
            "value": value,
            "offer": offer_id,
            "from": merchants.get(offer_id or ""),
            "others": [
                {
                    "value": each.value,
                    "merchants": list(each.merchants),
                    "offers": list(each.offers),
                }
                for each in view.conflicts.get(name, ())
            ],
        }
    return fields


def change_priority(
    tx: Transaction, merchant_id: str, field: str, rank: int | None, who: str, why: str
) -> int:
    """Set a source's rank and merge the records it speaks in anew; answers how many."""
    now = datetime.now(UTC)
    touched = set_priority(tx, merchant_id, field, rank, who, why, now)
    changed = rewrite(tx, touched, {}, now)
    return log_changes(tx, changed)


def record_lines(record: Mapping[str, Any]) -> Iterator[str]:
    """The same in words, for a terminal."""
    complete = record["completeness"]
    shares = ", ".join(f"{name} {share} %" for name, share in complete["by_language"].items())
    yield f"{record['product_id']}  version {record['version']}"
    yield f"  complete to {complete['percent']} % ({shares})"
    if complete["missing"]:
        yield f"  missing: {', '.join(complete['missing'])}"
    for name, field in record["fields"].items():
        yield f"  {name:24} {_short(field['value'])}  [{field['from'] or 'an offer that is gone'}]"
        for other in field["others"]:
            yield f"  {'':24}   but {_short(other['value'])}  [{', '.join(other['merchants'])}]"
    for offer in record["offers"]:
        grade = f", {offer['grade']}" if offer["grade"] else ""
        yield (
            f"  {offer['offer_id']}  {offer['price'] or 'no price':>14}  "
            f"{offer['merchant']:20} {offer['condition']}{grade}  {offer['title'][:50]}"
        )


def _values(view: ProductView) -> Iterator[tuple[str, Any]]:
    for name in ("manufacturer", "category_id", "gtins", "mpns", "image_urls"):
        value = getattr(view, name)
        if value:
            yield name, list(value) if isinstance(value, tuple) else value
    for table in ("titles", "descriptions", "attributes"):
        for key, value in getattr(view, table).items():
            yield f"{table}.{key}", value


def _short(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 100 else text[:99] + "…"
