"""Products of a judged set as the offers of one merchant, in the form that `mdm.intake` takes.

In: JSON lines with `id, title, name, ean[], supplier, price, short_description, attr_*` (the form
of Chorus/Icecat), plain or gzip. Out: `RawOffer`s whose `sku` is the judged document's id.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from kernel.errors import DomainError
from mdm.raw_offer import RawDelivery, RawOffer

MAX_LINE = 1 << 20
_ATTRIBUTE = "attr_"


def read_catalogue(path: Path) -> Iterator[RawOffer]:
    """Every product of the file; DomainError `catalogue_unreadable` names the line that is none.

    A file without products, or one that ends in the middle, is refused as well.
    """
    found = 0
    for number, line in _lines(path):
        try:
            if len(line) > MAX_LINE:
                raise ValueError(f"more than {MAX_LINE} bytes")
            offer = as_offer(orjson.loads(line))
        except KeyError as error:
            raise _unreadable(f"{path.name}, line {number}: {error} is missing") from error
        except (ValueError, TypeError, AttributeError) as error:
            raise _unreadable(f"{path.name}, line {number}: {error}") from error
        found += 1
        yield offer
    if not found:
        raise _unreadable(f"{path.name}: it has no products")


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Lines that have something on them, with their numbers."""
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as stream:
            for number, line in enumerate(stream, 1):
                if line.strip():
                    yield number, line
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(f"{path.name}: {error}") from error


def _unreadable(message: str) -> DomainError:
    hint = "One JSON object a line, with at least `id` and `title`."
    return DomainError("catalogue_unreadable", message, hint=hint)


def as_offer(row: Mapping[str, Any]) -> RawOffer:
    """One product as its merchant would state it."""
    price = row.get("price")
    return RawOffer(
        sku=str(row["id"]),
        title=str(row["title"]),
        price=f"{int(price) / 100:.2f}" if price else None,
        currency="USD",
        decimal=".",
        description=str(row["short_description"]) if row.get("short_description") else None,
        language="en",
        gtins=tuple(str(code) for code in row.get("ean") or ()),
        mpn=str(row["mpn"]) if row.get("mpn") else None,
        manufacturer=str(row["supplier"]) if row.get("supplier") else None,
        condition="new",
        availability="in stock",
        quantity=5,
        delivery=(RawDelivery(country="US", price="0.00 USD", days_min=1, days_max=3),),
        attributes=tuple(_attributes(row)),
    )


def _attributes(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The model's name, then `attr_t_product_colour: Black` as (`product colour`, `Black`)."""
    if row.get("name"):
        yield "model", str(row["name"])
    # What kind of thing it is comes first: a record keeps a bounded number of attributes.
    for name in sorted(row, key=lambda key: (not key.startswith("attr_t_"), key)):
        value = row[name]
        if not name.startswith(_ATTRIBUTE) or value is None or value == "":
            continue
        label = name[len(_ATTRIBUTE) :].partition("_")[2].replace("_", " ").strip()
        if isinstance(value, bool):
            yield label, "yes" if value else "no"
        elif isinstance(value, str | int | float):
            yield label, str(value)
