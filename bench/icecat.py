"""The judged catalogue (Icecat open content, 19,406 products) as documents of an index."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from indexer.document import OfferLine, ProductDocument

BRAND = "icecat"
MERCHANTS = tuple(f"merchant-{number}" for number in range(1, 9))


def documents(folder: Path, copies: int = 1) -> Iterator[ProductDocument]:
    """Every product, `copies` times under ids of their own."""
    with gzip.open(folder / "icecat_products.jsonl.gz", "rt", encoding="utf-8") as stream:
        for line in stream:
            row = json.loads(line)
            for copy in range(copies):
                yield _document(row, copy)


def judgements(folder: Path) -> dict[str, dict[str, int]]:
    """Query -> product id -> gain (0 to 3)."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    with (folder / "judgements.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            found[row["query"]][row["docid"]] = int(row["rating"])
    return dict(found)


def _document(row: dict[str, object], copy: int) -> ProductDocument:
    product_id = str(row["id"]) if copy == 0 else f"{row['id']}-{copy}"
    number = int.from_bytes(hashlib.sha256(product_id.encode()).digest()[:4], "big")
    price = row.get("price")
    total = int(str(price)) + copy if price else None
    merchants = MERCHANTS[number % 8 : number % 8 + 1 + number % 3]
    attributes = {
        key.removeprefix("attr_t_"): value
        for key, value in row.items()
        if key.startswith("attr_t_") and isinstance(value, str)
    }
    released = str(row.get("date_released") or "2020-01-01T00:00:00Z").replace("Z", "+00:00")
    # The set has no category tree of ours: facets get one drawn by hash, with no words to find.
    leaf = number % 61
    path = (900_000 + leaf % 7, 900_100 + leaf)
    return ProductDocument(
        product_id=product_id,
        version=1,
        currency="USD",
        titles={"en": str(row["title"])},
        descriptions={"en": f"{row['name']} {row.get('short_description') or ''}"},
        manufacturer=str(row["supplier"]) if row.get("supplier") else None,
        gtins=tuple(str(code).zfill(14) for code in list(row.get("ean") or ())),  # type: ignore[call-overload]
        mpns=(),
        skus=(),
        category_id=path[-1],
        category_path=path,
        attributes=attributes,
        picture="",
        variant_groups=(),
        merchant_ids=merchants,
        availability="in_stock" if number % 5 else "out_of_stock",
        conditions=("new",),
        total_minor=total,
        offer_count=len(merchants),
        offers=tuple(
            _offer(product_id, merchant, str(row["title"]), total) for merchant in merchants
        ),
        updated_at=released,
    )


def _offer(product_id: str, merchant: str, title: str, total: int | None) -> OfferLine:
    return OfferLine(
        offer_id=f"{product_id}-{merchant}",
        merchant_id=merchant,
        merchant_name=merchant.replace("-", " ").title(),
        title=title,
        language="en",
        url=None,
        price_minor=total,
        delivery_minor=0,
        total_minor=total,
        days_min=1,
        days_max=3,
        condition="new",
        availability="in_stock",
        quantity=None,
        execution="link",
        returns_days=14,
        updated_at="2026-11-22T00:00:00+00:00",
    )
