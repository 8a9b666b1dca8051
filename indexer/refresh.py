"""What changed in the catalogue, brought into every brand's index: handles `catalogue.changed`.

Safe to run twice, or by two at once: versions are positions of the log, and a late one never wins.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from indexer.catch_up import BATCH, Changes, IndexWork, changes_from
from indexer.engine import Engine, IndexStats, WriteReport
from indexer.positions import Position, echo_live, index_age_s, read_position
from indexer.rebuild import rebuild
from kernel.db import Database, Transaction
from kernel.embedding.encoder import Encoder
from kernel.errors import DomainError
from kernel.jobs import Job
from mdm.catalogue import head
from tenants.brand import Brand

_LOG = logging.getLogger(__name__)


NEWEST = 200
"""Changes that go ahead of those of a feed at a time."""

REBUILD = Job("indexer.rebuild", "index", lock="indexer.rebuild")
"""With `brand_id`: a new index for a brand that needs one, while the others are followed."""


@dataclass(frozen=True, slots=True)
class RefreshReport:
    """What was done for one brand; `rebuilt` says that its index was made anew."""

    brand_id: str
    position: int
    report: WriteReport
    rebuilt: bool = False


def refresh(
    database: Database,
    engine: Engine,
    encoder: Encoder,
    brands: Mapping[str, Brand],
    build_later: Callable[[Brand], None] | None = None,
) -> list[RefreshReport]:
    """Bring every brand up to the end of the log.

    A brand without an index of its own, changed since it was built, or with another model's
    vectors, gets a new index, beside the old one, which answers meanwhile: after the others, or by
    `build_later`. One brand that fails does not hold up the others; the first failure is raised at
    the end.
    """
    following = _Following(database)
    outdated = []
    for brand in brands.values():
        work = IndexWork(database, engine, encoder, brand)
        with following.noting_failure(brand):
            position = _usable(work)
            if position is None:
                outdated.append(work)
            else:
                following.add(work, position)
    following.catch_up()
    for work in outdated:
        if build_later is not None:
            build_later(work.brand)
            continue
        with following.noting_failure(work.brand):
            _build(work, following)
            # The others go on between two that are built.
            following.catch_up()
    if following.failures:
        raise following.failures[0]
    return [following.reports[name] for name in brands if name in following.reports]


class _Following:
    """Brands on their way along the log. What they all have to be told is read once."""

    def __init__(self, database: Database) -> None:
        self.reports: dict[str, RefreshReport] = {}
        self.failures: list[DomainError] = []
        self._database = database
        self._works: dict[str, tuple[IndexWork, str]] = {}

    def add(self, work: IndexWork, position: Position, *, rebuilt: bool = False) -> None:
        """A brand whose live index stands at the position."""
        brand_id = work.brand.id
        self._works[brand_id] = work, position.index
        self.reports[brand_id] = RefreshReport(brand_id, position.position, WriteReport(), rebuilt)

    @contextmanager
    def noting_failure(self, brand: Brand) -> Iterator[None]:
        """A brand that fails is left out from here on."""
        try:
            yield
        except DomainError as error:
            _LOG.warning("index of %s not refreshed: %s", brand.id, error.message)
            self.failures.append(error)
            self._works.pop(brand.id, None)
            self.reports.pop(brand.id, None)

    def catch_up(self) -> None:
        """To what is the end of the log now; later changes wake the next refresh.

        Where a feed is brought in, a price does not wait for its end: the newest changes are
        written before each batch as well, and come late in their turn.
        """
        newest = 0
        with self._database.platform() as tx:
            end = head(tx)
        while self._works:
            at = min(self.reports[name].position for name in self._works)
            if end - at > BATCH:
                newest = self._write_newest(max(newest, at))
            changes = changes_from(self._database, at, end) if at < end else None
            if changes is None:
                return
            for work, index in list(self._works.values()):
                if self.reports[work.brand.id].position == at:
                    with self.noting_failure(work.brand):
                        self._take(work, index, changes)

    def _write_newest(self, seen: int) -> int:
        """What was changed last, after a position of the log; answers the one reached."""
        with self._database.platform() as tx:
            end = head(tx)
        changes = changes_from(self._database, max(seen, end - NEWEST), end)
        if changes is None:
            return seen
        for work, index in list(self._works.values()):
            with self.noting_failure(work.brand):
                work.write(index, changes.product_ids, changes.views, changes.reached)
        return changes.reached

    def _take(self, work: IndexWork, index: str, changes: Changes) -> None:
        done = work.take(index, changes)
        for refused in done.refused:
            _LOG.error("%s: %s refused: %s", work.brand.id, refused.product_id, refused.reason)
        before = self.reports[work.brand.id]
        self.reports[work.brand.id] = replace(
            before, position=changes.reached, report=before.report + done
        )


def behind(tx: Transaction, brand_id: str) -> int:
    """Changes of the catalogue that the brand's index has not seen."""
    position = read_position(tx, brand_id)
    return head(tx) - (position.position if position is not None else 0)


def _build(work: IndexWork, following: _Following) -> None:
    rebuild(work.database, work.engine, work.encoder, work.brand)
    position = _usable(work)
    assert position is not None
    following.add(work, position, rebuilt=True)


def _insist_on_the_newer_model(
    tx: Transaction, brand: Brand, stats: IndexStats, encoder: Encoder
) -> None:
    """An index begun after this process loaded its model was built by one with a newer setting:
    rebuilding it with the older model would have the two undo each other's work for ever."""
    age_s = index_age_s(tx, brand.id, stats.index)
    if age_s is not None and age_s < time.monotonic() - encoder.loaded_at:
        raise DomainError(
            "vector_model_differs",
            f"The index of {brand.id} was built with {stats.model_id} after this process started, "
            f"and this process uses {encoder.model_id}.",
            hint="Restart this process with the EMBEDDING_MODEL of the others; to go back to its "
            f"own model: comptoir index rebuild --brand {brand.id}",
            status=409,
        )
    _LOG.info(
        "index of %s holds vectors of %s, and the model is %s now: built again beside it",
        brand.id,
        stats.model_id,
        encoder.model_id,
    )


def _usable(work: IndexWork) -> Position | None:
    """The live index's position, where it was built for the brand as it is now."""
    brand, encoder = work.brand, work.encoder
    try:
        stats = work.engine.stats(brand.id)
    except DomainError as error:
        if error.code != "index_damaged":
            raise
        # Another release's format, or a broken file: nothing of it is needed to build a new one.
        _LOG.warning("index of %s is built again: %s", brand.id, error.message)
        return None
    if stats is None:
        return None
    with work.database.platform() as tx:
        position = read_position(tx, brand.id, stats.index)
        if stats.model_id != encoder.model_id:
            _insist_on_the_newer_model(tx, brand, stats, encoder)
            return None
        if position is None or position.brand_revision != brand.revision:
            return None
        # A builder that was killed after its switch could not say so.
        echo_live(tx, brand.id, stats.index)
    return position
