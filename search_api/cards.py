"""Documents of the index as cards: products in a list, offers of a product. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from indexer.document import OfferLine, ProductDocument
from kernel.i18n import translator
from kernel.money import Money
from search_api.product_card import Fact, OfferCard, ProductCard
from search_api.unit_price import unit_price
from tenants.ranking import RankedOffer, RankingProfile, rank_offers
from tenants.ranking.offers import best_offer, place_offers

# Codes of `tenants.ranking` in words; the catalogues of this package translate them.
REASONS: Final = {
    "in_stock": "In stock",
    "out_of_stock": "Out of stock",
    "lowest_total": "Lowest total price",
    "total_unknown": "Total price not stated",
    "refurbished": "Refurbished",
    "used": "Used",
}


def live_offers(document: ProductDocument, now: datetime) -> tuple[OfferLine, ...]:
    """Offers that have not expired since the document was written."""
    return tuple(
        line
        for line in document.offers
        if line.expires_at is None or datetime.fromisoformat(line.expires_at) > now
    )


def offer_cards(
    document: ProductDocument,
    lines: Sequence[OfferLine],
    profile: RankingProfile,
    language: str,
    now: datetime,
) -> tuple[OfferCard, ...]:
    """Offers in the brand's order, each with the reasons for its place; paid places are marked."""
    ranked = place_offers(rank_offers(lines, profile), profile, document.product_id, now)
    return tuple(_offer_card(row, language, document) for row in ranked)


def product_card(
    document: ProductDocument, profile: RankingProfile, language: str, now: datetime
) -> ProductCard:
    """A product as the lists show it."""
    lines = live_offers(document, now)
    first = best_offer(lines, profile)
    best = _offer_card(first, language, document) if first is not None else None
    return ProductCard(
        id=document.product_id,
        url=product_url(document.product_id),
        title=document.title(language),
        manufacturer=document.manufacturer,
        category_id=document.category_id,
        picture=document.picture,
        facts=facts_of(document),
        from_total=money(document.total_minor, document.currency),
        best_offer=best,
        offer_count=len(lines),
        merchant_count=len({line.merchant_id for line in lines}),
        availability=document.availability,
        conditions=document.conditions,
        updated_at=document.updated_at,
        unit_price=best.unit_price if best is not None else None,
        true_until=min((line.expires_at for line in lines if line.expires_at), default=None),
    )


def product_url(product_id: str) -> str:
    """Address of the product's page."""
    return f"/product/{product_id}"


def facts_of(document: ProductDocument) -> tuple[Fact, ...]:
    """Attributes in a stable order."""
    return tuple(Fact(key=key, value=value) for key, value in sorted(document.attributes.items()))


def money(minor: int | None, currency: str) -> Money | None:
    """An amount, or None where it is unknown."""
    return Money(minor, currency) if minor is not None else None


def _offer_card(
    ranked: RankedOffer[OfferLine], language: str, document: ProductDocument
) -> OfferCard:
    line, currency = ranked.offer, document.currency
    speak = translator(language).gettext
    return OfferCard(
        offer_id=line.offer_id,
        position=ranked.position,
        merchant_id=line.merchant_id,
        merchant_name=line.merchant_name,
        title=line.title,
        language=line.language,
        url=line.url,
        price=money(line.price_minor, currency),
        delivery=money(line.delivery_minor, currency),
        total=money(line.total_minor, currency),
        days_min=line.days_min,
        days_max=line.days_max,
        condition=line.condition,
        availability=line.availability,
        quantity=line.quantity,
        execution=line.execution,
        returns_days=line.returns_days,
        updated_at=line.updated_at,
        reasons=tuple(speak(REASONS[code]) for code in ranked.reasons if code in REASONS),
        unit_price=unit_price(
            document.attributes, line.price_minor, currency, document.category_path
        ),
        sponsored=ranked.sponsored is not None,
        sponsored_by=ranked.sponsored.paid_by if ranked.sponsored is not None else None,
        grade=line.grade,
        photos=line.photos,
        piece=line.piece,
    )
