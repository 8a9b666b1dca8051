"""Vectors of one index: a file, replaced whole, so that readers map the old one or the new one.

Keys are `indexer.index_fields.numeric_key`. The nearest are looked for by the signs of the
numbers, one bit each, and then compared as they are: there is no graph to build, and none that
titles of one kind of product, which crowd together, could lead astray. Zero vectors (texts of
which no piece is known) are not stored.
"""

from __future__ import annotations

import mmap
import os
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from indexer.engine import Vector

FILE = "vectors.bin"
_MARK = 0x3130_4345_5643
_HEAD = ("mark", "vectors", "dimensions")
"""Words of eight bytes before the keys, the signs and the halves."""
_SHORTLIST, _ONE_IN = 1_000, 250
"""Compared as they are: so many, and one in so many of all. Of the true first ten 99.6 % are among
them at 97,000 products and 99.8 % at 970,000."""
_NEGATIVE = 0x8000
_SAME = 2e-3
"""What rounding may make of a number of a unit vector, at most."""

Keys = NDArray[np.uint64]
Halves = NDArray[np.uint16]
"""The upper half of float32 numbers: a thousandth is kept, and nothing is faster to read."""


def _halves(rows: Vector) -> Halves:
    rounded = np.ascontiguousarray(rows, dtype=np.float32).view(np.uint32) + np.uint32(0x8000)
    return (rounded >> 16).astype(np.uint16)


def _whole(halves: Halves) -> Vector:
    # In one pass, without a second array that only holds the numbers as they were.
    bits = np.empty(halves.shape, dtype=np.uint32)
    np.left_shift(halves, np.uint32(16), out=bits)
    return bits.view(np.float32)


def _signs(halves: Halves) -> NDArray[np.uint64]:
    """A bit for each number above 0, in whole words: [words, vectors], each word in one row."""
    packed = np.packbits(halves - np.uint16(1) < _NEGATIVE - 1, axis=1)
    padded = np.pad(packed, ((0, 0), (0, -packed.shape[1] % 8)))
    return np.ascontiguousarray(padded.view(np.uint64).T)


class _Rows:
    """Halves in a file, read row by row. Mapped, nearly all of it would soon be this process's: a
    search reads two hundred rows that lie anywhere."""

    def __init__(self, file: BinaryIO | None, begin: int, dimensions: int) -> None:
        self._begin, self._dimensions = begin, dimensions
        # Of its own: the file may be replaced, and is closed by whoever has opened it.
        self._file = -1 if file is None else os.dup(file.fileno())
        if file is not None:
            weakref.finalize(self, os.close, self._file)

    def at(self, places: NDArray[Any]) -> Halves:
        """[len(places), dimensions]. ValueError where the file has been cut."""
        size = 2 * self._dimensions
        begins = (self._begin + size * places).tolist()
        rows = b"".join([os.pread(self._file, size, begin) for begin in begins])
        return np.frombuffer(rows, dtype=np.uint16).reshape(len(places), self._dimensions)

    def every(self) -> Halves:
        """All of them, mapped for as long as they are held."""
        if self._file < 0:
            return np.zeros((0, self._dimensions), dtype=np.uint16)
        mapped = mmap.mmap(self._file, 0, access=mmap.ACCESS_READ)
        rows = np.frombuffer(mapped, dtype=np.uint16, offset=self._begin)
        return rows.reshape(-1, self._dimensions)


@dataclass(frozen=True, slots=True)
class _Table:
    """Keys in rising order; signs [words, n] and halves [n, dimensions] in that order."""

    keys: Keys
    signs: NDArray[np.uint64]
    halves: _Rows

    def places(self, keys: Keys) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Where the keys stand, and which of them are here at all; any place for the others."""
        if not len(self.keys):
            return np.zeros(len(keys), dtype=np.intp), np.zeros(len(keys), dtype=np.bool_)
        places = np.searchsorted(self.keys, keys).clip(max=len(self.keys) - 1)
        return places, self.keys[places] == keys

    def shortlist(self, vector: Vector, wanted: int) -> NDArray[Any]:
        """Places of those whose signs differ least; at most twice as many as wanted."""
        if len(self.keys) <= wanted:
            return np.arange(len(self.keys))
        asked = _signs(_halves(vector[np.newaxis]))[:, 0]
        differing = np.zeros(len(self.keys), dtype=np.uint16)
        for column, word in zip(self.signs, asked, strict=True):
            differing += np.bitwise_count(column ^ word)
        last = np.partition(differing, wanted)[wanted]
        as_far = np.flatnonzero(differing == last)[:wanted]
        return np.concatenate([np.flatnonzero(differing < last), as_far])

    def cosines(self, places: NDArray[Any], vector: Vector) -> Vector:
        """Stored vectors have unit length."""
        # `@` shares thousands of rows among threads that wait for each other by turning round and
        # round: four times the processor's time, taken from the searches beside this one.
        found: Vector = np.einsum("ij,j->i", _whole(self.halves.at(places)), vector)
        return found


def _empty(dimensions: int) -> _Table:
    none = np.zeros((0, dimensions), dtype=np.uint16)
    return _Table(np.zeros(0, dtype=np.uint64), _signs(none), _Rows(None, 0, dimensions))


class VectorFile:
    """Readers and the writer of one file. Not for two threads that write.

    `building` keeps changes in memory until `save`.
    """

    def __init__(self, folder: Path, dimensions: int, *, building: bool = False) -> None:
        self._path = folder / FILE
        self._dimensions = dimensions
        self._mapped: tuple[tuple[int, int], _Table] | None = None
        self._draft: list[tuple[Keys, Halves]] | None = [] if building else None

    def nearest(self, vector: Vector, count: int) -> list[tuple[int, float]]:
        """(key, cosine) of the nearest, best first."""
        table = self._current()
        if not len(table.keys) or not vector.any():
            return []
        wanted = max(4 * count, _SHORTLIST + len(table.keys) // _ONE_IN)
        places = table.shortlist(vector, wanted)
        cosines = table.cosines(places, vector)
        best = np.argsort(-cosines, kind="stable")[:count]
        return list(zip(table.keys[places[best]].tolist(), cosines[best].tolist(), strict=True))

    def cosines(self, vector: Vector | None, keys: Keys) -> Vector:
        """The cosine of each key in its place; NaN for a key without a vector."""
        found = np.full(len(keys), np.nan, dtype=np.float32)
        if vector is not None and vector.any():
            table = self._current()
            places, known = table.places(keys)
            found[known] = table.cosines(places[known], vector)
        return found

    def change(self, upserts: Mapping[int, Vector], deletes: Sequence[int]) -> None:
        """Apply and save; nothing is written where every vector is the same already.

        Prices change far more often than texts: the file is only mapped until a vector differs.
        """
        keys = np.array([*upserts, *deletes], dtype=np.uint64)
        # What is deleted has no direction either: both leave no row.
        rows = np.zeros((len(keys), self._dimensions), dtype=np.float32)
        if upserts:
            rows[: len(upserts)] = np.stack(list(upserts.values()))
        if self._draft is not None:
            self._draft.append((keys, _halves(rows)))
            return
        differs = _differs(self._current(), keys, rows)
        if differs.any():
            self._replace([(keys[differs], _halves(rows[differs]))])

    def save(self) -> None:
        """Save what was applied while building."""
        if self._draft:
            self._replace(self._draft)
            self._draft.clear()

    def _replace(self, changes: Sequence[tuple[Keys, Halves]]) -> None:
        keys, halves = _changed(self._current(), changes)
        temporary = self._path.with_name(f"{FILE}.{os.getpid()}.new")
        head = np.array([_MARK, len(keys), self._dimensions], dtype=np.uint64)
        with temporary.open("wb") as stream:
            for part in (head, keys, _signs(halves), halves):
                part.tofile(stream)
        temporary.replace(self._path)

    def stamp(self) -> str:
        """Differs once the file was replaced."""
        status = self._status()
        return f"{status.st_ino:x}-{status.st_mtime_ns:x}" if status is not None else "none"

    def _status(self) -> os.stat_result | None:
        try:
            return self._path.stat()
        except FileNotFoundError:
            return None

    def _current(self) -> _Table:
        """The mapped file, opened again when it was replaced."""
        status = self._status()
        if status is None:
            return _empty(self._dimensions)
        stamp, mapped = (status.st_ino, status.st_mtime_ns), self._mapped
        if mapped is None or mapped[0] != stamp:
            # Not read back: a slower thread may put the former file there.
            mapped = self._mapped = (stamp, _mapped(self._path, self._dimensions))
        return mapped[1]


def _mapped(path: Path, dimensions: int) -> _Table:
    """The table of a file. Raises ValueError for one that is not ours, or not whole."""
    with path.open("rb") as stream:
        data = np.fromfile(stream, np.uint64, count=len(_HEAD)).tolist()
        words = -(-dimensions // 64)
        count = data[1] if data[::2] == [_MARK, dimensions] else -1
        sizes = (8 * len(_HEAD), 8 * count, 8 * count * words, 2 * count * dimensions)
        ends = list(accumulate(sizes))
        if count < 0 or os.fstat(stream.fileno()).st_size != ends[-1]:
            raise ValueError(f"{path.name} is not a whole file of vectors of {dimensions} numbers")
        bytes_ = np.memmap(stream, np.uint8, mode="r", shape=ends[-2]).view(np.ndarray)
        keys, signs = (bytes_[begin:end].view(np.uint64) for begin, end in pairwise(ends[:-1]))
        return _Table(keys, signs.reshape(words, count), _Rows(stream, ends[-2], dimensions))


def _differs(table: _Table, keys: Keys, rows: Vector) -> NDArray[np.bool_]:
    """Which rows are other ones than those stored, within what rounding makes of them."""
    places, known = table.places(keys)
    held = np.zeros_like(rows)
    held[known] = _whole(table.halves.at(places[known]))
    found: NDArray[np.bool_] = (np.abs(held - rows) > _SAME).any(axis=1)
    return found


def _changed(table: _Table, changes: Sequence[tuple[Keys, Halves]]) -> tuple[Keys, Halves]:
    """The last word on each key, in rising order, where it is not an empty row."""
    held = table.halves.every()
    keys = np.concatenate([table.keys, *(keys for keys, _ in changes)])
    halves = np.concatenate([held, *(rows for _, rows in changes)])
    _, from_the_end = np.unique(keys[::-1], return_index=True)
    places = len(keys) - 1 - from_the_end
    halves = halves[places]
    filled = np.flatnonzero(halves.any(axis=1))
    return keys[places[filled]], halves[filled]
