"""How many offers carry a piece: a table in memory, or mapped from a file.

Each entry is the number that a piece's letters give (CRC-32) above the number of offers. Of ten
million pieces one in five hundred shares its number with another: both then look as common as they
are together, never rarer. A file is never changed: what follows on it is another file.
"""

from __future__ import annotations

import mmap
import os
from array import array
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.uint64]

_SMALLEST = 1 << 12
_FULL = 0.6


def piece_number(piece: str) -> int:
    """What a piece is counted by: 1 to 2**32 - 1."""
    return crc32(piece.encode()) or 1


def piece_numbers(pieces: Iterable[str]) -> array[int]:
    """What pieces are counted by."""
    return array("I", map(piece_number, pieces))


class PieceCounts:
    """Open addressing, entry after entry. `table` has a power of two of them, 0 where there is
    none. OSError or ValueError where a file is none of ours."""

    def __init__(self, table: memoryview | None = None) -> None:
        self._table = memoryview(bytes(8 * _SMALLEST)) if table is None else table.cast("B")
        size = len(self._table) // 8
        if len(self._table) != 8 * size or not size or size & (size - 1):
            raise ValueError("the table is cut off")
        self._entries = self._table.cast("Q")
        self._last = size - 1

    @classmethod
    def read(cls, file: Path) -> PieceCounts:
        """The counts of a file, mapped: only what is asked for is in memory."""
        with file.open("rb") as stream:
            return cls(memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)))

    def write(self, file: Path) -> None:
        """Keep the counts in a file, which is on the disk when this returns."""
        with file.open("wb") as stream:
            stream.write(self._table)
            stream.flush()
            os.fsync(stream.fileno())

    def count(self, piece: str) -> int:
        """How many offers carry a piece, and those that share its number."""
        number = piece_number(piece)
        place = number & self._last
        while entry := self._entries[place]:
            if entry >> 32 == number:
                return entry & 0xFFFFFFFF
            place = place + 1 & self._last
        return 0

    def counts(self, numbers: Numbers) -> Numbers:
        """The same of many, by their numbers."""
        import numpy as np

        table = np.frombuffer(self._table, dtype=np.uint64)
        return table[_places(table, numbers)] & np.uint64(0xFFFFFFFF)

    def changed(self, more: Sequence[int], fewer: Sequence[int]) -> PieceCounts:
        """The counts once offers came with pieces of these numbers, and others went."""
        import numpy as np

        table = np.frombuffer(self._table, dtype=np.uint64).copy()
        numbers, times = np.unique(np.asarray(more, dtype=np.uint64), return_counts=True)
        table = _with_room(table, len(numbers))
        _enter(table, numbers)
        table[_places(table, numbers)] += times.astype(np.uint64)
        numbers, times = np.unique(np.asarray(fewer, dtype=np.uint64), return_counts=True)
        places = _places(table, numbers)
        held = table[places] & np.uint64(0xFFFFFFFF)
        table[places] -= np.minimum(held, times.astype(np.uint64))
        return PieceCounts(table.data)


def _with_room(table: Numbers, more: int) -> Numbers:
    """The table, or a larger one without the pieces that nobody carries any more."""
    import numpy as np

    if np.count_nonzero(table) + more <= _FULL * len(table):
        return table
    there = table[table & np.uint64(0xFFFFFFFF) > 0]
    size = len(table)
    while 2 * (len(there) + more) > _FULL * size:
        size *= 2
    wider = np.zeros(size, dtype=np.uint64)
    numbers = there >> np.uint64(32)
    _enter(wider, numbers)
    wider[_places(wider, numbers)] = there
    return wider


def _enter(table: Numbers, numbers: Numbers) -> None:
    """Give those of these numbers that have none an entry; two that want the same place follow one
    another."""
    import numpy as np

    while len(numbers):
        places = _places(table, numbers)
        new = table[places] == 0
        numbers, places = numbers[new], places[new]
        table[places] = numbers << np.uint64(32)
        numbers = numbers[table[places] >> np.uint64(32) != numbers]


def _places(table: Numbers, numbers: Numbers) -> Numbers:
    """Where each number stands, or would stand next."""
    import numpy as np

    last = np.uint64(len(table) - 1)
    places = numbers & last
    left = np.arange(len(numbers))
    while len(left):
        entries = table[places[left]]
        left = left[(entries != 0) & (entries >> np.uint64(32) != numbers[left])]
        places[left] = places[left] + np.uint64(1) & last
    return places
