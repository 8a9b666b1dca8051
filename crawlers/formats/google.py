"""Google Merchant Center XML: RSS 2.0 and Atom.

Only elements directly inside the record are the product's own; the price inside `g:shipping`,
instalments and the like belongs to those.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from crawlers.feed_options import FeedOptions
from crawlers.google_attributes import attribute_name, days, offer_of
from crawlers.xml_records import XmlPiece, local_name, own_text, pieces, root_of, text_in
from mdm.raw_offer import RawDelivery, RawOffer, Refusal

NAMESPACE = "http://base.google.com/ns/1.0"
ROOTS = {"rss": "item", "feed": "entry", "RDF": "item"}
# Compound attributes whose parts must never be read as the product's own.
COMPOUND = frozenset(
    {"shipping", "tax", "installment", "subscription_cost", "loyalty_points", "loyalty_program",
     "free_shipping_threshold", "certification", "product_fee", "carrier_shipping"}
)  # fmt: skip


def sniff(head: bytes, name: str) -> bool:  # noqa: ARG001 - one signature for all formats
    """RSS or Atom that uses Google's namespace."""
    root = root_of(head)
    return root is not None and root[0] in ROOTS and NAMESPACE.encode() in head.replace(b"\0", b"")


def read(stream: BinaryIO, options: FeedOptions) -> Iterator[RawOffer | Refusal]:
    """One offer for each `item` or `entry`."""
    count = 0
    for piece in pieces(stream, ("item", "entry"), options, one_kind=True):
        count += 1
        if isinstance(piece, Refusal):
            yield piece
            continue
        yield _offer(piece, options)
    if count == 0:
        yield Refusal("feed_empty", "the feed holds no item")


def _offer(piece: XmlPiece, options: FeedOptions) -> RawOffer | Refusal:
    google: dict[str, list[str]] = {}
    plain: dict[str, list[str]] = {}
    delivery: list[RawDelivery] = []
    details: list[tuple[str, str]] = []
    for child in piece.element:
        if not isinstance(child.tag, str):
            continue
        name = attribute_name(local_name(child))
        is_google = child.tag.startswith("{" + NAMESPACE)
        if name == "shipping":
            delivery += _delivery(child)
        elif name == "product_detail":
            details += _detail(child)
        elif name in {"structured_title", "structured_description"}:
            _keep(plain, name.removeprefix("structured_"), text_in(child, "content"))
        elif name == "link" and not is_google:
            if child.get("rel", "alternate") == "alternate":
                _keep(plain, name, child.get("href") or own_text(child))
        elif name not in COMPOUND:
            _keep(google if is_google else plain, name, own_text(child))
    return offer_of({**plain, **google}, delivery, options, piece.position, details)


def _keep(values: dict[str, list[str]], name: str, text: str | None) -> None:
    if text:
        values.setdefault(name, []).append(text)


def _delivery(element: Any) -> list[RawDelivery]:
    price = text_in(element, "price")
    if price is None:
        return []
    return [
        RawDelivery(
            country=text_in(element, "country"),
            price=price,
            service=text_in(element, "service"),
            days_min=days(
                text_in(element, "min_handling_time"), text_in(element, "min_transit_time")
            ),
            days_max=days(
                text_in(element, "max_handling_time"), text_in(element, "max_transit_time")
            ),
        )
    ]


def _detail(element: Any) -> list[tuple[str, str]]:
    name, value = text_in(element, "attribute_name"), text_in(element, "attribute_value")
    return [(name, value)] if name and value else []
