"""Applying changes to an index: one writer at a time, versions compared, one commit per batch.

The vectors are saved before the words are committed: a crash between the two leaves vectors that no
product claims, or a product with its former vector until it is written again.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import tantivy

from indexer.embedded.generations import Manifest
from indexer.embedded.querying import of_products
from indexer.embedded.schema import open_index, stored
from indexer.embedded.vectors import VectorFile
from indexer.engine import Delete, Refused, Upsert, WriteReport, misfit
from indexer.index_fields import numeric_key
from kernel.errors import DomainError

LOCK_WAIT_S = 60.0
_HEAP_BYTES = 50_000_000


def write(folder: Path, manifest: Manifest, changes: Sequence[Upsert | Delete]) -> WriteReport:
    """Apply and commit. Raises DomainError `index_busy` when another process keeps writing."""
    fitting, refused = _sorted_out(changes, manifest)
    if not fitting:
        return WriteReport(refused=refused)
    with _locked(folder):
        index = open_index(folder / "lexical")
        held = _versions(index, list(fitting))
        fresh = [change for name, change in fitting.items() if change.version >= held.get(name, -1)]
        late = len(changes) - len(refused) - len(fresh)
        if fresh:
            _vectors(folder, manifest, fresh)
            _commit(index, fresh, known=set(held))
    deleted = sum(isinstance(change, Delete) for change in fresh)
    return WriteReport(len(fresh) - deleted, deleted, late, refused)


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


def _vectors(folder: Path, manifest: Manifest, changes: Sequence[Upsert | Delete]) -> None:
    VectorFile(folder, manifest.dimensions).change(
        {
            numeric_key(change.document.product_id): change.vector
            for change in changes
            if isinstance(change, Upsert)
        },
        [numeric_key(change.product_id) for change in changes if isinstance(change, Delete)],
    )


def _commit(index: tantivy.Index, changes: Sequence[Upsert | Delete], known: set[str]) -> None:
    writer = index.writer(heap_size=_HEAP_BYTES, num_threads=1)
    for change in changes:
        name = product_of(change)
        if name in known:
            writer.delete_documents_by_term("key", numeric_key(name))
        writer.add_document(stored(change))
    writer.commit()
    writer.wait_merging_threads()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One writing process at a time; the lock goes with the process that holds it."""
    with (folder / "write.lock").open("a") as stream:
        until = time.monotonic() + LOCK_WAIT_S
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise DomainError(
                        "index_busy",
                        f"Another process has been writing {folder.name} for {LOCK_WAIT_S:.0f} s.",
                        hint="Wait for it, or end it, and try again.",
                        status=503,
                    ) from None
                time.sleep(0.05)
        yield
