"""BMEcat 1.2 and 2005 full catalogues (`T_NEW_CATALOG`), the exchange format of business trade.

Prices are usually net and say their tax rate; a gross price is preferred where there is one.
Updates of an earlier catalogue (`T_UPDATE_*`) say nothing alone and are refused as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, BinaryIO
from urllib.parse import urljoin

from crawlers.feed_options import FeedOptions
from crawlers.google_attributes import whole_number
from crawlers.offer_check import checked
from crawlers.xml_records import XmlPiece, children, own_text, pieces, root_of, text_in
from mdm.raw_offer import RawOffer, Refusal

RECORDS = frozenset({"ARTICLE", "PRODUCT"})
UPDATES = frozenset({"T_UPDATE_PRODUCTS", "T_UPDATE_PRICES"})
# Large parts before the records that are read or dropped piece by piece.
PARTS = frozenset(
    {"HEADER", "CLASSIFICATION_GROUP", "CATALOG_STRUCTURE", "FEATURE_GROUP", "FEATURE_TEMPLATE",
     "CLASSIFICATION_GROUP_FEATURE_TEMPLATE", "ARTICLE_TO_CATALOGGROUP_MAP",
     "PRODUCT_TO_CATALOGGROUP_MAP"}
)  # fmt: skip
# Best first: what a shopper pays, then what a customer pays before tax, then lists.
PRICE_TYPES = ("gros_list", "net_customer", "net_customer_exp", "net_list")
GROSS = frozenset({"gros_list"})
GROUPS = 100_000
PATH_DEPTH = 12
LANGUAGES = {
    "deu": "de", "ger": "de", "eng": "en", "fra": "fr", "fre": "fr", "ita": "it", "spa": "es",
    "nld": "nl", "dut": "nl", "ces": "cs", "cze": "cs", "slk": "sk", "slo": "sk", "pol": "pl",
    "por": "pt", "dan": "da", "swe": "sv", "fin": "fi", "hun": "hu",
}  # fmt: skip


@dataclass(slots=True)
class _Catalogue:
    """What the header and the classification say about all records."""

    language: str | None = None
    currency: str | None = None
    mime_root: str = ""
    groups: dict[str, tuple[str, str | None]] = field(default_factory=dict)

    def path(self, group_id: str | None) -> str | None:
        """`Hardware > Notebook` of a group; a loop of parents ends by itself."""
        names: list[str] = []
        while group_id in self.groups and len(names) < PATH_DEPTH:
            name, group_id = self.groups[group_id]
            names.append(name)
        return " > ".join(reversed(names)) or None


@dataclass(frozen=True, slots=True)
class _Price:
    amount: str
    currency: str | None
    is_net: bool
    tax: str | None


def sniff(head: bytes, name: str) -> bool:  # noqa: ARG001 - one signature for all formats
    """A BMECAT document of any kind; updates are recognised, to be refused by name."""
    root = root_of(head)
    return root is not None and root[0] == "BMECAT"


def read(stream: BinaryIO, options: FeedOptions) -> Iterator[RawOffer | Refusal]:
    """One offer for each ARTICLE or PRODUCT."""
    catalogue = _Catalogue(language=options.language, currency=options.currency)
    count = 0
    for piece in pieces(stream, RECORDS | PARTS, options, starts=UPDATES):
        if isinstance(piece, Refusal):
            count += 1
            yield piece
        elif piece.is_start:
            yield _update(piece.name)
            return
        elif piece.name in RECORDS:
            count += 1
            yield _offer(piece, catalogue, options)
        else:
            _learn(catalogue, piece)
    if count == 0:
        yield Refusal("feed_empty", "the catalogue holds no article")


def _update(transaction: str) -> Refusal:
    return Refusal(
        "feed_is_delta",
        f"{transaction} changes an earlier catalogue and cannot be read alone",
        hint="Send a full catalogue (T_NEW_CATALOG), or push price changes.",
    )


def _learn(catalogue: _Catalogue, piece: XmlPiece) -> None:
    if piece.name == "HEADER":
        _learn_header(catalogue, piece.element)
    elif piece.name == "CLASSIFICATION_GROUP" and len(catalogue.groups) < GROUPS:
        group_id = text_in(piece.element, "CLASSIFICATION_GROUP_ID")
        name = text_in(piece.element, "CLASSIFICATION_GROUP_NAME")
        if group_id and name:
            parent = text_in(piece.element, "CLASSIFICATION_GROUP_PARENT_ID")
            catalogue.groups[group_id[:200]] = (name[:200], parent)


def _learn_header(catalogue: _Catalogue, header: Any) -> None:
    for part in children(header, "CATALOG"):
        languages = children(part, "LANGUAGE")
        first = next((row for row in languages if row.get("default") == "true"), None)
        if first is None and languages:
            first = languages[0]
        code = (own_text(first) or "").lower() if first is not None else ""
        catalogue.language = LANGUAGES.get(code, code[:2] or catalogue.language)
        catalogue.currency = text_in(part, "CURRENCY") or catalogue.currency
        catalogue.mime_root = text_in(part, "MIME_ROOT") or ""


def _offer(piece: XmlPiece, catalogue: _Catalogue, options: FeedOptions) -> RawOffer | Refusal:
    record, kind = piece.element, piece.name
    details = next(iter(children(record, f"{kind}_DETAILS")), None)
    sku = text_in(record, "SUPPLIER_AID") or text_in(record, "SUPPLIER_PID") or ""
    if details is None:
        return Refusal(
            "title_missing", f"{kind} has no {kind}_DETAILS", piece.position, sku or None
        )
    price = _best_price(record, kind, catalogue.currency)
    pictures, links = _media(record, catalogue.mime_root)
    offer = RawOffer(
        sku=sku,
        title=_in_language(details, "DESCRIPTION_SHORT", catalogue.language) or "",
        price=price.amount if price else None,
        currency=price.currency if price else None,
        decimal=".",
        price_is_net=price.is_net if price else False,
        tax_rate=price.tax if price else None,
        description=_in_language(details, "DESCRIPTION_LONG", catalogue.language),
        language=catalogue.language or options.language,
        url=links[0] if links else None,
        image_urls=tuple(pictures),
        gtins=tuple(_numbers(details)),
        mpn=text_in(details, "MANUFACTURER_AID") or text_in(details, "MANUFACTURER_PID"),
        manufacturer=text_in(details, "MANUFACTURER_NAME"),
        category=_category(record, kind, catalogue),
        multipack=_units(record, kind),
        attributes=tuple(_features(record, kind)),
    )
    return checked(offer, piece.position)


def _in_language(details: Any, name: str, language: str | None) -> str | None:
    """The text in the catalogue's language, else the first one."""
    texts = children(details, name)
    for element in texts:
        if LANGUAGES.get((element.get("lang") or "").lower()) == language:
            return own_text(element)
    return own_text(texts[0]) if texts else None


def _numbers(details: Any) -> Iterator[str]:
    for element in children(details, "EAN"):
        yield own_text(element) or ""
    for element in children(details, "INTERNATIONAL_PID"):
        if (element.get("type") or "").lower() in {"gtin", "ean"}:
            yield own_text(element) or ""


def _best_price(record: Any, kind: str, currency: str | None) -> _Price | None:
    """The price of one order unit: best type first, then the smallest quantity."""
    candidates = [
        (PRICE_TYPES.index(price_type), _lower_bound(row), row)
        for block in children(record, f"{kind}_PRICE_DETAILS")
        for row in children(block, f"{kind}_PRICE")
        if (price_type := row.get("price_type")) in PRICE_TYPES and text_in(row, "PRICE_AMOUNT")
    ]
    if not candidates:
        return None
    rank, _, row = min(candidates, key=lambda candidate: candidate[:2])
    quantity = text_in(record, f"{kind}_ORDER_DETAILS", "PRICE_QUANTITY")
    amount = _amount(text_in(row, "PRICE_AMOUNT") or "", text_in(row, "PRICE_FACTOR"), quantity)
    if amount is None:
        return None
    tax = text_in(row, "TAX") or text_in(row, "TAX_DETAILS", "TAX")
    currency = text_in(row, "PRICE_CURRENCY") or currency
    return _Price(amount, currency, PRICE_TYPES[rank] not in GROSS, tax)


def _amount(amount: str, factor: str | None, quantity: str | None) -> str | None:
    """`amount * factor / quantity` with a dot; None where it is not a number."""
    try:
        value = Decimal(amount) * Decimal(factor or "1") / Decimal(quantity or "1")
    except (InvalidOperation, ZeroDivisionError):
        return None
    if not value.is_finite() or value < 0 or value.adjusted() > 12:
        return None
    return f"{value.quantize(Decimal('0.000001')).normalize():f}"


def _lower_bound(row: Any) -> Decimal:
    try:
        bound = Decimal(text_in(row, "LOWER_BOUND") or "1")
    except InvalidOperation:
        return Decimal(1)
    return bound if bound.is_finite() else Decimal(1)


def _units(record: Any, kind: str) -> int | None:
    """Pieces in one order unit, where it is more than one."""
    count = whole_number(text_in(record, f"{kind}_ORDER_DETAILS", "NO_CU_PER_OU"))
    return count if count and count > 1 else None


def _category(record: Any, kind: str, catalogue: _Catalogue) -> str | None:
    """Path of the first group that the catalogue itself describes."""
    for block in children(record, f"{kind}_FEATURES"):
        path = catalogue.path(text_in(block, "REFERENCE_FEATURE_GROUP_ID"))
        if path:
            return path
    return None


def _features(record: Any, kind: str) -> Iterator[tuple[str, str]]:
    for block in children(record, f"{kind}_FEATURES"):
        for feature in children(block, "FEATURE"):
            name, unit = text_in(feature, "FNAME"), text_in(feature, "FUNIT")
            values = [text for text in map(own_text, children(feature, "FVALUE")) if text]
            if name and values:
                yield name, " / ".join(values) + (f" {unit}" if unit else "")


def _media(record: Any, root: str) -> tuple[list[str], list[str]]:
    """(pictures, pages), with relative names put under the catalogue's MIME_ROOT."""
    pictures: list[str] = []
    pages: list[str] = []
    base = root.rstrip("/") + "/" if root else ""
    for block in children(record, "MIME_INFO"):
        for mime in children(block, "MIME"):
            source = text_in(mime, "MIME_SOURCE")
            kind = (text_in(mime, "MIME_TYPE") or "").lower()
            if source is None or len(source) > 4_000:
                continue
            if kind.startswith("image/"):
                pictures.append(_joined(base, source))
            elif kind in {"url", "text/html"}:
                pages.append(source)
    return pictures, [page for page in pages if page.startswith(("http://", "https://"))]


def _joined(base: str, source: str) -> str:
    try:
        return urljoin(base, source)
    except ValueError:
        return ""
