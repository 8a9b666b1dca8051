"""Vectors of one index: a usearch file, replaced whole, so that readers map the old or the new one.

Keys are `indexer.index_fields.numeric_key`. Vectors are stored in half precision; zero vectors
(texts of which no piece is known) are not stored.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from usearch.index import Index

from indexer.engine import Vector

FILE = "vectors.usearch"
EXACT_UP_TO = 50_000
"""Vectors up to this number are all compared, in some milliseconds. Titles of one kind of product
crowd together, and the graph with its own defaults found three of four of the nearest ten."""
_EXPANSION = 512
_MET = 8_000
"""Vectors kept for comparison: a kilobyte each."""


class _Met:
    """Vectors read from one file: places by key, rows that are only ever added. Row 0 is empty."""

    def __init__(self, index: Index, room: int, dimensions: int) -> None:
        self.index = index
        self.places: dict[int, int] = {}
        self.rows: Vector = np.zeros((room + 1, dimensions), dtype=np.float32)
        self.filled = 1

    @property
    def left(self) -> int:
        """Rows that still have room."""
        return len(self.rows) - self.filled


def _read(met: _Met, keys: Sequence[int]) -> tuple[list[int], Vector]:
    unknown = [key for key in keys if key not in met.places]
    if unknown:
        wanted = np.array(unknown, dtype=np.uint64)
        found = wanted[np.asarray(met.index.contains(wanted))]
        met.places.update(dict.fromkeys(unknown, 0))
        if found.size:
            rows = np.asarray(met.index.get(found, dtype="f16")).reshape(len(found), -1)
            end = met.filled + len(found)
            met.rows[met.filled : end] = rows
            met.places.update(zip(found.tolist(), range(met.filled, end), strict=True))
            met.filled = end
    return [met.places[key] for key in keys], met.rows


class VectorFile:
    """Readers and the writer of one file. Not for two threads that write.

    `building` keeps the vectors in memory until `save`.
    """

    def __init__(self, folder: Path, dimensions: int, *, building: bool = False) -> None:
        self._path = folder / FILE
        self._dimensions = dimensions
        self._read_stamp: tuple[int, int] | None = None
        self._reader: Index | None = None
        self._searching = threading.Lock()
        self._met: _Met | None = None
        self._draft = self._loaded() if building else None

    def nearest(self, vector: Vector, count: int) -> list[tuple[int, float]]:
        """(key, cosine) of the nearest, best first."""
        index = self._current()
        if index is None or not len(index) or not np.any(vector):
            return []
        # A search uses working memory of the index that two threads must not share.
        with self._searching:
            matches = index.search(
                vector, min(count, len(index)), threads=1, exact=len(index) <= EXACT_UP_TO
            )
        return [
            (int(key), 1.0 - float(distance))
            for key, distance in zip(matches.keys, matches.distances, strict=True)
        ]

    def cosines(self, vector: Vector, keys: Sequence[int]) -> list[float | None]:
        """The cosine of each key in its place; None for a key without a vector."""
        index = self._current()
        if index is None or not len(keys) or not vector.any():
            return [None] * len(keys)
        places, rows = self._rows(index, keys)
        # Stored vectors have unit length; half precision adds less than a thousandth.
        similar = (rows[places] @ vector).tolist()
        return [cosine if place else None for cosine, place in zip(similar, places, strict=True)]

    def _rows(self, index: Index, keys: Sequence[int]) -> tuple[list[int], Vector]:
        """Places of the keys in a table of vectors; 0 for a key without one.

        Vectors met before are kept: to read one from the file takes longer than to compare it.
        """
        if len(keys) > _MET // 4:
            return _read(_Met(index, len(keys), self._dimensions), keys)
        with self._searching:
            if self._met is None or self._met.index is not index or self._met.left < len(keys):
                self._met = _Met(index, _MET, self._dimensions)
            return _read(self._met, keys)

    def change(self, upserts: Mapping[int, Vector], deletes: Sequence[int]) -> None:
        """Apply and save; nothing is written where every vector is the same already.

        Prices change far more often than texts: the file is only mapped until a vector differs.
        """
        if self._draft is not None:
            _apply(self._draft, upserts, deletes)
            return
        index = self._current() or self._empty()
        gone = [key for key in deletes if index.contains(key)]
        fresh = {key: vector for key, vector in upserts.items() if _differs(index, key, vector)}
        if gone or fresh:
            index = self._loaded()
            _apply(index, fresh, gone)
            self._replace(index)

    def save(self) -> None:
        """Save what was applied while building."""
        if self._draft is not None:
            self._replace(self._draft)

    def _replace(self, index: Index) -> None:
        temporary = self._path.with_name(f"{FILE}.{os.getpid()}.new")
        index.save(temporary)
        temporary.replace(self._path)

    def _loaded(self) -> Index:
        index = self._empty()
        if self._path.exists():
            index.load(self._path)
        return index

    def _empty(self) -> Index:
        return Index(ndim=self._dimensions, metric="cos", dtype="f16")

    def _current(self) -> Index | None:
        """The mapped file, opened again when it was replaced."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return None
        stamp = (status.st_ino, status.st_mtime_ns)
        if stamp != self._read_stamp:
            self._reader = Index.restore(self._path, view=True)
            if self._reader is None:
                raise ValueError(f"{self._path.name} is not a vector file")
            self._reader.expansion_search = _EXPANSION  # type: ignore[misc]  # it has a setter
            self._read_stamp = stamp
        return self._reader


def _apply(index: Index, upserts: Mapping[int, Vector], deletes: Sequence[int]) -> None:
    for key in (*deletes, *upserts):
        if index.contains(key):
            index.remove(key)
    added = {key: vector for key, vector in upserts.items() if np.any(vector)}
    if added:
        index.add(np.fromiter(added, dtype=np.uint64), np.stack(list(added.values())), threads=1)


def _differs(index: Index, key: int, vector: Vector) -> bool:
    """Whether the stored vector is another one, within half precision."""
    held = index.get(key, dtype="f32") if index.contains(key) else None
    if held is None:
        return bool(np.any(vector))
    return not np.allclose(np.asarray(held).ravel(), vector, atol=2e-3)
