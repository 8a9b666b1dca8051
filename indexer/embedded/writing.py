"""Applying changes to an index: one writer at a time, versions compared, one commit per call.

The vectors are saved before the words are committed: a crash between the two leaves vectors that no
product claims, or a product with its former vector until it is written again.

A writer stays open for a while, so that segments are merged beside a stream of changes and not
before the end of each. Another process that wants to write says so, and is let in at once.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
import weakref
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import tantivy

from indexer.embedded.generations import Manifest
from indexer.embedded.preparing import Preparation, prepared, unwritable
from indexer.embedded.querying import of_products
from indexer.embedded.schema import Fields, open_index, stored
from indexer.embedded.vectors import VectorFile
from indexer.engine import Delete, Refused, Upsert, WriteReport, misfit
from indexer.index_fields import numeric_key
from kernel.errors import DomainError

LOCK_WAIT_S = 60.0
KEEP_OPEN_S = 10.0
COMMIT_EVERY = 200_000
"""Changes of an index that is being built, and that nobody searches yet."""

_HEAP_BYTES, _BUILDING_HEAP_BYTES = 50_000_000, 300_000_000
"""What is written before a segment is closed: few segments are built, and read, faster."""
_LOOK_EVERY_S = 0.1
_WANTED = "write.wanted"


@dataclass(slots=True)
class _Open:
    """What is held while an index is open for writing. `pending`: versions not yet committed."""

    lock: TextIO
    index: tantivy.Index
    writer: tantivy.IndexWriter
    vectors: VectorFile
    used_at: float
    pending: dict[str, int] = field(default_factory=dict)


class IndexWriter:
    """Writes to one index, for all threads of this process.

    With `building`, changes are committed many at a time, the last of them by `close`.
    """

    def __init__(self, folder: Path, manifest: Manifest, *, building: bool = False) -> None:
        self._folder, self._manifest, self.is_building = folder, manifest, building
        self._turn = threading.RLock()
        self._open: _Open | None = None
        self._preparation = Preparation() if building else None
        _WRITERS.add(self)

    def write(self, changes: Sequence[Upsert | Delete]) -> WriteReport:
        """Apply and commit. Raises DomainError `index_busy` when another process keeps writing."""
        fitting, refused = _sorted_out(changes, self._manifest)
        # Before anything is written: one bad document must not take others down with it.
        documents, unfit = self._documents(fitting)
        refused += unfit
        if not documents:
            return WriteReport(refused=refused)
        with self._turn:
            try:
                fresh = self._apply(self._opened(), fitting, documents)
            except BaseException:
                self._let_go(wait=False)
                raise
        late = len(changes) - len(refused) - len(fresh)
        deleted = sum(isinstance(change, Delete) for change in fresh)
        return WriteReport(len(fresh) - deleted, deleted, late, refused)

    def close(self) -> None:
        """Commit what is not, finish merging, let others in."""
        with self._turn:
            if self._open is not None:
                self._open.vectors.save()
                _commit(self._open)
            self._let_go(wait=True)
            self._end_preparation()

    def abandon(self) -> None:
        """Let go of an index that is about to be removed."""
        with self._turn:
            self._let_go(wait=False)
            self._end_preparation()

    def _documents(
        self, fitting: dict[str, Upsert | Delete]
    ) -> tuple[dict[str, tantivy.Document], tuple[Refused, ...]]:
        changes = list(fitting.values())
        if self._preparation is None:
            return _stored(fitting, prepared(changes))
        with self._turn:
            return _stored(fitting, self._preparation.fields(changes))

    def _end_preparation(self) -> None:
        if self._preparation is not None:
            self._preparation.close()

    def _opened(self) -> _Open:
        if self._open is None:
            lock = _locked(self._folder)
            try:
                index = open_index(self._folder / "lexical")
                heap = _BUILDING_HEAP_BYTES if self.is_building else _HEAP_BYTES
                writer = index.writer(heap_size=heap, num_threads=1)
            except BaseException:
                lock.close()
                raise
            vectors = VectorFile(self._folder, self._manifest.dimensions, building=self.is_building)
            self._open = _Open(lock, index, writer, vectors, time.monotonic())
            threading.Thread(target=self._watch, args=(self._open,), daemon=True).start()
        return self._open

    def _apply(
        self,
        opened: _Open,
        fitting: dict[str, Upsert | Delete],
        documents: dict[str, tantivy.Document],
    ) -> list[Upsert | Delete]:
        held = _versions(opened.index, list(documents)) | {
            name: opened.pending[name] for name in documents if name in opened.pending
        }
        fresh = [fitting[name] for name in documents if fitting[name].version >= held.get(name, -1)]
        if fresh:
            _vectors(opened.vectors, fresh)
            for change in fresh:
                name = product_of(change)
                if name in held:
                    opened.writer.delete_documents_by_term("key", numeric_key(name))
                opened.writer.add_document(documents[name])
                opened.pending[name] = change.version
            if not self.is_building or len(opened.pending) >= COMMIT_EVERY:
                _commit(opened)
        opened.used_at = time.monotonic()
        return fresh

    def _let_go(self, *, wait: bool) -> None:
        opened, self._open = self._open, None
        if opened is None:
            return
        try:
            if wait:
                with suppress(ValueError, OSError):
                    opened.writer.wait_merging_threads()
        finally:
            # The library's own lock goes with its writer, ours after it.
            opened.writer = None  # type: ignore[assignment]
            with suppress(OSError):
                fcntl.flock(opened.lock, fcntl.LOCK_UN)
            opened.lock.close()

    def _watch(self, opened: _Open) -> None:
        """Let go when nothing came for a while, or when somebody else waits."""
        wanted = self._folder / _WANTED
        while self._open is opened:
            time.sleep(_LOOK_EVERY_S)
            is_idle = time.monotonic() - opened.used_at > KEEP_OPEN_S
            if not (is_idle or wanted.exists()):
                continue
            with self._turn:
                if self._open is opened and not (self.is_building and opened.pending):
                    self._let_go(wait=True)


_WRITERS: weakref.WeakSet[IndexWriter] = weakref.WeakSet()


def _before_fork() -> None:
    """A child would hold the locks of its parent without knowing."""
    for writer in list(_WRITERS):
        writer.close()


os.register_at_fork(before=_before_fork)


def _sorted_out(
    changes: Sequence[Upsert | Delete], manifest: Manifest
) -> tuple[dict[str, Upsert | Delete], tuple[Refused, ...]]:
    """The newest change of each product, and those that do not fit this index."""
    newest: dict[str, Upsert | Delete] = {}
    refused = []
    for change in changes:
        reason = misfit(change, manifest.model_id, manifest.dimensions)
        if reason is not None:
            refused.append(Refused(product_of(change), reason))
            continue
        name = product_of(change)
        if name not in newest or change.version >= newest[name].version:
            newest[name] = change
    return newest, tuple(refused)


def _stored(
    fitting: dict[str, Upsert | Delete], prepared: Iterable[Fields | str]
) -> tuple[dict[str, tantivy.Document], tuple[Refused, ...]]:
    """Changes as documents of the index, and those that cannot be written down."""
    documents, refused = {}, []
    for name, fields in zip(fitting, prepared, strict=True):
        try:
            if isinstance(fields, str):
                refused.append(Refused(name, fields))
            else:
                documents[name] = stored(fields)
        except (ValueError, TypeError, OverflowError, KeyError) as error:
            refused.append(Refused(name, unwritable(error)))
    return documents, tuple(refused)


def product_of(change: Upsert | Delete) -> str:
    """Id of the product that a change is about."""
    return change.document.product_id if isinstance(change, Upsert) else change.product_id


def _versions(index: tantivy.Index, product_ids: Sequence[str]) -> dict[str, int]:
    """Versions last written, deletions included."""
    searcher = index.searcher()
    by_key = {numeric_key(product_id): product_id for product_id in product_ids}
    found = searcher.search(of_products(product_ids), limit=len(product_ids))
    addresses = [address for _, address in found.hits]
    keys = searcher.fast_field_values("key", addresses)
    versions = searcher.fast_field_values("version", addresses)
    return {
        by_key[int(key or 0)]: int(version or 0)
        for key, version in zip(keys, versions, strict=True)
    }


def _vectors(file: VectorFile, changes: Sequence[Upsert | Delete]) -> None:
    file.change(
        {
            numeric_key(change.document.product_id): change.vector
            for change in changes
            if isinstance(change, Upsert)
        },
        [numeric_key(change.product_id) for change in changes if isinstance(change, Delete)],
    )


def _commit(opened: _Open) -> None:
    if opened.pending:
        opened.writer.commit()
        opened.index.reload()
        opened.pending.clear()


def _locked(folder: Path) -> TextIO:
    """One writing process at a time; the lock goes with the process that holds it."""
    stream = (folder / "write.lock").open("a")
    wanted = folder / _WANTED
    until = time.monotonic() + LOCK_WAIT_S
    try:
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                wanted.unlink(missing_ok=True)
                return stream
            except BlockingIOError:
                if time.monotonic() > until:
                    raise _busy(folder) from None
                wanted.touch()
                time.sleep(0.05)
    except BaseException:
        stream.close()
        raise


def _busy(folder: Path) -> DomainError:
    return DomainError(
        "index_busy",
        f"Another process has been writing {folder.name} for {LOCK_WAIT_S:.0f} s.",
        hint="Wait for it, or end it, and try again.",
        status=503,
    )
