"""One index of a brand brought along the change log: read a batch, write it, then note how far.

The position moves only after the engine took the batch, so a crash repeats work and loses none.
What the engine refuses is set aside as a dead letter and holds up nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from indexer import dead_letters
from indexer.changes import changes_for
from indexer.engine import Delete, Engine, Refused, Upsert, WriteReport
from indexer.positions import move, touch
from kernel.db import Database
from kernel.embedding.encoder import Encoder
from mdm.catalogue import changes_after, head, product_views
from mdm.product_view import ProductView
from tenants.brand import Brand

BATCH = 1_000
_ROUNDS = 20
_UNREADABLE = (ValueError, TypeError, KeyError, ArithmeticError)
"""What a product that no release ever wrote like that raises on its way to a document."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Products named by the change log up to `reached`, and the living ones as they are now."""

    reached: int
    product_ids: Sequence[str]
    views: Sequence[ProductView]


def changes_from(database: Database, at: int, end: int) -> Changes | None:
    """The next batch after a position, not beyond `end`; None where nothing is left."""
    with database.platform() as tx:
        changed = [row for row in changes_after(tx, at, BATCH) if row[0] <= end]
        if not changed:
            return None
        product_ids = list(dict.fromkeys(product_id for _, product_id in changed))
        return Changes(changed[-1][0], product_ids, product_views(tx, product_ids))


Progress = Callable[[int], None]
"""Called with how many more products have been looked at."""


@dataclass(frozen=True, slots=True)
class IndexWork:
    """What brings one brand's products into an index of it."""

    database: Database
    engine: Engine
    encoder: Encoder
    brand: Brand

    def write(
        self, index: str, product_ids: Sequence[str], views: Sequence[ProductView], version: int
    ) -> WriteReport:
        """Write these products as they are now; those without a view or offer leave the index."""
        return self._write(index, Changes(version, product_ids, views), moves=False)

    def take(self, index: str, changes: Changes) -> WriteReport:
        """Write a batch of the change log, then note how far the index is."""
        return self._write(index, changes, moves=True)

    def _write(self, index: str, batch: Changes, *, moves: bool) -> WriteReport:
        product_ids, views, version = batch.product_ids, batch.views, batch.reached
        refused: list[Refused] = []
        try:
            changes = self._changes(product_ids, views, version)
        except _UNREADABLE:
            # One of them cannot be projected: it must not hold up the others.
            changes, refused = self._apart(product_ids, views, version)
        report = self.engine.write(index, changes) + WriteReport(refused=tuple(refused))
        seen = dict.fromkeys((*product_ids, *(view.product_id for view in views)))
        with self.database.platform() as tx:
            dead_letters.settle(tx, self.brand.id, index, list(seen), report.refused, version)
            if moves:
                move(tx, self.brand.id, index, version)
            else:
                # Whoever remembers what the index answered learns of every write.
                touch(tx, self.brand.id, index)
        return report

    def write_now(self, index: str, product_ids: Sequence[str]) -> WriteReport:
        """Write these products at the end of the log: every later change still wins."""
        if not product_ids:
            return WriteReport()
        with self.database.platform() as tx:
            version = head(tx)
            views = product_views(tx, product_ids)
        return self.write(index, product_ids, views, version)

    def retry_refused(self, index: str) -> WriteReport:
        """Write the index's dead letters again, as the products are now."""
        done, batch = WriteReport(), []
        for letter in dead_letters.every_letter(self.database, self.brand.id, index):
            batch.append(letter.product_id)
            if len(batch) == BATCH:
                done += self.write_now(index, batch)
                batch = []
        return done + self.write_now(index, batch)

    def _changes(
        self, product_ids: Sequence[str], views: Sequence[ProductView], version: int
    ) -> list[Upsert | Delete]:
        now = datetime.now(UTC)
        return changes_for(self.brand, product_ids, views, self.encoder, version, now)

    def _apart(
        self, product_ids: Sequence[str], views: Sequence[ProductView], version: int
    ) -> tuple[list[Upsert | Delete], list[Refused]]:
        """Product by product; where not even one of several can be projected, it is not theirs."""
        by_id = {view.product_id: view for view in views}
        names = list(dict.fromkeys((*product_ids, *by_id)))
        changes: list[Upsert | Delete] = []
        refused: list[Refused] = []
        for name in names:
            try:
                changes += self._changes([name], [by_id[name]] if name in by_id else [], version)
            except _UNREADABLE as error:
                refused.append(Refused(name, f"it cannot be projected: {error!r}"))
                if len(refused) == len(names) > 1:
                    raise
        return changes, refused

    def catch_up(
        self, index: str, at: int, progress: Progress = lambda _: None
    ) -> tuple[int, WriteReport]:
        """Bring the index up to what is the end of the log now; answers the position reached.

        Changes that never pause do not keep it for ever: later ones wake the next refresh.
        """
        with self.database.platform() as tx:
            end = head(tx)
        done = WriteReport()
        while at < end and (changes := changes_from(self.database, at, end)) is not None:
            at, report = changes.reached, self.take(index, changes)
            done += report
            progress(report.written + report.deleted + report.late)
        return at, done

    def close_in(
        self, index: str, at: int, progress: Progress = lambda _: None
    ) -> tuple[int, WriteReport]:
        """Catch up until one round was a short one: what is left is a moment's changes."""
        done = WriteReport()
        for _ in range(_ROUNDS):
            before = at
            at, report = self.catch_up(index, at, progress)
            done += report
            if at - before < BATCH:
                break
        return at, done
