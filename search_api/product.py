"""A product's page: facts, siblings, and its offers in the brand's order with the reasons."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from indexer.document import ProductDocument
from kernel.categories import categories
from search_api.answer import Crumb, ProductPage
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
from search_api.told_once import repeated
from search_api.variants import variants
from tenants.brand import Brand

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
        facts=_facts(document),
        variants=variants(shop, document, brand, language),
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
        pictures=document.pictures,
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


def _facts(document: ProductDocument) -> tuple[Fact, ...]:
    again = repeated(document.attributes)
    return tuple(fact for fact in facts_of(document) if fact.key not in again)


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
