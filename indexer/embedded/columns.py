"""What hits tell of products, by their place in the index: read from its columns once.

A segment never changes (what is deleted in it is only hidden), so what was read of one is kept for
as long as the index holds it, whatever is committed beside it. A row is some 80 bytes and is filled
when a search first meets its product.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import orjson
import tantivy
from numpy.typing import NDArray

from indexer.embedded.schema import ID_PARTS

_NUMBERS: Final = ("key", "version", "offer_count", "updated_at", "category_id", "stock",
                   "accessories")  # fmt: skip
NO_TOTAL: Final = -1
ROW: Final = np.dtype(
    [
        ("key", np.int64), ("version", np.int64), ("total", np.int64), ("accessories", np.int64),
        ("updated_at", np.int64), ("category_id", np.int32), ("offer_count", np.int32),
        ("stock", np.int8), ("known", np.bool_), ("id", f"S{8 * len(ID_PARTS)}"),
    ]
)  # fmt: skip
"""`total` is NO_TOTAL and `category_id` 0 where there is none; `id` is empty where it is longer."""

Rows = NDArray[Any]
"""Rows of ROW."""


def segments_of(meta: bytes) -> tuple[tuple[str, int], ...]:
    """Names and numbers of documents of the segments, in the order that places count them in."""
    return tuple((row["segment_id"], row["max_doc"]) for row in orjson.loads(meta)["segments"])


class Columns:
    """Rows by place, for one searcher. Threads share it: rows are only ever filled in."""

    def __init__(
        self,
        searcher: tantivy.Searcher,
        segments: Sequence[tuple[str, int]],
        kept: Mapping[str, Rows],
    ) -> None:
        self._searcher = searcher
        self.by_segment = {
            name: kept[name] if name in kept else np.zeros(size, ROW) for name, size in segments
        }
        self._tables = tuple(self.by_segment.values())

    def rows(self, places: Sequence[tantivy.DocAddress]) -> Rows:
        """The rows of these places, in their order."""
        segments = np.array([place.segment_ord for place in places], dtype=np.intp)
        documents = np.array([place.doc for place in places], dtype=np.intp)
        found = np.empty(len(places), ROW)
        for segment in set(segments.tolist()):
            here = segments == segment
            found[here] = self._tables[segment][documents[here]]
        unknown = np.flatnonzero(~found["known"])
        if unknown.size:
            found[unknown] = self._read([places[place] for place in unknown.tolist()])
            for segment in set(segments[unknown].tolist()):
                here = unknown[segments[unknown] == segment]
                self._tables[segment][documents[here]] = found[here]
        return found

    def _read(self, places: list[tantivy.DocAddress]) -> Rows:
        def column(name: str, absent: int = 0) -> list[int]:
            values = self._searcher.fast_field_values(name, places)
            return [absent if value is None else int(value) for value in values]

        read = np.zeros(len(places), ROW)
        for name in _NUMBERS:
            read[name] = column(name)
        read["total"] = column("total", NO_TOTAL)
        parts = np.array([column(name) for name in ID_PARTS], dtype=">i8")
        read["id"] = np.ascontiguousarray(parts.T).view(ROW["id"]).ravel()
        read["known"] = True
        return read
