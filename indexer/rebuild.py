"""A brand's index made anew beside the live one, then switched to; the former one is kept.

Needs nothing of the old index, so it repairs a damaged one. Changes made meanwhile are not lost:
the new index starts at the position the log had before the first product was read, is brought up
before the switch, and once more after it, when no one writes to the old one any longer.
"""

from __future__ import annotations

from dataclasses import dataclass

from indexer import positions
from indexer.catch_up import BATCH, IndexWork, Progress
from indexer.engine import Engine, WriteReport
from indexer.generations import clear, discard
from kernel.db import Database
from kernel.embedding.encoder import Encoder
from mdm.catalogue import all_product_ids, head, product_views
from tenants.brand import Brand


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """The new live index, the one it replaced, and how far in the change log the new one is."""

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
    """Build, bring up, publish. A failure before the switch leaves the live index as it was."""
    work = IndexWork(database, engine, encoder, brand)
    with database.platform() as tx:
        start = head(tx)
    index = engine.create(brand.id, model_id=encoder.model_id, dimensions=encoder.dimensions)
    try:
        with database.platform() as tx:
            positions.begin(tx, brand.id, positions.Position(index, start, brand.revision))
        report = _fill(work, index, start, progress)
        reached, meanwhile = work.close_in(index, start)
        previous = engine.publish(brand.id, index)
    except BaseException:
        discard(work, index)
        raise
    with database.platform() as tx:
        positions.echo_live(tx, brand.id, index)
    # A change whose refresh still went to the former index is taken here.
    reached, last = work.catch_up(index, reached)
    clear(work)
    return RebuildReport(brand.id, index, previous, reached, report + meanwhile + last)


def _fill(work: IndexWork, index: str, version: int, progress: Progress) -> WriteReport:
    """Every living product that the brand shows."""
    done, after = WriteReport(), ""
    while True:
        with work.database.platform() as tx:
            product_ids = all_product_ids(tx, after, BATCH)
            views = product_views(tx, product_ids)
        if not product_ids:
            return done
        done += work.write(index, [], views, version)
        after = product_ids[-1]
        progress(len(product_ids))
