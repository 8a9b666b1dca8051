"""A product for machines that read pages: schema.org's Product, with what is true of it. Pure.

Prices are what the page shows, with tax and without delivery, of offers that can be bought now;
where there is none, no offer is claimed.
"""

from __future__ import annotations

from typing import Any, Final

from kernel.offer_terms import Availability
from search_api.answer import ProductPage
from search_api.product_card import OfferCard

# What is not stated is not claimed.
_AVAILABILITY: Final = {
    Availability.IN_STOCK: "InStock",
    Availability.BACKORDER: "BackOrder",
    Availability.PREORDER: "PreOrder",
}
_SCHEMA: Final = "https://schema.org"
_MOST_TEXT: Final = 500


def product_data(page: ProductPage, origin: str) -> list[dict[str, Any]]:
    """JSON-LD of a product's page and of the way to it. `origin` is the shop's, as
    `https://shop.example`.
    """
    product: dict[str, Any] = {
        "@context": _SCHEMA,
        "@type": "Product",
        "name": page.title,
        "url": origin + page.url,
        "image": list(page.pictures) or absolute(page.picture, origin),
        "description": page.description[:_MOST_TEXT] or None,
        "brand": {"@type": "Brand", "name": page.manufacturer} if page.manufacturer else None,
        "gtin": next(iter(page.gtins), None),
        "mpn": next(iter(page.mpns), None),
        "offers": _offers(page),
    }
    found = [{name: value for name, value in product.items() if value is not None}]
    if page.crumbs:
        found.append(_crumbs(page, origin))
    return found


def absolute(address: str, origin: str) -> str:
    """An address of the shop's own with its origin; another stays as it is."""
    return origin + address if address.startswith("/") else address


def _offers(page: ProductPage) -> dict[str, Any] | None:
    offered = [
        (offer.price, offer)
        for offer in page.offers
        if offer.price is not None and offer.availability != Availability.OUT_OF_STOCK
    ]
    if not offered:
        return None
    prices = sorted((price for price, _ in offered), key=lambda price: price.minor)
    said: dict[str, Any] = {
        "@type": "AggregateOffer",
        "priceCurrency": prices[0].currency,
        "lowPrice": prices[0].plain(),
        "highPrice": prices[-1].plain(),
        "offerCount": len(offered),
    }
    availability = _best_availability([offer for _, offer in offered])
    return said | ({"availability": f"{_SCHEMA}/{availability}"} if availability else {})


def _best_availability(offers: list[OfferCard]) -> str | None:
    stated = {offer.availability for offer in offers}
    return next((name for code, name in _AVAILABILITY.items() if code in stated), None)


def _crumbs(page: ProductPage, origin: str) -> dict[str, Any]:
    steps = [(crumb.label, crumb.url) for crumb in page.crumbs] + [(page.title, page.url)]
    return {
        "@context": _SCHEMA,
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": at, "name": name, "item": origin + url}
            for at, (name, url) in enumerate(steps, 1)
        ],
    }
