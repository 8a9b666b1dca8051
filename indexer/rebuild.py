"""A brand's index made anew beside the live one, then switched to; the former one is kept.

Needs nothing of the old index, so it repairs a damaged one. Changes made meanwhile are not lost:
the new index starts at the position the log had before the first product was read.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from indexer.changes import changes_for
from indexer.engine import Engine, WriteReport
from indexer.positions import Position, read_position, restart
from kernel.db import Database
from kernel.embedding.encoder import Encoder
from kernel.errors import DomainError
from mdm.catalogue import all_product_ids, head, product_views
from tenants.brand import Brand

BATCH = 1_000

Progress = Callable[[int], None]
"""Called with how many more products have been looked at."""


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """The new live index and the one it replaced."""

    brand_id: str
    index: str
    previous_index: str | None
    position: int
    report: WriteReport


def rebuild(
    database: Database,
    engine: Engine,
    encoder: Encoder,
    brand: Brand,
    progress: Progress = lambda _: None,
) -> RebuildReport:
    """Build, publish, remember. A failure before the switch leaves the live index as it was."""
    with database.platform() as tx:
        start = head(tx)
        before = read_position(tx, brand.id)
    index = engine.create(brand.id, model_id=encoder.model_id, dimensions=encoder.dimensions)
    try:
        report = _fill(database, engine, encoder, brand, index, start, progress)
        previous = engine.publish(brand.id, index)
    except BaseException:
        with suppress(DomainError, ValueError):
            engine.drop(brand.id, index)
        raise
    with database.platform() as tx:
        restart(tx, brand.id, Position(index, previous, start, brand.revision))
    oldest = before.previous_index if before is not None else None
    if oldest is not None and oldest not in {index, previous}:
        engine.drop(brand.id, oldest)
    return RebuildReport(brand.id, index, previous, start, report)


def _fill(
    database: Database,
    engine: Engine,
    encoder: Encoder,
    brand: Brand,
    index: str,
    version: int,
    progress: Progress,
) -> WriteReport:
    """Every living product that the brand shows."""
    done, after = WriteReport(), ""
    while True:
        with database.platform() as tx:
            product_ids = all_product_ids(tx, after, BATCH)
            views = product_views(tx, product_ids)
        if not product_ids:
            return done
        changes = changes_for(brand, [], views, encoder, version, datetime.now(UTC))
        done += engine.write(index, changes)
        after = product_ids[-1]
        progress(len(product_ids))
