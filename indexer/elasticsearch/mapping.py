"""Settings and mapping of an index, and a document put into it.

Only field types that every build of Elasticsearch has. Text fields hold terms made by
`indexer.analysis`, split at blanks here and not analysed again.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np

from indexer.engine import Delete, Upsert
from indexer.index_fields import (
    TEXT_FIELDS,
    WORD_FIELDS,
    PlainFields,
    plain_fields,
    text_fields,
)
from indexer.inventory import digest_of
from kernel.offer_terms import Availability

FORMAT = 12
"""Raised when the stored fields or their analysis change: older indices ask to be rebuilt."""

_FLAT, _FLAT_FROM, _SHORT = "bbq_flat", 64, "int8_flat"
"""How vectors are kept: by signs, and by bytes where they have fewer numbers than the server takes
so. No graph: putting a changed product into one costs more than all the rest of it, and only what
is similar is asked by vector alone."""


HIT = "hit"
"""What a hit tells of its product, in one column (see `Told`): six columns of a hundred hits take
an eighth of an answer's time."""


class Told(NamedTuple):
    """The parts of the column, which blanks keep apart; the id may have some of its own."""

    offer_count: int
    category_id: int
    in_stock: bool
    accessories: int
    before_head: int
    product_id: str


def told(text: str) -> Told:
    """The column read back; category 0 is none."""
    offers, category, stock, accessories, before_head, product_id = text.split(" ", 5)
    numbers = int(accessories), int(before_head)
    return Told(int(offers), int(category), stock == "1", *numbers, product_id)


def _told(plain: PlainFields) -> str:
    in_stock = int(plain.availability == Availability.IN_STOCK)
    kind = (plain.accessories, plain.before_head)
    parts = (plain.offer_count, plain.category_id, in_stock, *kind, plain.product_id)
    return " ".join(map(str, parts))


def vector_field(model_id: str) -> str:
    """The field of a model's vectors: another model's query finds no such field, so the two cannot
    be compared, whichever index the alias stands for at that moment."""
    return f"vector_{sha256(model_id.encode()).hexdigest()[:12]}"


@dataclass(frozen=True, slots=True)
class IndexShape:
    """How an index lies in the cluster. `replicas` None: one where there is a second node.

    `refresh_interval` counts from when an index is published.
    """

    shards: int = 1
    replicas: int | None = None
    refresh_interval: str = "500ms"

    def settings(self) -> dict[str, Any]:
        """Of an index that is to be built, as the server takes them."""
        copies: dict[str, Any] = {"auto_expand_replicas": "0-1"}
        if self.replicas is not None:
            copies = {"number_of_replicas": self.replicas, "auto_expand_replicas": False}
        return {
            "number_of_shards": self.shards,
            **copies,
            # Not while it is built: nobody reads it, and each refresh leaves a segment. With half
            # as many of them an answer takes a fifth less of the server's time.
            "refresh_interval": "-1",
            "max_result_window": 10_000,
        }


def index_body(brand_id: str, model_id: str, dimensions: int, shape: IndexShape) -> dict[str, Any]:
    """Body of the index's creation."""
    keyword = {"type": "keyword"}
    number = {"type": "long"}
    text = {
        "type": "text", "analyzer": "whitespace", "index_options": "freqs",
    }  # fmt: skip
    return {
        "settings": shape.settings(),
        "mappings": {
            "dynamic": "strict",
            "_meta": {
                "brand_id": brand_id,
                "model_id": model_id,
                "dimensions": dimensions,
                "format": FORMAT,
            },
            # Words and vectors are found by, never read back.
            "_source": {
                "excludes": [*TEXT_FIELDS, *WORD_FIELDS, "attributes", vector_field(model_id)]
            },
            "properties": {
                **dict.fromkeys(TEXT_FIELDS, text),
                **dict.fromkeys(WORD_FIELDS, keyword),
                "attributes": {"type": "flattened"},
                "product_id": keyword,
                "category": keyword,
                "manufacturer": keyword,
                "manufacturer_label": keyword,
                "merchant": keyword,
                "merchant_label": keyword,
                "availability": keyword,
                "variant_groups": keyword,
                "total": number,
                "offer_count": number,
                "updated_at": number,
                "dropped_on": number,
                "drop": number,
                HIT: {"type": "keyword", "index": False},
                "shown": {"type": "boolean"},
                # Compared product by product, never searched.
                "digest": {"type": "long", "index": False},
                "document": {"type": "object", "enabled": False},
                vector_field(model_id): {
                    "type": "dense_vector",
                    "dims": dimensions,
                    "index": True,
                    "similarity": "cosine",
                    "index_options": {"type": _FLAT if dimensions >= _FLAT_FROM else _SHORT},
                },
            },
        },
    }


def source(change: Upsert | Delete, model_id: str) -> dict[str, Any]:
    """A change as stored in an index of that model's vectors.

    A deletion is a marker with its version, so that a late write loses.
    """
    if isinstance(change, Delete):
        return {"product_id": change.product_id, "shown": False}
    plain = plain_fields(change.document)
    body: dict[str, Any] = {
        **text_fields(change.document),
        **{name: words.split() for name, words in plain.words.items()},
        "attributes": plain.attributes,
        "product_id": plain.product_id,
        "category": list(plain.categories),
        "manufacturer": plain.manufacturer,
        "manufacturer_label": plain.manufacturer_label,
        "merchant": list(plain.merchants),
        "merchant_label": list(plain.merchant_labels),
        "availability": plain.availability,
        "variant_groups": list(plain.variant_groups),
        "total": plain.total,
        "offer_count": plain.offer_count,
        "updated_at": plain.updated_at,
        "dropped_on": plain.dropped_on,
        "drop": plain.drop,
        HIT: _told(plain),
        "shown": True,
        "digest": digest_of(change.document),
        "document": change.document,
    }
    # A zero vector has no direction: cosine refuses it.
    if np.any(change.vector):
        body[vector_field(model_id)] = change.vector
    return body
