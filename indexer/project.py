"""A product as one brand shows it: its merchants, its currency, delivery to its country. Pure.

In: the golden record with all offers. Out: the document, or None when the brand shows none of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from indexer.document import OfferLine, ProductDocument
from indexer.index_fields import AVAILABILITIES
from indexer.price_steps import price_steps
from kernel.categories import category_path
from kernel.offer_terms import Availability, Condition
from kernel.pictures import gallery, picture_url
from mdm.product_view import OfferView, ProductView
from tenants.brand import Brand

MAX_PHOTOS = 6
MAX_PIECE = 600
MAX_DISPUTED = 3
RELIED_ON = (
    "capacity", "colour", "energy_class", "keyboard", "memory", "pack_count", "power",
    "screen_size", "size", "volume", "weight",
)  # fmt: skip

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def project(view: ProductView, brand: Brand, now: datetime) -> ProductDocument | None:
    """The brand's document of a product at a moment (time zone aware)."""
    lines = tuple(_line(offer, brand) for offer in view.offers if _is_shown(offer, brand, now))
    if not lines:
        return None
    updated = view.updated_at or max((offer.updated_at for offer in view.offers), default=_EPOCH)
    return ProductDocument(
        product_id=view.product_id,
        version=view.version,
        currency=brand.currency,
        titles=_in_order(view.titles, brand.languages),
        descriptions=_in_order(view.descriptions, brand.languages),
        manufacturer=view.manufacturer,
        gtins=view.gtins,
        mpns=view.mpns,
        skus=_once(
            [
                *(offer.sku for offer in view.offers if _is_shown(offer, brand, now)),
                *view.shop_numbers,
            ]
        ),
        category_id=view.category_id,
        category_path=category_path(view.category_id),
        attributes=dict(view.attributes),
        picture=picture_url(view.image_urls, view.category_id, view.attributes.get("colour")),
        variant_groups=view.variant_groups,
        merchant_ids=_once(line.merchant_id for line in lines),
        availability=min((line.availability for line in lines), key=AVAILABILITIES.index),
        conditions=tuple(
            str(condition)
            for condition in Condition
            if any(line.condition == condition for line in lines)
        ),
        total_minor=_lowest_total(lines),
        offer_count=len(lines),
        offers=lines,
        updated_at=updated.isoformat(),
        price_steps=price_steps(view.price_trails, brand),
        disputed=_disputed(view, brand),
        pictures=gallery(view.image_urls),
    )


def _in_order(texts: Mapping[str, str], languages: Sequence[str]) -> dict[str, str]:
    """The brand's languages first, so that a reader of another one meets the brand's own."""
    first = [language for language in languages if language in texts]
    return {language: texts[language] for language in dict.fromkeys((*first, *sorted(texts)))}


def _is_shown(offer: OfferView, brand: Brand, now: datetime) -> bool:
    """The brand's merchants, not expired, in its currency, and not only for other countries."""
    if not brand.shows(offer.merchant_id):
        return False
    if offer.expires_at is not None and offer.expires_at <= now:
        return False
    if offer.price is not None and offer.price.currency != brand.currency:
        return False
    # A merchant who states delivery, but none to here, does not deliver to here.
    return not offer.delivery or offer.delivery_to(brand.country) is not None


def _line(offer: OfferView, brand: Brand) -> OfferLine:
    delivery = offer.delivery_to(brand.country)
    if delivery is not None and delivery.price.currency != brand.currency:
        delivery = None
    price_minor = offer.price.minor if offer.price is not None else None
    delivery_minor = delivery.price.minor if delivery is not None else None
    known = price_minor is not None and delivery_minor is not None
    return OfferLine(
        offer_id=offer.offer_id,
        merchant_id=offer.merchant_id,
        merchant_name=offer.merchant_name,
        title=offer.title,
        language=offer.language,
        url=offer.url,
        price_minor=price_minor,
        delivery_minor=delivery_minor,
        total_minor=(price_minor or 0) + (delivery_minor or 0) if known else None,
        days_min=delivery.days_min if delivery is not None else None,
        days_max=delivery.days_max if delivery is not None else None,
        condition=str(offer.condition),
        availability=str(offer.availability),
        quantity=offer.quantity,
        execution=str(offer.execution),
        returns_days=offer.returns_days,
        updated_at=offer.updated_at.isoformat(),
        expires_at=offer.expires_at.isoformat() if offer.expires_at is not None else None,
        merchant_quality_percent=offer.merchant_quality_percent,
        grade=str(offer.grade) if offer.grade is not None else None,
        photos=tuple(url for url in offer.image_urls if url.startswith("https://"))[:MAX_PHOTOS],
        piece=offer.description[:MAX_PIECE] if offer.description else None,
    )


def _disputed(view: ProductView, brand: Brand) -> dict[str, tuple[str, ...]]:
    """Facts that shoppers rely on and that the brand's merchants do not agree about."""
    found = {}
    for key in RELIED_ON:
        others = tuple(
            str(each.value)
            for each in view.conflicts.get(f"attributes.{key}", ())
            if any(brand.shows(merchant_id) for merchant_id in each.merchants)
        )
        if others and key in view.attributes:
            found[key] = others[:MAX_DISPUTED]
    return found


def _lowest_total(lines: Sequence[OfferLine]) -> int | None:
    """Among available new offers, else among all."""
    preferred = [
        line.total_minor
        for line in lines
        if line.total_minor is not None
        and line.condition == Condition.NEW
        and line.availability != Availability.OUT_OF_STOCK
    ]
    every = [line.total_minor for line in lines if line.total_minor is not None]
    return min(preferred or every, default=None)


def _once(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))
