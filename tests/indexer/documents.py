"""Documents for tests: products of fictional makers, and any variation of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from indexer.document import OfferLine, ProductDocument
from indexer.engine import Upsert, Vector
from kernel.categories import category_path

DIMENSIONS = 16
MERCHANTS = {"darti": "Darti & Cie", "elektrohaus": "Elektrohaus", "voltina": "Voltina"}


def offer(merchant: str, total: int | None, **changes: Any) -> OfferLine:
    """An offer of a merchant, new and in stock."""
    line = OfferLine(
        offer_id=f"off_{merchant}",
        merchant_id=merchant,
        merchant_name=MERCHANTS.get(merchant, merchant),
        title="as the merchant writes it",
        language="en",
        url="https://merchant.example/p",
        price_minor=total,
        delivery_minor=0 if total is not None else None,
        total_minor=total,
        days_min=1,
        days_max=2,
        condition="new",
        availability="in_stock",
        quantity=None,
        execution="execute",
        returns_days=30,
        updated_at="2026-11-20T08:00:00+00:00",
    )
    return replace(line, **changes)


def document(product_id: str, title: str, **changes: Any) -> ProductDocument:
    """A product with one offer of 10 euros, unless said otherwise."""
    language = changes.pop("language", "en")
    category = changes.pop("category", 328)
    offers = changes.pop("offers", (offer("darti", changes.pop("total", 1000)),))
    totals = [line.total_minor for line in offers if line.total_minor is not None]
    base = ProductDocument(
        product_id=product_id,
        version=1,
        currency="EUR",
        titles={language: title},
        descriptions={},
        manufacturer=None,
        gtins=(),
        mpns=(),
        skus=(),
        category_id=category,
        category_path=category_path(category),
        attributes={},
        picture="/drawings/0/any.svg",
        variant_groups=(),
        merchant_ids=tuple(dict.fromkeys(line.merchant_id for line in offers)),
        availability="in_stock",
        conditions=("new",),
        total_minor=min(totals, default=None),
        offer_count=len(offers),
        offers=tuple(offers),
        updated_at="2026-11-20T08:00:00+00:00",
    )
    return replace(base, **changes)


def direction(*parts: float) -> Vector:
    """A unit vector that begins with these numbers."""
    vector = np.zeros(DIMENSIONS, dtype=np.float32)
    vector[: len(parts)] = parts
    norm = float(np.linalg.norm(vector))
    return vector / norm if norm else vector


def upsert(found: ProductDocument, version: int = 1, vector: Vector | None = None) -> Upsert:
    """The document as a change."""
    return Upsert(found, direction(1.0) if vector is None else vector, version)
