"""Agentic Commerce Protocol product feeds, specification of 2026-04-17.

`products.jsonl` (one Product a line), or any JSON document with arrays called `products` in it: the
answers and requests of the feed API. Amounts are minor units. Each variant is an offer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import orjson

from crawlers.bounded_stream import STEP, Meter
from crawlers.feed_options import FeedBroken, FeedLimits, FeedOptions
from crawlers.offer_check import checked, excerpt_of
from crawlers.table_rows import Lines
from kernel.errors import DomainError
from kernel.money import Money, is_currency
from kernel.offer_terms import Availability
from mdm.raw_offer import RawOffer, Refusal

VARIANTS = 2_000
VALUES = 50_000
"""Scalars and containers of one product."""
BARCODES = frozenset({"gtin", "ean", "upc", "isbn", "jan", "itf", "ean13", "gtin13", "gtin14"})
DIGITS = 300
_LONG_NUMBER = re.compile(rb"[0-9]{%d}" % DIGITS)
_PRODUCTS = re.compile(rb'"products"\s*:\s*\[')
_PRODUCT_LINE = re.compile(rb'^\s*\[?\s*\{(?=.*"variants"\s*:\s*\[)', re.DOTALL)


def sniff(head: bytes, name: str) -> bool:  # noqa: ARG001 - one signature for all formats
    """JSON with a `products` array, or lines of products with variants."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:1] not in {b"{", b"["}:
        return False
    return bool(_PRODUCTS.search(text) or _PRODUCT_LINE.match(text))


def read(stream: BinaryIO, options: FeedOptions) -> Iterator[RawOffer | Refusal]:
    """One offer for each variant that has a price."""
    products = _lines(stream, options) if _is_lines(stream) else _document(stream, options.limits)
    count = 0
    for position, product in enumerate(products, 1):
        count += 1
        if isinstance(product, Refusal):
            yield product
            continue
        yield from _offers(product, position, options)
    if count == 0:
        yield Refusal("feed_empty", "the document holds no product")


def _is_lines(stream: BinaryIO) -> bool:
    """True when the first line alone is a whole product."""
    first = stream.read(256 * 1024).removeprefix(b"\xef\xbb\xbf").lstrip().split(b"\n", 1)[0]
    stream.seek(0)
    try:
        value = orjson.loads(first)
    except orjson.JSONDecodeError:
        return False
    return isinstance(value, dict) and "variants" in value


def _lines(stream: BinaryIO, options: FeedOptions) -> Iterator[Any]:
    lines = Lines(stream, options)
    try:
        while (line := lines.next()) is not None:
            if line.text is None:
                yield Refusal("line_too_long", f"line {line.number} is too long", line.number)
            elif line.text.strip():
                try:
                    yield orjson.loads(line.text)
                except orjson.JSONDecodeError as error:
                    yield Refusal(
                        "json_malformed",
                        f"line {line.number}: {error}",
                        line.number,
                        excerpt=line.text[:200],
                    )
    except FeedBroken as broken:
        yield broken.refusal


def _document(stream: BinaryIO, limits: FeedLimits) -> Iterator[Any]:
    """Every element of every array called `products` (or of the outermost array), streamed."""
    import ijson

    meter = _NumberMeter(stream, limits)
    walk = _Walk(limits)
    try:
        for event, value in ijson.basic_parse(meter, use_float=False):
            product = walk.take(event, value)
            if product is not None:
                meter.record_done()
                yield product
    except FeedBroken as broken:
        yield broken.refusal
    except ijson.JSONError as error:
        yield _not_json(error)
    except (ValueError, ArithmeticError) as error:
        yield _not_json(error)


def _not_json(error: Exception) -> Refusal:
    reason = str(error).strip().splitlines()
    is_cut = "premature EOF" in str(error)
    return Refusal(
        "feed_truncated" if is_cut else "feed_malformed",
        f"not JSON to its end: {reason[0][:200] if reason else 'unreadable'}",
        hint="Send the whole document; products before this place were read.",
    )


class _NumberMeter(Meter):
    """Stops at a number so long that the parser's native code could not stand its conversion."""

    _tail = b""

    def read(self, size: int = STEP) -> bytes:
        """As `Meter.read`."""
        block = super().read(size)
        if _LONG_NUMBER.search(self._tail + block):
            raise FeedBroken(
                Refusal("feed_malformed", f"a number of more than {DIGITS} digits is no number")
            )
        self._tail = block[-DIGITS:]
        return block


class _Walk:
    """Where we are in the document, and the product being put together."""

    def __init__(self, limits: FeedLimits) -> None:
        self._limits = limits
        self._path: list[str | None] = []
        self._key: str | None = None
        self._values = 0
        self._stack: list[Any] = []
        self._keys: list[str] = []

    def take(self, event: str, value: Any) -> Any:
        """A finished product, or None."""
        if event == "map_key":
            self._key = value
            if self._stack:
                self._keys[-1] = value
            return None
        if event in {"start_map", "start_array"}:
            self._open(event)
            return None
        if event in {"end_map", "end_array"}:
            return self._close()
        if self._stack:
            self._add(value)
        return None

    def _open(self, event: str) -> None:
        if len(self._path) >= self._limits.depth:
            raise FeedBroken(
                Refusal("feed_too_deep", f"nested deeper than {self._limits.depth} levels")
            )
        is_product = event == "start_map" and not self._stack and self._in_products()
        container: Any = {} if event == "start_map" else []
        if self._stack:
            self._add(container)
        if self._stack or is_product:
            self._stack.append(container)
            self._keys.append("")
        # An array remembers its name, a map does not: that is how `products` is told.
        self._path.append(f"[{self._key or ''}" if event == "start_array" else "{")
        self._key = None

    def _in_products(self) -> bool:
        return bool(self._path) and (self._path[-1] == "[products" or self._path == ["["])

    def _close(self) -> Any:
        if self._path:
            self._path.pop()
        if not self._stack:
            return None
        finished = self._stack.pop()
        self._keys.pop()
        if self._stack:
            return None
        self._values = 0
        return finished

    def _add(self, value: Any) -> None:
        self._values += 1
        if self._values > VALUES:
            raise FeedBroken(
                Refusal("feed_record_too_large", f"a product has more than {VALUES} values")
            )
        parent = self._stack[-1]
        if isinstance(parent, dict):
            parent[self._keys[-1]] = value
        else:
            parent.append(value)


def _offers(product: Any, position: int, options: FeedOptions) -> Iterator[RawOffer | Refusal]:
    """The priced variants; a product without any is refused once, by its own id."""
    if not isinstance(product, Mapping):
        yield Refusal("record_shape", "a product must be an object", position)
        return
    variants = [each for each in _list(product, "variants")[:VARIANTS] if isinstance(each, dict)]
    priced = [each for each in variants if isinstance(each.get("price"), dict)]
    if not priced:
        yield Refusal(
            "price_missing",
            "the product has no variant with a price",
            position,
            sku=_text(product, "id"),
            hint="Give each variant a price: {amount in minor units, currency}.",
            excerpt=excerpt_of(_text(product, "id"), _text(product, "title")),
        )
        return
    for variant in variants:
        yield _offer(product, variant, position, options)


def _offer(
    product: Mapping[str, Any], variant: Mapping[str, Any], position: int, options: FeedOptions
) -> RawOffer | Refusal:
    sku = _text(variant, "id") or ""
    try:
        price, currency = _price(variant)
    except DomainError as error:
        return Refusal(error.code, error.message, position, sku=sku[:200] or None, hint=error.hint)
    category, google_category = _categories(variant, product)
    marketplace = variant.get("marketplace")
    offer = RawOffer(
        sku=sku,
        title=_text(variant, "title") or _text(product, "title") or "",
        price=price,
        currency=currency,
        decimal=".",
        description=_description(variant) or _description(product),
        language=options.language,
        url=_text(variant, "url") or _text(product, "url"),
        image_urls=(*_pictures(variant), *_pictures(product)),
        gtins=tuple(_barcodes(variant)),
        manufacturer=_text(variant, "brand") or _text(product, "brand"),
        category=category,
        google_category=google_category,
        condition=next((each for each in _list(variant, "condition") if _is_text(each)), None),
        availability=_availability(variant),
        group=_text(product, "id") if len(_list(product, "variants")) > 1 else None,
        attributes=tuple(_options(variant)),
        seller=_name(variant.get("seller")) if isinstance(marketplace, Mapping) else None,
    )
    return checked(offer, position)


def _price(variant: Mapping[str, Any]) -> tuple[str, str]:
    price = variant.get("price")
    if not isinstance(price, Mapping):
        raise DomainError("price_missing", "the variant has no price")
    amount, currency = price.get("amount"), price.get("currency")
    if isinstance(amount, bool) or not isinstance(amount, int) or not 0 <= amount < 10**15:
        raise DomainError(
            "price_shape", "price.amount must be a whole number of minor units", hint="1999 = 19.99"
        )
    if not isinstance(currency, str) or not is_currency(currency):
        raise DomainError("currency_unknown", "price.currency must be an ISO 4217 code")
    return Money(amount, currency).plain(), currency


def _availability(variant: Mapping[str, Any]) -> str | None:
    stock = variant.get("availability")
    if not isinstance(stock, Mapping):
        return None
    status = _text(stock, "status")
    if stock.get("available") is False and status in {None, "in_stock", "limited_stock"}:
        return Availability.OUT_OF_STOCK.value
    if status:
        return {"limited_stock": "in_stock", "discontinued": "out_of_stock"}.get(status, status)
    return Availability.IN_STOCK.value if stock.get("available") is True else None


def _categories(
    variant: Mapping[str, Any], product: Mapping[str, Any]
) -> tuple[str | None, str | None]:
    """(the merchant's own, Google's)."""
    own = google = None
    for entry in [*_list(variant, "categories"), *_list(product, "categories")]:
        if not isinstance(entry, Mapping):
            continue
        if _text(entry, "taxonomy") == "google_product_category":
            google = google or _text(entry, "value")
        else:
            own = own or _text(entry, "value")
    return own, google


def _description(record: Mapping[str, Any]) -> str | None:
    texts = record.get("description")
    if isinstance(texts, str):
        return texts
    if not isinstance(texts, Mapping):
        return None
    return _text(texts, "plain") or _text(texts, "markdown") or _text(texts, "html")


def _pictures(record: Mapping[str, Any]) -> Iterator[str]:
    for entry in _list(record, "media"):
        if isinstance(entry, Mapping) and entry.get("type") == "image" and _text(entry, "url"):
            yield str(entry["url"])


def _barcodes(variant: Mapping[str, Any]) -> Iterator[str]:
    for entry in _list(variant, "barcodes"):
        if isinstance(entry, Mapping) and _text(entry, "value"):
            kind = (_text(entry, "type") or "gtin").lower().replace("-", "")
            if kind in BARCODES:
                yield str(entry["value"])


def _options(variant: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for entry in _list(variant, "variant_options"):
        if isinstance(entry, Mapping):
            name, value = _text(entry, "name"), _text(entry, "value")
            if name and value:
                yield name, value


def _name(entry: Any) -> str | None:
    return _text(entry, "name") if isinstance(entry, Mapping) else None


def _text(record: Mapping[str, Any], key: str) -> str | None:
    value = record.get(key)
    return value if isinstance(value, str) and value.strip() else None


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _list(record: Mapping[str, Any], key: str) -> list[Any]:
    value = record.get(key)
    return value if isinstance(value, list) else []
