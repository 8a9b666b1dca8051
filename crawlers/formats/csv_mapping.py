"""Any delimited table, through a mapping from a merchant's column names to the fields of an offer.

The mapping is the `[source]` table of a merchant's TOML, or a file of its own with the same keys.
It is chosen by name, never guessed: a table without Google's column names means nothing by itself.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from crawlers.feed_options import CsvMapping, FeedBroken, FeedOptions
from crawlers.google_attributes import names_currency, whole_number
from crawlers.offer_check import checked
from crawlers.table_rows import DELIMITERS, Lines, Row, header_cells, read_header, rows
from kernel.errors import DomainError
from mdm.raw_offer import RawDelivery, RawOffer, Refusal

FIELDS = frozenset(
    {"sku", "title", "description", "manufacturer", "mpn", "gtin", "price", "currency",
     "sale_price", "tax_rate", "language", "url", "image", "category", "google_category",
     "condition", "availability", "quantity", "group", "multipack", "seller",
     "valid_until"}
)  # fmt: skip
TABLES = frozenset({"delivery", "delivery_days", "attributes"})
KEYS = frozenset(
    {"format", "mapping", "constants", "values", "delimiter", "encoding", "decimal", "currency",
     "language", "country", "prices", "separator", "list_separator", "price_is_net",
     "max_vanished_percent", "max_price_percent", "name", "url", "path", "source",
     "max_pages", "max_seconds", "max_page_bytes", "max_total_bytes", "delay_s",
     "requests_at_once"}
)  # fmt: skip


def sniff(head: bytes, name: str) -> bool:  # noqa: ARG001 - one signature for all formats
    """Never: a mapped table is declared, not recognised."""
    return False


def read(stream: BinaryIO, options: FeedOptions) -> Iterator[RawOffer | Refusal]:
    """One offer for each row."""
    mapping = options.mapping
    if mapping is None:
        yield Refusal("feed_mapping_missing", "this table needs a column mapping")
        return
    lines = Lines(stream, options)
    try:
        header = read_header(lines, options.limits)
        delimiter = mapping.delimiter or _delimiter(header.text or "", mapping)
        names = header_cells(header.text or "", delimiter)
        _require_columns(names, mapping)
    except FeedBroken as broken:
        yield broken.refusal
        return
    count = 0
    for row in rows(lines, delimiter, len(names), options.limits):
        count += 1
        yield row if isinstance(row, Refusal) else _offer(names, row, mapping, options)
    if count == 0:
        yield Refusal("feed_empty", "the table has a header and no row")


def _delimiter(header: str, mapping: CsvMapping) -> str:
    """The one under which most of the mapped columns are found."""
    needed = mapping.needed()
    return max(DELIMITERS, key=lambda each: len(needed.intersection(header_cells(header, each))))


def _require_columns(names: list[str], mapping: CsvMapping) -> None:
    missing = sorted(mapping.needed().difference(names))
    if missing:
        raise FeedBroken(
            Refusal(
                "feed_columns_missing",
                f"the table has no column called {', '.join(missing)}"[:400],
                hint=f"Its columns are: {', '.join(names)}"[:400],
            )
        )


def _offer(
    names: list[str], row: Row, mapping: CsvMapping, options: FeedOptions
) -> RawOffer | Refusal:
    cells = {name: cell.strip() for name, cell in zip(names, row.cells, strict=True)}
    fields = {
        name: _meaning(mapping, name, cells[column]) for name, column in mapping.columns.items()
    }
    fields = {**mapping.constants, **{name: text for name, text in fields.items() if text}}
    price = fields.get("price")
    offer = RawOffer(
        sku=fields.get("sku", ""),
        title=fields.get("title", ""),
        price=price,
        currency=fields.get("currency") or (None if names_currency(price) else options.currency),
        sale_price=fields.get("sale_price"),
        decimal=options.decimal,
        price_is_net=mapping.price_is_net,
        tax_rate=fields.get("tax_rate"),
        description=fields.get("description"),
        language=fields.get("language") or options.language,
        url=fields.get("url"),
        image_urls=_several(fields.get("image"), mapping),
        gtins=_several(fields.get("gtin"), mapping),
        mpn=fields.get("mpn"),
        manufacturer=fields.get("manufacturer"),
        category=fields.get("category"),
        google_category=fields.get("google_category"),
        condition=fields.get("condition"),
        availability=fields.get("availability"),
        valid_until=fields.get("valid_until"),
        quantity=whole_number(fields.get("quantity")),
        delivery=tuple(_delivery(cells, mapping)),
        group=fields.get("group"),
        multipack=whole_number(fields.get("multipack")),
        attributes=tuple(
            (name, cells[column]) for name, column in mapping.attributes.items() if cells[column]
        ),
        seller=fields.get("seller"),
    )
    return checked(offer, row.number, price_required=not mapping.prices_optional)


def _meaning(mapping: CsvMapping, name: str, text: str) -> str:
    return mapping.values.get(name, {}).get(text.casefold(), text)


def _several(text: str | None, mapping: CsvMapping) -> tuple[str, ...]:
    if not text:
        return ()
    return tuple(part.strip() for part in text.split(mapping.list_separator) if part.strip())


def _delivery(cells: Mapping[str, str], mapping: CsvMapping) -> Iterator[RawDelivery]:
    days = {name: whole_number(cells[column]) for name, column in mapping.delivery_days.items()}
    for country, column in mapping.delivery.items():
        if cells[column]:
            yield RawDelivery(
                country, cells[column], days_min=days.get("min"), days_max=days.get("max")
            )


def read_mapping(table: Mapping[str, Any], where: str) -> CsvMapping:
    """The mapping of a `[source]` table. Errors name the place, the key and what is expected."""
    _require_known(table, where)
    mapping = _table(table, "mapping", where)
    columns = {key: value for key, value in mapping.items() if key not in TABLES}
    strange = sorted(set(columns) - FIELDS)
    if strange:
        raise _wrong(where, f"mapping.{strange[0]}", f"one of {', '.join(sorted(FIELDS | TABLES))}")
    constants = _texts(table, "constants", where)
    for name in ("sku", "title"):
        if name not in columns:
            raise _wrong(where, f"mapping.{name}", "the name of a column")
    _require_texts(columns, f"{where}: mapping")
    optional = table.get("prices") == "optional" or ("price" not in {*columns, *constants})
    return CsvMapping(
        columns=columns,
        constants=constants,
        values={
            name: {word.casefold(): meaning for word, meaning in words.items()}
            for name, words in _table(table, "values", where).items()
            if isinstance(words, Mapping)
        },
        delivery=_texts(mapping, "delivery", where),
        delivery_days=_texts(mapping, "delivery_days", where),
        attributes=_texts(mapping, "attributes", where),
        delimiter=_delimiter_of(table, where),
        list_separator=str(table.get("list_separator", "|")),
        prices_optional=optional,
        price_is_net=table.get("price_is_net") is True,
    )


def _require_known(table: Mapping[str, Any], where: str) -> None:
    unknown = sorted(set(table) - KEYS)
    if unknown:
        raise _wrong(where, unknown[0], f"one of {', '.join(sorted(KEYS))}")


def _delimiter_of(table: Mapping[str, Any], where: str) -> str | None:
    delimiter = table.get("delimiter", table.get("separator"))
    if delimiter is not None and not (isinstance(delimiter, str) and len(delimiter) == 1):
        raise _wrong(where, "delimiter", "one character, such as ;")
    return delimiter


def _table(table: Mapping[str, Any], key: str, where: str) -> Mapping[str, Any]:
    value = table.get(key, {})
    if not isinstance(value, Mapping):
        raise _wrong(where, key, "a table")
    return value


def _texts(table: Mapping[str, Any], key: str, where: str) -> dict[str, str]:
    value = dict(_table(table, key, where))
    _require_texts(value, f"{where}: {key}")
    return value


def _require_texts(table: Mapping[str, Any], where: str) -> None:
    for key, value in table.items():
        if not isinstance(value, str) or not value:
            raise _wrong(where, key, "a text")


def _wrong(where: str, key: str, expected: str) -> DomainError:
    return DomainError("mapping_invalid", f"{where}: {key}: expected {expected}")


def options_of(table: Mapping[str, Any], where: str, defaults: FeedOptions) -> FeedOptions:
    """Feed options of a `[source]` table, over the merchant's defaults."""

    def text(key: str) -> str | None:
        value = table.get(key)
        if value is not None and not isinstance(value, str):
            raise _wrong(where, key, "a text")
        return value

    _require_known(table, where)
    mapping = read_mapping(table, where) if "mapping" in table else defaults.mapping
    return replace(
        defaults,
        currency=text("currency") or defaults.currency,
        country=text("country") or defaults.country,
        language=text("language") or defaults.language,
        decimal=text("decimal") or defaults.decimal,
        encoding=text("encoding") or defaults.encoding,
        mapping=mapping,
    )


def read_mapping_file(path: Path) -> Mapping[str, Any]:
    """The `[source]` table of a TOML file: a mapping's own, or a merchant's."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DomainError("mapping_invalid", f"{path.name}: {error}") from error
    source = document.get("source")
    table: Mapping[str, Any] = source if isinstance(source, dict) else document
    read_mapping(table, path.name)
    return table
