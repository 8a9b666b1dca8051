"""What changed in the catalogue, brought into every brand's index: handles `catalogue.changed`.

Safe to run twice, or by two at once: versions are positions of the log, and a late one never wins.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass

from indexer.catch_up import IndexWork
from indexer.engine import Engine, IndexStats, WriteReport
from indexer.positions import Position, echo_live, index_age_s, read_position
from indexer.rebuild import rebuild
from kernel.db import Database, Transaction
from kernel.embedding.encoder import Encoder
from kernel.errors import DomainError
from mdm.catalogue import head
from tenants.brand import Brand

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RefreshReport:
    """What was done for one brand; `rebuilt` says that its index was made anew."""

    brand_id: str
    position: int
    report: WriteReport
    rebuilt: bool = False


def refresh(
    database: Database, engine: Engine, encoder: Encoder, brands: Mapping[str, Brand]
) -> list[RefreshReport]:
    """Bring every brand up to the end of the log.

    A brand without an index of its own, changed since it was built, or with another model's
    vectors, gets a new index, beside the old one, which answers meanwhile. One brand that fails
    does not hold up the others; the first failure is raised at the end.
    """
    reports, failures = [], []
    for brand in brands.values():
        try:
            reports.append(_refresh_brand(database, engine, encoder, brand))
        except DomainError as error:
            _LOG.warning("index of %s not refreshed: %s", brand.id, error.message)
            failures.append(error)
    if failures:
        raise failures[0]
    return reports


def behind(tx: Transaction, brand_id: str) -> int:
    """Changes of the catalogue that the brand's index has not seen."""
    position = read_position(tx, brand_id)
    return head(tx) - (position.position if position is not None else 0)


def _refresh_brand(
    database: Database, engine: Engine, encoder: Encoder, brand: Brand
) -> RefreshReport:
    rebuilt = False
    position = _usable(database, engine, encoder, brand)
    if position is None:
        rebuild(database, engine, encoder, brand)
        rebuilt = True
        position = _usable(database, engine, encoder, brand)
        assert position is not None
    work = IndexWork(database, engine, encoder, brand)
    at, done = work.catch_up(position.index, position.position)
    for refused in done.refused:
        _LOG.error("%s: %s refused: %s", brand.id, refused.product_id, refused.reason)
    return RefreshReport(brand.id, at, done, rebuilt)


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


def _usable(database: Database, engine: Engine, encoder: Encoder, brand: Brand) -> Position | None:
    """The live index's position, where it was built for the brand as it is now."""
    try:
        stats = engine.stats(brand.id)
    except DomainError as error:
        if error.code != "index_damaged":
            raise
        # Another release's format, or a broken file: nothing of it is needed to build a new one.
        _LOG.warning("index of %s is built again: %s", brand.id, error.message)
        return None
    if stats is None:
        return None
    with database.platform() as tx:
        position = read_position(tx, brand.id, stats.index)
        if stats.model_id != encoder.model_id:
            _insist_on_the_newer_model(tx, brand, stats, encoder)
            return None
        if position is None or position.brand_revision != brand.revision:
            return None
        # A builder that was killed after its switch could not say so.
        echo_live(tx, brand.id, stats.index)
    return position
