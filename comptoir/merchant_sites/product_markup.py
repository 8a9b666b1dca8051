"""schema.org JSON-LD for atelier-boreal's pages, in the several manners that real shops have.

In: an offer, its product, the site's address. Out: the text of the script blocks, safe to embed.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import orjson

from comptoir.demo_market.feeds import decimal_text
from comptoir.demo_market.model import MarketOffer, Product
from comptoir.demo_market.phrases import colour_text, value_text
from comptoir.demo_market.sheets import wording

Node = dict[str, Any]
_CONTEXT = "https://schema.org"
_CONDITION = {"new": "NewCondition", "refurbished": "RefurbishedCondition"}
MANNERS = ("plain", "graph", "array", "list_of_offers", "two_blocks", "bare_words")


def manner_of(offer: MarketOffer) -> str:
    """How this page writes its markup; fixed for an article."""
    return MANNERS[zlib.crc32(offer.sku.encode()) % len(MANNERS)]


def _shipping(offer: MarketOffer) -> list[Node]:
    return [
        {
            "@type": "OfferShippingDetails",
            "shippingRate": {
                "@type": "MonetaryAmount",
                "value": decimal_text(minor, "."),
                "currency": offer.currency,
            },
            "shippingDestination": {"@type": "DefinedRegion", "addressCountry": country},
            "deliveryTime": {
                "@type": "ShippingDeliveryTime",
                "transitTime": {
                    "@type": "QuantitativeValue",
                    "minValue": 1,
                    "maxValue": offer.delivery_days,
                    "unitCode": "DAY",
                },
            },
        }
        for country, minor in offer.delivery.items()
    ]


def _price_specification(offer: MarketOffer) -> list[Node]:
    now: Node = {
        "@type": "UnitPriceSpecification",
        "price": decimal_text(offer.price_minor, "."),
        "priceCurrency": offer.currency,
    }
    if offer.list_price_minor is None:
        return [now]
    was = {
        **now,
        "priceType": f"{_CONTEXT}/StrikethroughPrice",
        "price": decimal_text(offer.list_price_minor, "."),
    }
    return [was, now]


def _offer(offer: MarketOffer, base: str, manner: str) -> Node:
    prefix = "" if manner == "bare_words" else f"{_CONTEXT}/"
    node: Node = {
        "@type": "Offer",
        "url": base + offer.page,
        "itemCondition": prefix + _CONDITION[offer.condition],
        "availability": prefix + ("InStock" if offer.stock else "OutOfStock"),
        "inventoryLevel": {"@type": "QuantitativeValue", "value": offer.stock},
        "seller": {"@type": "Organization", "name": "Atelier Boréal"},
        "shippingDetails": _shipping(offer),
    }
    if offer.list_price_minor is None and manner != "list_of_offers":
        node |= {"price": decimal_text(offer.price_minor, "."), "priceCurrency": offer.currency}
    else:
        node["priceSpecification"] = _price_specification(offer)
    return node


def product_node(offer: MarketOffer, product: Product, base: str) -> Node:
    """One Product with its Offer, in the manner of the page; empty members left out."""
    manner = manner_of(offer)
    brand: Any = {"@type": "Brand", "name": offer.manufacturer}
    one_offer = _offer(offer, base, manner)
    known = wording()["facts"]
    node: Node = {
        "@type": "Product",
        "@id": f"{base}{offer.page}#product",
        "sku": offer.sku,
        "name": offer.title,
        "inLanguage": offer.language,
        "description": offer.description,
        "image": base + offer.picture if manner == "plain" else [base + offer.picture],
        "brand": offer.manufacturer if manner == "bare_words" else brand,
        "gtin" if manner in {"array", "bare_words"} else "gtin13": offer.gtin,
        "mpn": offer.mpn,
        "color": colour_text(offer.colour, offer.language),
        "category": offer.category_text,
        "additionalProperty": [
            {
                "@type": "PropertyValue",
                "name": key,
                "value": value_text(key, value, offer.language),
            }
            for key, value in product.facts.items()
            if key in known
        ],
        "offers": [one_offer] if manner == "list_of_offers" else one_offer,
    }
    if offer.group:
        node["isVariantOf"] = {"@type": "ProductGroup", "productGroupID": offer.group}
    return {key: value for key, value in node.items() if value is not None}


def group_node(group: str, name: str, url: str, members: Sequence[Node]) -> Node:
    """A ProductGroup whose variants carry everything themselves."""
    return {
        "@context": _CONTEXT,
        "@type": "ProductGroup",
        "productGroupID": group,
        "name": name,
        "url": url,
        "variesBy": [f"{_CONTEXT}/color", f"{_CONTEXT}/size"],
        "hasVariant": [
            {key: value for key, value in member.items() if key != "isVariantOf"}
            for member in members
        ],
    }


def _breadcrumbs(offer: MarketOffer) -> Node:
    return {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": place, "name": name}
            for place, name in enumerate(offer.category_text.split("/"), 1)
        ],
    }


def script_text(node: Any) -> str:
    """JSON that cannot end its script element early."""
    return orjson.dumps(node, option=orjson.OPT_INDENT_2).decode().replace("</", "<\\/")


def product_scripts(offer: MarketOffer, product: Product, base: str) -> list[str]:
    """The texts of the page's script blocks."""
    node = product_node(offer, product, base)
    context = {"@context": _CONTEXT}
    shop = {"@type": "Organization", "name": "Atelier Boréal", "url": f"{base}/atelier-boreal/"}
    match manner_of(offer):
        case "graph":
            return [script_text({**context, "@graph": [_breadcrumbs(offer), shop, node]})]
        case "array":
            return [script_text([{**context, **shop}, {**context, **node}])]
        case "two_blocks":
            return [
                script_text({**context, **_breadcrumbs(offer)}),
                script_text({**context, **node}),
            ]
        case _:
            return [script_text({**context, **node})]


def with_trailing_comma(script: str) -> str:
    """The slip of a hand-edited template: a comma before the last brace."""
    return script.rstrip().removesuffix("}").rstrip() + ",\n}"


def with_comma_price(script: str, offer: MarketOffer) -> str:
    """The slip of a shop that prints its prices as people read them: `1.299,00`."""
    plain = decimal_text(offer.price_minor, ".")
    people = f"{offer.price_minor // 100:,}".replace(",", ".") + f",{offer.price_minor % 100:02d}"
    return script.replace(f'"{plain}"', f'"{people}"')
