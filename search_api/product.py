"""A product's page: facts, siblings, and its offers in the brand's order with the reasons."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from indexer.document import ProductDocument
from indexer.engine import Filters, SearchRequest
from kernel.categories import categories
from search_api.answer import Crumb, ProductPage, Variant
from search_api.cards import (
    facts_of,
    live_offers,
    money,
    offer_cards,
    product_card,
    product_url,
)
from search_api.notices import list_notice
from search_api.price_history import price_history
from search_api.price_verdict import price_verdict
from search_api.product_card import Fact, ProductCard
from search_api.query import ShopQuery, address
from search_api.search import Shop
from tenants.brand import Brand

MOST_VARIANTS = 60
# A number and its unit in a merchant's words. Where units are ours, the unit counts too.
_MEASURE = re.compile(r"(\d{1,9}(?:[.,]\d{1,4})?)\D{0,30}")
_OUR_UNITS = frozenset({"capacity", "content", "lens", "memory", "power", "screen_size", "size"})
_PRODUCT_ID = re.compile(r"^[A-Za-z0-9_-]{1,64}$")


def product_page(shop: Shop, product_id: str, brand: Brand, language: str) -> ProductPage | None:
    """The page, or None where the brand does not show the product."""
    if not _PRODUCT_ID.match(product_id):
        return None
    document = shop.engine.read(brand.id, [product_id]).get(product_id)
    if document is None:
        return None
    now = datetime.now(UTC)
    lines = live_offers(document, now)
    merchant_count = len({line.merchant_id for line in lines})
    totals = [line.total_minor for line in lines if line.total_minor is not None]
    notice = list_notice("offers", brand, language, merchant_count)
    description, description_language = text_in(document.descriptions, language)
    title, title_language = text_in(document.titles, language)
    return ProductPage(
        id=document.product_id,
        url=product_url(document.product_id),
        title=title,
        title_language=title_language,
        description=description,
        description_language=description_language,
        manufacturer=document.manufacturer,
        gtins=document.gtins,
        mpns=document.mpns,
        category_id=document.category_id,
        crumbs=_crumbs(document, language),
        picture=document.picture,
        facts=facts_of(document),
        variants=_variants(shop, document, brand, language),
        offers=offer_cards(document, lines, brand.ranking_profile(language), language, now),
        offers_order=notice.text,
        notice=notice,
        from_total=money(min(totals, default=None), document.currency),
        to_total=money(max(totals, default=None), document.currency),
        merchant_count=merchant_count,
        availability=document.availability if lines else "out_of_stock",
        updated_at=document.updated_at,
        price_history=price_history(document, now),
        price_verdict=price_verdict(document, lines, now),
        disputed=document.disputed,
    )


def card_of(shop: Shop, product_id: str, brand: Brand, language: str) -> ProductCard | None:
    """The product as the lists show it; None where the brand does not show it."""
    if not _PRODUCT_ID.match(product_id):
        return None
    document = shop.engine.read(brand.id, [product_id]).get(product_id)
    if document is None:
        return None
    return product_card(document, brand.ranking_profile(language), language, datetime.now(UTC))


def text_in(texts: Mapping[str, str], language: str) -> tuple[str, str | None]:
    """The text in the language, else in the first there is, and which language that is."""
    for candidate in (language, *texts):
        if texts.get(candidate):
            return texts[candidate], candidate
    return "", None


def _crumbs(document: ProductDocument, language: str) -> tuple[Crumb, ...]:
    query = ShopQuery(document.currency)
    return tuple(
        Crumb(
            category_id=id_,
            label=categories()[id_].name(language),
            url=address(replace(query, categories=(id_,)), language),
        )
        for id_ in document.category_path
        if id_ in categories()
    )


def _variants(
    shop: Shop, document: ProductDocument, brand: Brand, language: str
) -> tuple[Variant, ...]:
    """Siblings that the brand shows, itself among them; none where it stands alone."""
    if document.variant_group is None:
        return ()
    request = SearchRequest(
        filters=Filters(variant_group=document.variant_group), limit=MOST_VARIANTS
    )
    ids = [hit.product_id for hit in shop.engine.search(brand.id, request).hits]
    siblings = shop.engine.read(brand.id, ids) | {document.product_id: document}
    if len(siblings) < 2:
        return ()
    telling = differing(list(siblings.values()))
    variants = [
        Variant(
            id=sibling.product_id,
            url=product_url(sibling.product_id),
            title=sibling.title(language),
            picture=sibling.picture,
            differs=tuple(
                Fact(key=key, value=sibling.attributes[key])
                for key in telling
                if key in sibling.attributes
            ),
            from_total=money(sibling.total_minor, sibling.currency),
            availability=sibling.availability,
            selected=sibling.product_id == document.product_id,
        )
        for sibling in siblings.values()
    ]
    return tuple(
        sorted(variants, key=lambda row: ([_natural(fact.value) for fact in row.differs], row.id))
    )


def differing(siblings: Sequence[ProductDocument]) -> list[str]:
    """Attributes that are not the same for all siblings, in whatever language they are stated."""
    keys = {key for sibling in siblings for key in sibling.attributes}
    return sorted(
        key
        for key in keys
        if len({_said(key, sibling.attributes.get(key)) for sibling in siblings}) > 1
    )


def _said(key: str, value: str | None) -> str | None:
    """`50 Mpx` and `50 Megapixel` say the same, `1 GB` and `1 TB` do not."""
    found = _MEASURE.fullmatch(value) if value and key not in _OUR_UNITS else None
    return found[1].replace(",", ".") if found else value


def _natural(value: str) -> tuple[int, str]:
    """`64 GB` before `128 GB`."""
    digits = re.match(r"\d{1,12}", value)
    return (int(digits[0]) if digits else 0, value)
