"""The indices of a brand: which are kept, how far each one is, what is dropped, and the way back.

Kept are the live one and the one it replaced. Going back switches to that one after it has been
brought up from its own position, so no change is lost on the way.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from indexer import dead_letters, positions
from indexer.catch_up import IndexWork, Progress
from indexer.engine import Engine, WriteReport
from indexer.inventory import Generation, State
from kernel.db import Database
from kernel.errors import DomainError
from mdm.catalogue import head

_GIVEN_UP_AFTER = timedelta(hours=1)
"""An index that is being built moves with every batch; one that does not has lost its builder."""


@dataclass(frozen=True, slots=True)
class KeptIndex:
    """One index with its place in the change log: `behind` is None where nothing is noted."""

    generation: Generation
    position: int | None
    behind: int | None
    brand_revision: int | None
    dead_letters: int


@dataclass(frozen=True, slots=True)
class RollbackReport:
    """The index that is live now, the one it replaced, and what was brought up before."""

    brand_id: str
    index: str
    replaced: str
    report: WriteReport


def kept_indices(database: Database, engine: Engine, brand_id: str) -> list[KeptIndex]:
    """Every index of the brand, oldest first."""
    found = engine.generations(brand_id)
    with database.platform() as tx:
        noted, end = positions.positions_of(tx, brand_id), head(tx)
        rows = []
        for generation in found:
            at = noted[generation.index].at if generation.index in noted else None
            rows.append(
                KeptIndex(
                    generation,
                    at.position if at else None,
                    max(end - at.position, 0) if at else None,
                    at.brand_revision if at else None,
                    dead_letters.count(tx, brand_id, generation.index),
                )
            )
    return rows


def roll_back(
    work: IndexWork, *, at_once: bool = False, progress: Progress = lambda _: None
) -> RollbackReport:
    """Make the former index live again. A second time leads back to where it was.

    With `at_once` the switch comes first: shoppers see what that index held until it is brought up.
    """
    brand = work.brand
    by_state = {row.state: row for row in work.engine.generations(brand.id)}
    live, former = by_state.get(State.LIVE), by_state.get(State.PREVIOUS)
    if live is None or former is None:
        raise DomainError(
            "no_former_index",
            f"The brand {brand.id} has no former index to go back to.",
            hint="One is kept from the second rebuild on: comptoir index list",
        )
    start, index = _position_of(work, former), former.index
    done = WriteReport()
    if not at_once:
        start, done = work.close_in(index, start, progress)
    work.engine.publish(brand.id, index)
    with work.database.platform() as tx:
        positions.echo_live(tx, brand.id, index)
    # A change whose refresh still went to the other index is taken here.
    _, last = work.catch_up(index, start, progress)
    return RollbackReport(brand.id, index, live.index, done + last)


def _position_of(work: IndexWork, former: Generation) -> int:
    """Where the former index stands; refused where the next refresh would not keep it."""
    brand = work.brand
    with work.database.platform() as tx:
        position = positions.read_position(tx, brand.id, former.index)
    reason = None
    if position is None:
        reason = "nothing says up to which change it goes"
    elif former.count is None:
        reason = "this release cannot read it"
    elif position.brand_revision != brand.revision:
        shown = position.brand_revision
        reason = f"it shows revision {shown} of the brand, which is at {brand.revision}"
    elif former.model_id != work.encoder.model_id:
        reason = f"it holds vectors of {former.model_id}: set EMBEDDING_MODEL back first"
    if position is None or reason is not None:
        raise DomainError(
            "former_index_unfit",
            f"The former index {former.index} cannot be gone back to: {reason}.",
            hint=f"Build a new one: comptoir index rebuild --brand {brand.id}",
        )
    return position.position


def clear(work: IndexWork) -> list[str]:
    """Drop what is neither live nor the one before, unless it is being built; answers names."""
    with work.database.platform() as tx:
        noted = positions.positions_of(tx, work.brand.id)
    silent_since = datetime.now(UTC) - _GIVEN_UP_AFTER
    dropped = []
    for generation in work.engine.generations(work.brand.id):
        row = noted.get(generation.index)
        moved_at = row.moved_at if row is not None else generation.created_at
        is_unfinished = row is None or row.published_at is None
        if generation.state is State.SPARE and (not is_unfinished or moved_at < silent_since):
            discard(work, generation.index)
            dropped.append(generation.index)
    return dropped


def discard(work: IndexWork, index: str) -> None:
    """Drop an index and what is noted of it; one that cannot be dropped now stays noted."""
    with suppress(DomainError, ValueError):
        work.engine.drop(work.brand.id, index)
        with work.database.platform() as tx:
            positions.forget(tx, work.brand.id, index)
            dead_letters.forget(tx, work.brand.id, index)
