"""Changes made ready for an index, by several processes where there are many of them.

To read a product's texts takes longer than to index them, and one process of ours does one thing
at a time. In: changes. Out: for each its fields, or why it cannot be written down.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from multiprocessing import get_context, parent_process

import numpy as np
import orjson

from indexer.document import ProductDocument
from indexer.embedded.schema import Fields, fields_of
from indexer.engine import Delete, Upsert

ALONE_UP_TO = 5_000
"""Changes that are made ready before others have even started."""
MOST_PROCESSES = 8
_UNWRITABLE = (ValueError, TypeError, OverflowError, KeyError)
_NO_VECTOR = np.zeros(0, dtype=np.float32)


def prepared(changes: Sequence[Upsert | Delete]) -> list[Fields | str]:
    """Fields of each change, or the reason in words."""
    return [_prepared(change) for change in changes]


def _prepared(change: Upsert | Delete) -> Fields | str:
    try:
        return fields_of(change)
    except _UNWRITABLE as error:
        return unwritable(error)


def unwritable(error: Exception) -> str:
    """The reason that a change is refused for."""
    return f"it cannot be written down: {error}"


class Preparation:
    """What is made ready for one index that is being built; `close` ends its processes."""

    def __init__(self) -> None:
        self._seen = 0
        self._processes = min(os.cpu_count() or 1, MOST_PROCESSES)
        self._pool: ProcessPoolExecutor | None = None

    def fields(self, changes: Sequence[Upsert | Delete]) -> list[Fields | str]:
        """As `prepared`."""
        self._seen += len(changes)
        if self._seen <= ALONE_UP_TO or self._processes < 2:
            return prepared(changes)
        try:
            return self._shared(changes)
        except BrokenExecutor:
            # Out of memory, or not allowed to start any: slower, and as well.
            self.close()
            self._processes = 1
            return prepared(changes)

    def _shared(self, changes: Sequence[Upsert | Delete]) -> list[Fields | str]:
        if self._pool is None:
            # Not forked: this process has threads, and locks on its indices.
            self._pool = ProcessPoolExecutor(
                self._processes, mp_context=get_context("spawn"), initializer=_end_with_parent
            )
        handed = [_handed(change) for change in changes]
        size = -(-len(handed) // self._processes)
        parts = [handed[begin : begin + size] for begin in range(0, len(handed), size)]
        return [fields for part in self._pool.map(_taken, parts) for fields in part]

    def close(self) -> None:
        """End the other processes."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


def _end_with_parent() -> None:
    """A parent that is killed tells nobody; its children would wait for it for ever."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


_Handed = Delete | tuple[int, bytes] | str


def _handed(change: Upsert | Delete) -> _Handed:
    """A document goes as its JSON, the cheapest form to write and to read, and has no vector."""
    if isinstance(change, Delete):
        return change
    try:
        return change.version, orjson.dumps(change.document)
    except _UNWRITABLE as error:
        return unwritable(error)


def _taken(part: Sequence[_Handed]) -> list[Fields | str]:
    return [_of_handed(each) for each in part]


def _of_handed(each: _Handed) -> Fields | str:
    if isinstance(each, tuple):
        version, body = each
        return _prepared(Upsert(ProductDocument.from_json(body), _NO_VECTOR, version))
    return each if isinstance(each, str) else _prepared(each)
