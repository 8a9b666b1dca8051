"""What hits tell of products, by their place in the index: its columns, read once.

A segment never changes (what is deleted in it is only hidden), so its table is kept for as long as
the index holds it, whatever is committed beside it: some 65 bytes a product. That of a large one is
a file as well, which the next process maps: a million products take seconds to read.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import tantivy
from numpy.typing import NDArray

from indexer.embedded.schema import ID_PARTS

_NUMBERS: Final = (
    "key", "version", "offer_count", "category_id", "stock", "accessories",
    "before_head",
)  # fmt: skip
ROW: Final = np.dtype(
    [
        ("key", np.int64), ("version", np.int64), ("accessories", np.int64),
        ("before_head", np.int64),
        ("category_id", np.int32), ("offer_count", np.int32), ("stock", np.int8),
        ("id", f"S{8 * len(ID_PARTS)}"),
    ]
)  # fmt: skip
"""`category_id` is 0 where there is none; `id` is empty where it is longer."""
_AT_ONCE: Final = 16_384
"""Products read in one go: other threads wait that long for their turn. Of a segment with fewer no
file is kept."""

Table = NDArray[Any]
"""Rows of ROW."""


def segments_of(meta: bytes) -> tuple[tuple[str, int], ...]:
    """Names and numbers of documents of the segments, in the order that places count them in."""
    return tuple((row["segment_id"], row["max_doc"]) for row in orjson.loads(meta)["segments"])


class Columns:
    """Rows by place, for one searcher; tables of segments that are known already are taken over.

    `folder` holds the files of large ones; it need not exist, nor be writable.
    """

    def __init__(
        self,
        searcher: tantivy.Searcher,
        segments: Sequence[tuple[str, int]],
        kept: Mapping[str, Table],
        folder: Path,
    ) -> None:
        self.by_segment: dict[str, Table] = {}
        for place, (name, size) in enumerate(segments):
            table = kept[name] if name in kept else _filed(folder, name, size)
            if table is None:
                table = _read(searcher, place, size)
                _file(folder, name, table, {each for each, _ in segments})
            self.by_segment[name] = table
        self._tables = tuple(self.by_segment.values())

    def rows(self, places: Sequence[tantivy.DocAddress]) -> Table:
        """The rows of these places, in their order."""
        documents = np.array([place.doc for place in places], dtype=np.intp)
        if len(self._tables) == 1:
            alone: Table = self._tables[0][documents]
            return alone
        segments = np.array([place.segment_ord for place in places], dtype=np.intp)
        found = np.empty(len(places), ROW)
        for segment in set(segments.tolist()):
            here = segments == segment
            found[here] = self._tables[segment][documents[here]]
        return found


def _filed(folder: Path, name: str, size: int) -> Table | None:
    """The table that a process before this one has filed; None where there is none that fits."""
    if size < _AT_ONCE:
        return None
    try:
        table = np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r"))
    except (OSError, ValueError, EOFError):
        return None
    return table if table.dtype == ROW and len(table) == size else None


def _file(folder: Path, name: str, table: Table, living: Iterable[str]) -> None:
    """Leave the table to the next process, where it is large; those of gone segments make room."""
    if len(table) < _AT_ONCE:
        return
    with suppress(OSError):
        folder.mkdir(exist_ok=True)
        draft = folder / f"{name}.{secrets.token_hex(4)}"
        with draft.open("wb") as stream:
            np.save(stream, table, allow_pickle=False)
        os.replace(draft, folder / f"{name}.npy")
        for other in folder.iterdir():
            if other.name.partition(".")[0] not in living:
                other.unlink(missing_ok=True)


def _read(searcher: tantivy.Searcher, segment: int, size: int) -> Table:
    table = np.empty(size, ROW)
    for start in range(0, size, _AT_ONCE):
        part = table[start : start + _AT_ONCE]
        _fill(part, searcher, [tantivy.DocAddress(segment, start + at) for at in range(len(part))])
    return table


def _fill(part: Table, searcher: tantivy.Searcher, places: list[tantivy.DocAddress]) -> None:
    def column(name: str) -> list[int]:
        return [int(value or 0) for value in searcher.fast_field_values(name, places)]

    for name in _NUMBERS:
        part[name] = column(name)
    parts = np.array([column(name) for name in ID_PARTS], dtype=">i8")
    part["id"] = np.ascontiguousarray(parts.T).view(ROW["id"]).ravel()
