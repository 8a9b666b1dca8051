"""More like this: products near in meaning to one product, within the shopper's conditions.

The product's vector is made from its text as the index made it; variants of the product itself and
what is only vaguely near are left out. No SQL.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from indexer.embed_text import embed_text
from indexer.engine import Filters
from search_api.cards import product_card
from search_api.product_card import ProductCard
from search_api.search import Shop
from tenants.brand import Brand

MOST = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarProducts:
    """Products near in meaning to the one with this id, nearest first; none where none is near."""

    id: str
    products: tuple[ProductCard, ...]


def more_like_this(
    shop: Shop,
    product_id: str,
    brand: Brand,
    language: str,
    *,
    filters: Filters | None = None,
    limit: int = 8,
) -> tuple[ProductCard, ...] | None:
    """Cards, nearest first, at most MOST; None where the brand does not show the product."""
    document = shop.engine.read(brand.id, [product_id]).get(product_id)
    if document is None:
        return None
    vector = shop.encoder.encode_one(embed_text(document, brand.languages[0]))
    profile = brand.ranking_profile(language)
    wanted = min(limit, MOST)
    near = shop.engine.neighbours(
        brand.id,
        vector,
        filters=filters or Filters(),
        limit=2 * wanted + 1,
        model_id=shop.encoder.model_id,
    )
    ids = [
        row.product_id
        for row in near
        if row.product_id != product_id and row.similarity >= profile.ladder.meaning_floor
    ]
    documents = shop.engine.read(brand.id, ids)
    own, now = set(document.variant_groups), datetime.now(UTC)
    others = [
        documents[name]
        for name in ids
        if name in documents and own.isdisjoint(documents[name].variant_groups)
    ]
    return tuple(product_card(other, profile, language, now) for other in others[:wanted])
