"""Google Merchant Center as a table: TSV or CSV with attribute names as column names.

A table of ids and labels alone is a supplemental feed: it completes another feed and can never
stand for a catalogue, so it is refused as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from crawlers.feed_options import FeedBroken, FeedOptions
from crawlers.google_attributes import KNOWN, REQUIRED, attribute_name, offer_of, table_delivery
from crawlers.table_rows import DELIMITERS, Lines, Row, header_cells, header_of, read_header, rows
from crawlers.text_encoding import text_of
from mdm.raw_offer import RawOffer, Refusal

SEVERAL = frozenset({"additional_image_link", "gtin"})


def _columns(header: str) -> tuple[str, list[str]]:
    """The delimiter under which the header has most known names, and those names."""
    readings = {
        delimiter: [attribute_name(cell) for cell in header_cells(header, delimiter)]
        for delimiter in DELIMITERS
    }
    best = max(readings, key=lambda delimiter: len(KNOWN.intersection(readings[delimiter])))
    return best, readings[best]


def _is_supplemental(names: list[str]) -> bool:
    return "id" in names and any(name.startswith("custom_label_") for name in names)


def sniff(head: bytes, name: str) -> bool:  # noqa: ARG001 - one signature for all formats
    """A header line with an id and at least two more of Google's names, or custom labels."""
    text = text_of(head)
    if text.lstrip("\ufeff \n\r\t")[:1] in {"<", "{", "["}:
        return False
    _, names = _columns(header_of(text))
    return "id" in names and (len(KNOWN.intersection(names)) >= 3 or _is_supplemental(names))


def read(stream: BinaryIO, options: FeedOptions) -> Iterator[RawOffer | Refusal]:
    """One offer for each row."""
    lines = Lines(stream, options)
    try:
        header = read_header(lines, options.limits)
    except FeedBroken as broken:
        yield broken.refusal
        return
    delimiter, names = _columns(header.text or "")
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        yield _incomplete(missing, names)
        return
    count = 0
    for row in rows(lines, delimiter, len(names), options.limits):
        count += 1
        yield row if isinstance(row, Refusal) else _offer(names, row, options)
    if count == 0:
        yield Refusal("feed_empty", "the table has a header and no row")


def _incomplete(missing: list[str], names: list[str]) -> Refusal:
    wanted = ", ".join(missing)
    if _is_supplemental(names):
        return Refusal(
            "feed_is_supplemental",
            f"a supplemental feed completes another one: it has no {wanted}",
            hint="Send the primary feed; labels for campaigns are not needed here.",
        )
    return Refusal(
        "feed_columns_missing",
        f"the table has no column for {wanted}",
        hint="Name the columns as Google does, or give a column mapping.",
    )


def _offer(names: list[str], row: Row, options: FeedOptions) -> RawOffer | Refusal:
    values: dict[str, list[str]] = {}
    for name, cell in zip(names, row.cells, strict=True):
        text = cell.strip()
        if text:
            parts = text.split(",") if name in SEVERAL else [text]
            values.setdefault(name, []).extend(part.strip() for part in parts if part.strip())
    delivery = [entry for text in values.get("shipping", ()) for entry in table_delivery(text)]
    return offer_of(values, delivery, options, row.number)
