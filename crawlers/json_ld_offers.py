"""HTML of a product page -> `RawOffer`s, from its schema.org JSON-LD. Pure; nothing is guessed.

An AggregateOffer is the span of several sellers' prices, not one merchant's price: it is refused.
A page without usable markup gives a `Refusal`. Texts stay as stated; `mdm.normalise` reads them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urljoin

from crawlers.json_ld_graph import (
    PRODUCT_TYPES,
    Node,
    PageGraph,
    PageLimits,
    as_list,
    read_graph,
    short_name,
    types_of,
)
from crawlers.json_ld_shipping import delivery_of
from crawlers.offer_check import checked
from mdm.raw_offer import RawOffer, Refusal

_GTINS = ("gtin", "gtin8", "gtin12", "gtin13", "gtin14", "isbn")
_NOT_ASKED = frozenset(
    {"ListPrice", "StrikethroughPrice", "SRP", "MSRP", "InvoicePrice", "RegularPrice"}
)
_PLAIN_DECIMAL = re.compile(r"^\d+(\.\d{1,2})?$", re.ASCII)
_MAX_WHOLE = 2**53


def read_offers(
    html: str, page_url: str, limits: PageLimits | None = None
) -> list[RawOffer | Refusal]:
    """The offers of a page in its order; at least one entry, a refusal when there is no offer."""
    graph = read_graph(html, limits or PageLimits())
    found: list[RawOffer | Refusal] = []
    for node, group in graph.products:
        found.extend(_offers_of(graph.resolved(node), group, graph, page_url))
    if not found and not graph.refusals:
        found.append(_nothing(graph, page_url))
    return [*found, *(_placed(refusal, page_url) for refusal in graph.refusals)]


def _nothing(graph: PageGraph, page_url: str) -> Refusal:
    if graph.scripts == 0:
        code, reason = "markup_missing", "the page carries no JSON-LD"
    else:
        code, reason = "product_missing", "the page's JSON-LD describes no product"
    hint = "Add schema.org Product markup, or leave the page out of the sitemap."
    return Refusal(code, reason, hint=hint, excerpt=page_url[:200])


def _placed(refusal: Refusal, page_url: str) -> Refusal:
    return Refusal(refusal.code, refusal.reason, hint=refusal.hint, excerpt=page_url[:200])


def _offers_of(
    product: Node, group: Node | None, graph: PageGraph, page_url: str
) -> Iterator[RawOffer | Refusal]:
    if not types_of(product) & (PRODUCT_TYPES | {"ProductGroup"}):
        return
    offers = _single_offers(product, graph)
    sku = _sku(product, page_url)
    if not offers:
        yield _priceless(product, graph, sku, page_url)
        return
    own_sku = [offer for offer in offers if text_of(offer.get("sku"))]
    if len(own_sku) == len(offers) > 1:
        for offer in offers:
            yield _raw_offer(product, offer, group, graph, page_url)
    elif len({asked_price(offer, graph) for offer in offers}) > 1:
        yield Refusal(
            "several_prices",
            "the product states several prices and no article number for each",
            sku=sku[:200],
            excerpt=page_url[:200],
        )
    else:
        yield _raw_offer(product, offers[0], group, graph, page_url)


def _single_offers(product: Node, graph: PageGraph) -> list[Node]:
    """Offers of this merchant; an AggregateOffer counts only through the offers inside it."""
    found: list[Node] = []
    for value in as_list(product.get("offers")):
        offer = graph.resolved(value)
        if not isinstance(offer, Mapping):
            continue
        if "AggregateOffer" in types_of(offer):
            inner = [graph.resolved(each) for each in as_list(offer.get("offers"))]
            found.extend(each for each in inner if isinstance(each, Mapping))
        else:
            found.append(offer)
    return found


def _priceless(product: Node, graph: PageGraph, sku: str, page_url: str) -> Refusal:
    stated = [graph.resolved(value) for value in as_list(product.get("offers"))]
    aggregate = any("AggregateOffer" in types_of(each) for each in stated if isinstance(each, dict))
    if aggregate:
        code = "aggregate_price"
        reason = "an AggregateOffer is a span of prices, not the price of this merchant"
    else:
        code, reason = "offer_missing", "the product has no offer"
    return Refusal(code, reason, sku=sku[:200], excerpt=page_url[:200])


def text_of(value: Any) -> str | None:
    """A text, a number written out, or the name of a thing; None for anything else."""
    if isinstance(value, list):
        return next((text for text in map(text_of, value) if text), None)
    if isinstance(value, Mapping):
        return text_of(value.get("name") or value.get("@value"))
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else None
    if isinstance(value, int):
        return str(value) if abs(value) < _MAX_WHOLE else None
    return value.strip() or None if isinstance(value, str) else None


def _sku(product: Node, page_url: str, offer: Node | None = None) -> str:
    """The merchant's key: what it calls sku, else the next best thing that stays the same."""
    stated = [offer.get("sku")] if offer is not None else []
    stated += [product.get("sku"), product.get("productID"), product.get("mpn")]
    return next((text for text in map(text_of, stated) if text), page_url)


def _specifications(offer: Node, graph: PageGraph) -> Iterator[Node]:
    for value in as_list(offer.get("priceSpecification")):
        row = graph.resolved(value)
        if not isinstance(row, Mapping) or row.get("referenceQuantity"):
            continue
        if not _NOT_ASKED & {short_name(each) for each in as_list(row.get("priceType"))}:
            yield row


def asked_price(offer: Node, graph: PageGraph) -> tuple[str | None, str | None, bool]:
    """(price, currency, is tax excluded) that a buyer is asked for now, as stated."""
    for row in (offer, *_specifications(offer, graph)):
        if price := text_of(row.get("price")):
            currency = text_of(row.get("priceCurrency")) or text_of(offer.get("priceCurrency"))
            return price, currency, row.get("valueAddedTaxIncluded") is False
    return None, None, False


def _decimal_of(price: str | None) -> str | None:
    """A dot is the decimal sign by schema.org; said only where the price can mean nothing else."""
    return "." if price and _PLAIN_DECIMAL.match(price) else None


def _address(value: Any, page_url: str) -> str | None:
    """An absolute web address; None for anything else, scripts included."""
    text = text_of(value)
    if text is None or len(text) > 4_000:
        return None
    try:
        joined = urljoin(page_url, text)
    except ValueError:
        return None
    return joined if joined.startswith(("http://", "https://")) else None


def _pictures(values: list[Any], page_url: str, graph: PageGraph) -> Iterator[str]:
    for value in values:
        row = graph.resolved(value)
        if isinstance(row, Mapping):
            row = row.get("contentUrl") or row.get("url")
        if address := _address(row, page_url):
            yield address


def _attributes(product: Node, group: Node | None) -> Iterator[tuple[str, str]]:
    for name, key in (("colour", "color"), ("size", "size"), ("material", "material")):
        if text := text_of(product.get(key)):
            yield name, text
    for node in (group or {}, product):
        for row in as_list(node.get("additionalProperty")):
            if not isinstance(row, Mapping):
                continue
            stated, value = text_of(row.get("name")), text_of(row.get("value"))
            if stated and value:
                yield stated, value


def _group_id(product: Node, group: Node | None) -> str | None:
    stated = [group, product, *as_list(product.get("isVariantOf"))]
    found = (text_of(each.get("productGroupID")) for each in stated if isinstance(each, Mapping))
    return next((text for text in found if text), text_of(product.get("inProductGroupWithID")))


def _quantity(offer: Node) -> int | None:
    level = offer.get("inventoryLevel")
    value = level.get("value") if isinstance(level, Mapping) else level
    text = text_of(value) or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _first(key: str, *nodes: Node | None) -> str | None:
    return next((text for node in nodes if node and (text := text_of(node.get(key)))), None)


def _raw_offer(
    product: Node, offer: Node, group: Node | None, graph: PageGraph, page_url: str
) -> RawOffer | Refusal:
    price, currency, is_net = asked_price(offer, graph)
    gtins = dict.fromkeys(
        text for node in (offer, product) for key in _GTINS if (text := text_of(node.get(key)))
    )
    images = as_list(product.get("image")) or as_list((group or {}).get("image"))
    raw = RawOffer(
        sku=_sku(product, page_url, offer),
        title=_first("name", product, offer, group) or "",
        price=price,
        currency=currency,
        decimal=_decimal_of(price),
        price_is_net=is_net,
        description=_first("description", product, group),
        language=_first("inLanguage", product, group) or graph.language,
        url=_address(offer.get("url"), page_url)
        or _address(product.get("url"), page_url)
        or page_url,
        image_urls=tuple(_pictures(images, page_url, graph)),
        gtins=tuple(gtins),
        mpn=_first("mpn", offer, product),
        manufacturer=_maker(product, group, graph),
        category=_first("category", product, group),
        condition=short_name(_first("itemCondition", offer, product)) or None,
        availability=short_name(_first("availability", offer)) or None,
        quantity=_quantity(offer),
        delivery=delivery_of(offer, graph),
        group=_group_id(product, group),
        attributes=tuple(_attributes(product, group)),
    )
    return checked(raw)


def _maker(product: Node, group: Node | None, graph: PageGraph) -> str | None:
    for node in (product, group or {}):
        for key in ("brand", "manufacturer"):
            if text := text_of(graph.resolved(node.get(key))):
                return text
    return None
