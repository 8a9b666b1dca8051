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
from indexer.engine import Engine, WriteReport
from indexer.positions import move
from kernel.db import Database
from kernel.embedding.encoder import Encoder
from mdm.catalogue import changes_after, product_views
from mdm.product_view import ProductView
from tenants.brand import Brand

BATCH = 1_000

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
        now = datetime.now(UTC)
        changes = changes_for(self.brand, product_ids, views, self.encoder, version, now)
        return self.engine.write(index, changes)

    def step(self, index: str, at: int) -> tuple[int, WriteReport] | None:
        """The next batch after a position: the position reached. None at the end of the log."""
        with self.database.platform() as tx:
            changed = changes_after(tx, at, BATCH)
            if not changed:
                return None
            product_ids = list(dict.fromkeys(product_id for _, product_id in changed))
            views = product_views(tx, product_ids)
        reached = changed[-1][0]
        report = self.write(index, product_ids, views, reached)
        with self.database.platform() as tx:
            dead_letters.settle(tx, self.brand.id, index, product_ids, report.refused, reached)
            move(tx, self.brand.id, index, reached)
        return reached, report

    def catch_up(
        self, index: str, at: int, progress: Progress = lambda _: None
    ) -> tuple[int, WriteReport]:
        """Step until the end of the log; answers the position reached."""
        done = WriteReport()
        while (taken := self.step(index, at)) is not None:
            at, report = taken
            done += report
            progress(report.written + report.deleted + report.late)
        return at, done
