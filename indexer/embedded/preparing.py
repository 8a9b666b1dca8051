"""Changes made ready for an index, by several processes where there are many of them.

To read a product's texts takes longer than to index them, and one process of ours does one thing
at a time. In: changes. Out: for each its fields, or why it cannot be written down.
"""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from itertools import chain
from multiprocessing import get_context, parent_process

import numpy as np
import orjson

from indexer.document import ProductDocument
from indexer.embedded.schema import DOCUMENT, Fields, fields_of
from indexer.engine import Delete, Upsert
from mdm.processors import usable

ALONE_UP_TO = 5_000
"""Changes that are made ready before others have even started."""
MOST_PROCESSES = 8
_PART = 125
"""Changes handed over at a time."""
_UNWRITABLE = (ValueError, TypeError, OverflowError, KeyError)
_NO_VECTOR = np.zeros(0, dtype=np.float32)
_Handed = Delete | tuple[int, bytes] | str


def prepared(changes: Sequence[Upsert | Delete]) -> Iterator[Fields | str]:
    """Fields of each change, or the reason in words."""
    for change in changes:
        handed = _handed(change)
        yield handed if isinstance(handed, str) else _whole(handed, _prepared(change))


def _prepared(change: Upsert | Delete) -> Fields | str:
    try:
        return fields_of(change)
    except _UNWRITABLE as error:
        return unwritable(error)


def _whole(handed: _Handed, fields: Fields | str) -> Fields | str:
    """With the document, which the one who hands it over has written down already."""
    if isinstance(handed, tuple) and not isinstance(fields, str):
        fields[DOCUMENT] = handed[1]
    return fields


def unwritable(error: Exception) -> str:
    """The reason that a change is refused for."""
    return f"it cannot be written down: {error}"


class Preparation:
    """What is made ready for one index that is being built; `close` ends its processes."""

    def __init__(self) -> None:
        self._seen = 0
        self._processes = min(usable(), MOST_PROCESSES)
        self._pool: ProcessPoolExecutor | None = None

    def fields(self, changes: Sequence[Upsert | Delete]) -> Iterator[Fields | str]:
        """As `prepared`; the first are taken while the last are made."""
        self._seen += len(changes)
        done = 0
        if self._seen > ALONE_UP_TO and self._processes > 1:
            try:
                for fields in self._shared(changes):
                    yield fields
                    done += 1
            except BrokenExecutor:
                # Out of memory, or not allowed to start any: slower, and as well.
                self.close()
                self._processes = 1
        yield from prepared(changes[done:])

    def _shared(self, changes: Sequence[Upsert | Delete]) -> Iterable[Fields | str]:
        if self._pool is None:
            # Not forked: this process has threads, and locks on its indices.
            self._pool = ProcessPoolExecutor(
                self._processes, mp_context=get_context("spawn"), initializer=_begin
            )
        handed = [_handed(change) for change in changes]
        size = min(_PART, -(-len(handed) // self._processes))
        parts = [handed[begin : begin + size] for begin in range(0, len(handed), size)]
        made = chain.from_iterable(self._pool.map(_taken, parts))
        return map(_whole, handed, made)

    def close(self) -> None:
        """End the other processes."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


def _begin() -> None:
    """What is made here dies without cycles: to look for some took a quarter of the time."""
    gc.disable()
    _end_with_parent()


def _end_with_parent() -> None:
    """A parent that is killed tells nobody; its children would wait for it for ever."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


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
