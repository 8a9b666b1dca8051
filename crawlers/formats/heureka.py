"""Heureka XML (`SHOP/SHOPITEM`), also read by Zboží and the portals of that family.

Prices include VAT and carry no currency: it is the merchant's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from crawlers.feed_options import FeedOptions
from crawlers.google_attributes import names_currency, whole_number
from crawlers.offer_check import checked
from crawlers.xml_records import XmlPiece, children, own_text, pieces, root_of, text_in
from kernel.offer_terms import Availability
from mdm.raw_offer import RawDelivery, RawOffer, Refusal

_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}|^\d{1,2}\.\d{1,2}\.\d{4}")


def sniff(head: bytes, name: str) -> bool:  # noqa: ARG001 - one signature for all formats
    """A SHOP that holds SHOPITEM."""
    root = root_of(head)
    return root is not None and root[0] == "SHOP" and b"SHOPITEM" in head.replace(b"\0", b"")


def read(stream: BinaryIO, options: FeedOptions) -> Iterator[RawOffer | Refusal]:
    """One offer for each SHOPITEM."""
    count = 0
    for piece in pieces(stream, ("SHOPITEM",), options, one_kind=True):
        count += 1
        if isinstance(piece, Refusal):
            yield piece
            continue
        yield _offer(piece, options)
    if count == 0:
        yield Refusal("feed_empty", "the feed holds no SHOPITEM")


def _offer(piece: XmlPiece, options: FeedOptions) -> RawOffer | Refusal:
    item = piece.element
    values = {child.tag: own_text(child) for child in item if isinstance(child.tag, str)}
    price = values.get("PRICE_VAT")
    availability, days = _stock(values.get("DELIVERY_DATE"))
    pictures = (values.get("IMGURL"), *map(own_text, children(item, "IMGURL_ALTERNATIVE")))
    numbers = (values.get("EAN"), values.get("ISBN"))
    offer = RawOffer(
        sku=values.get("ITEM_ID") or "",
        title=values.get("PRODUCTNAME") or values.get("PRODUCT") or "",
        price=price,
        currency=None if names_currency(price) else options.currency,
        decimal=options.decimal,
        description=values.get("DESCRIPTION"),
        language=options.language,
        url=values.get("URL"),
        image_urls=tuple(url for url in pictures if url),
        gtins=tuple(number for number in numbers if number),
        mpn=values.get("PRODUCTNO"),
        manufacturer=values.get("MANUFACTURER"),
        category=values.get("CATEGORYTEXT"),
        availability=availability,
        quantity=whole_number(values.get("STOCK")),
        delivery=tuple(_delivery(row, days, options) for row in _priced_deliveries(item)),
        group=values.get("ITEMGROUP_ID"),
        condition=_condition(values.get("ITEM_TYPE")),
        attributes=tuple(_parameters(item)),
    )
    return checked(offer, piece.position)


def _stock(delivery_date: str | None) -> tuple[str | None, int | None]:
    """(availability, days until it leaves) of days or a date; 0 is stock."""
    if delivery_date is None:
        return None, None
    count = whole_number(delivery_date)
    if count == 0:
        return Availability.IN_STOCK.value, 0
    if count is not None:
        return Availability.BACKORDER.value, count
    if _DATE.match(delivery_date):
        return Availability.PREORDER.value, None
    return None, None


def _condition(item_type: str | None) -> str | None:
    return "used" if item_type == "bazar" else item_type


def _priced_deliveries(item: Any) -> list[Any]:
    return [row for row in children(item, "DELIVERY") if text_in(row, "DELIVERY_PRICE")]


def _delivery(row: Any, days: int | None, options: FeedOptions) -> RawDelivery:
    return RawDelivery(
        country=options.country,
        price=text_in(row, "DELIVERY_PRICE") or "",
        service=text_in(row, "DELIVERY_ID"),
        days_min=days,
    )


def _parameters(item: Any) -> Iterator[tuple[str, str]]:
    for parameter in children(item, "PARAM"):
        name, value = text_in(parameter, "PARAM_NAME"), text_in(parameter, "VAL")
        if name and value:
            yield name, value
