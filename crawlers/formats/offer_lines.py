"""Raw offers as JSON lines: what a spider of ours writes and ingestion reads.

Each line is a `RawOffer` or a `Refusal` (told by its `code`) in the JSON of its fields. A spider
repeats what strangers published, so every line passes the same gate as any feed.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson

from crawlers.feed_options import FeedBroken, FeedOptions
from crawlers.offer_check import checked
from crawlers.table_rows import Lines
from mdm.raw_offer import RawOffer, Refusal

if TYPE_CHECKING:
    from pydantic import TypeAdapter


@lru_cache(maxsize=1)
def _adapters() -> tuple[TypeAdapter[RawOffer], TypeAdapter[Refusal]]:
    from pydantic import TypeAdapter

    return TypeAdapter(RawOffer), TypeAdapter(Refusal)


def sniff(head: bytes, name: str) -> bool:  # noqa: ARG001 - one signature for all formats
    """A first line that is an object with our own field names."""
    first = head.lstrip(b"\xef\xbb\xbf").lstrip().split(b"\n", 1)[0]
    try:
        value = orjson.loads(first)
    except orjson.JSONDecodeError:
        return False
    return isinstance(value, dict) and (
        {"sku", "title"} <= value.keys() or {"code", "reason"} <= value.keys()
    )


def read(stream: BinaryIO, options: FeedOptions) -> Iterator[RawOffer | Refusal]:
    """One record for each line."""
    lines = Lines(stream, options)
    count = 0
    try:
        while (line := lines.next()) is not None:
            count += 1
            if line.text is None:
                yield Refusal("line_too_long", f"line {line.number} is too long", line.number)
            elif line.text.strip():
                yield record_of(line.text, line.number)
    except FeedBroken as broken:
        count += 1
        yield broken.refusal
    if count == 0:
        yield Refusal("feed_empty", "the file holds no record")


def record_of(text: str, number: int) -> RawOffer | Refusal:
    """One line. Anything that is not exactly a record is refused."""
    try:
        value: Any = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return Refusal("json_malformed", f"line {number}: {error}", number, excerpt=text[:200])
    offers, refusals = _adapters()
    try:
        if isinstance(value, dict) and "code" in value:
            return refusals.validate_python(value)
        offer = offers.validate_python(value)
    except ValueError as error:
        return Refusal("record_shape", f"line {number}: {str(error)[:300]}", number)
    return checked(offer, number, price_required=False)
