"""Fields of the tantivy index, and a document put into them.

Text fields hold terms made by `indexer.analysis`, split at blanks here and not analysed again.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import tantivy

from indexer.engine import Delete, Upsert
from indexer.index_fields import (
    AVAILABILITIES,
    LABEL_MARK,
    TEXT_FIELDS,
    WORD_FIELDS,
    numeric_key,
    plain_fields,
    text_fields,
)
from indexer.inventory import digest_of
from indexer.price_bars import bar_of

KEYWORDS = ("category", "manufacturer", "merchant", "availability", "variant_groups", "product_id")
LABELS = ("manufacturer_label", "merchant_label")
NUMBERS = (
    "key", "version", "total", "offer_count", "updated_at", "category_id", "stock", "shown",
    "accessories", "before_head", "dropped_on", "drop",
)  # fmt: skip
ID_PARTS = ("id_0", "id_1", "id_2")
"""Ids of up to 24 bytes, eight in each: columns are read without unpacking stored documents."""
ATTRIBUTES = "attributes"
"""Every attribute with its value in one field: a column for each name is slow to build."""
CATEGORY_TRAIL, TRAIL_JOINT = "category_trail", "/"
"""Categories from department to leaf in one value, as they are counted."""
DIGEST = "digest"
DOCUMENT = "document"
PRICE_BAR = "price_bar"
TERMS = "terms"
"""The tokenizer that splits at blanks; not saved with the index, so registered at opening."""


@lru_cache(maxsize=1)
def schema() -> tantivy.Schema:
    """The schema; every index of this format has it."""
    builder = tantivy.SchemaBuilder()
    for name in TEXT_FIELDS:
        builder.add_text_field(name, tokenizer_name=TERMS, index_option="freq")
    for name in WORD_FIELDS:
        builder.add_text_field(name, tokenizer_name=TERMS, index_option="basic")
    for name in (*KEYWORDS, *LABELS, CATEGORY_TRAIL, ATTRIBUTES):
        fast = name not in {"category", "product_id", "variant_groups"}
        builder.add_text_field(
            name, fast=fast, tokenizer_name="raw", index_option="basic", stored=name == "product_id"
        )
    for name in NUMBERS:
        builder.add_integer_field(name, indexed=True, fast=True)
    for name in (DIGEST, PRICE_BAR):
        builder.add_integer_field(name, fast=True)
    for name in ID_PARTS:
        builder.add_integer_field(name, fast=True)
    builder.add_bytes_field(DOCUMENT, stored=True)
    return builder.build()


def open_index(folder: Path) -> tantivy.Index:
    """Open (or make) the index in a folder, with its tokenizer."""
    index = tantivy.Index(schema(), path=str(folder))
    analyzer = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
    index.register_tokenizer(TERMS, analyzer)
    return index


def attribute(name: str, value: str) -> str:
    """An attribute as it is stored, filtered by and counted."""
    return f"{name}{LABEL_MARK}{value}"


Fields = dict[str, Any]
"""A change as values by field: what one process can hand to another."""


def fields_of(change: Upsert | Delete) -> Fields:
    """A change as stored, all but the document itself.

    A deletion is a marker with its version, so that a late write loses.
    """
    if isinstance(change, Delete):
        return _named(change.product_id, change.version, shown=0)
    plain = plain_fields(change.document)
    values = {
        **text_fields(change.document),
        **plain.words,
        "category": list(plain.categories),
        CATEGORY_TRAIL: TRAIL_JOINT.join(plain.categories) or None,
        "merchant": list(plain.merchants),
        "merchant_label": list(plain.merchant_labels),
        ATTRIBUTES: [attribute(name, value) for name, value in plain.attributes.items()],
        "manufacturer": plain.manufacturer,
        "manufacturer_label": plain.manufacturer_label,
        "availability": plain.availability,
        "variant_groups": list(plain.variant_groups),
        "total": plain.total,
        "offer_count": plain.offer_count,
        "updated_at": plain.updated_at,
        "category_id": plain.category_id,
        "accessories": plain.accessories,
        "before_head": plain.before_head,
        "dropped_on": plain.dropped_on,
        "drop": plain.drop,
        "stock": AVAILABILITIES.index(plain.availability),
        PRICE_BAR: None if plain.total is None else bar_of(plain.total),
        DIGEST: digest_of(change.document),
        **_named(plain.product_id, change.version, shown=1),
    }
    return {name: value for name, value in values.items() if value is not None}


def _named(product_id: str, version: int, *, shown: int) -> Fields:
    fields = {
        "product_id": product_id,
        "key": numeric_key(product_id),
        "version": version,
        "shown": shown,
    }
    packed = product_id.encode()
    if len(packed) <= 8 * len(ID_PARTS):
        for place, name in enumerate(ID_PARTS):
            part = packed[8 * place : 8 * place + 8].ljust(8, b"\0")
            fields[name] = int.from_bytes(part, "big", signed=True)
    return fields


def stored(fields: Fields) -> tantivy.Document:
    """Fields as the engine takes them. Raises ValueError, TypeError, OverflowError for others."""
    return tantivy.Document.from_dict(fields, schema())
