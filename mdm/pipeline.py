"""From landed records to golden records: the job that follows every intake.

Takes what is pending in bounded batches, each one transaction: normalise, match, merge, log. Killed
anywhere, it leaves whole batches only, and the next run goes on to the same result.
"""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernel.db import Database, Transaction, plan_once, sent_together
from kernel.jobs import defer
from mdm.catalogue import log_changes
from mdm.intake import MATCH_LANDED
from mdm.living_index import LivingIndex
from mdm.match.neighbours import TitleEncoder
from mdm.match_crew import Crew, PutOffError
from mdm.match_index import index_newcomers, meet_again, reencode
from mdm.merchants import Merchant, asked_sources
from mdm.normalise.offer import normalise
from mdm.normalise.refused import RefusedError
from mdm.offer_rows import (
    KnownOffer,
    OfferRow,
    asked_offers,
    is_described_anew,
    is_newcomer,
    offer_id_of,
    offer_row,
    withdraw_offers,
    write_offers,
)
from mdm.pending import FEW, Left, Turn, left, next_turn, settle, somebody_pushes
from mdm.placing import Placed, place_newcomers, put_in_place, where_offers_went
from mdm.products import asked_rewrite, create_products
from mdm.quarantine import refuse
from mdm.raw_offer import RawOffer, Refusal
from mdm.stewardship.reviews import asked_reviews, drop_reviews
from mdm.stored_catalogue import StoredCatalogue

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BATCH = 10_000
"""Records that are worked off at a time: at a million products, twice as many took all processes
together 4.9 GB instead of 3.1."""
WHILE_PUSHED = 2_500
"""The same once somebody has pushed meanwhile: so many hold up the next one for seconds, not for a
minute. Fewer would be matched by one process alone."""

_LOCK = "mdm.match"

# What this process knows of catalogues; one index for each database, model and folder.
_indices: dict[tuple[str, str, Path | None], LivingIndex] = {}


@dataclass(slots=True)
class _Batch:
    """Pending records, understood: offers to show, offers to hide."""

    rows: list[OfferRow] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    done: list[tuple[Any, ...]] = field(default_factory=list)

    def put_off(self, rows: Sequence[OfferRow]) -> None:
        """As if these had not been taken up."""
        keys = {(row.normal.source_id, row.normal.sku) for row in rows}
        ids = {row.offer_id for row in rows}
        self.rows = [row for row in self.rows if row.offer_id not in ids]
        self.done = [each for each in self.done if each[:2] not in keys]


@dataclass(frozen=True, slots=True)
class _Matched:
    """Newcomers with their vectors, and where they belong."""

    offer_ids: Sequence[str]
    vectors: NDArray[np.float32] | None
    placed: Placed


_NOBODY = _Matched((), None, Placed())


def match_landed(
    database: Database,
    encoder: TitleEncoder,
    *,
    batch: int = BATCH,
    folder: Path | None = None,
    processes: int = 1,
) -> int:
    """Work off everything pending. Returns how many records were taken up.

    `folder` keeps the index of the living catalogue; without one it is in memory, and every
    process reads the catalogue when it first matches. With a folder, large batches are shared out
    to so many `processes`.
    """
    key = (database.url, encoder.model_id, folder)
    if key not in _indices:
        _make_vectors_again(database, encoder)
        _indices[key] = LivingIndex(folder)
    total = 0
    with Crew(processes) as crew:
        turn = Turn((), is_pushed=False)
        while True:
            with database.platform(holding=_LOCK) as tx:
                now = datetime.now(UTC)
                turn = next_turn(tx, batch, now, after_pushed=turn.is_pushed)
                batch = min(batch, WHILE_PUSHED) if turn.is_pushed else batch
                catalogue = StoredCatalogue(tx, _indices[key], encoder.model_id, encoder.dimensions)
                if turn.records:
                    with _collecting_seldom():
                        waiting, taken = _match_batch(catalogue, encoder, crew, turn.records, now)
                else:
                    waiting, taken = left(tx)(), 0
                is_last = not (turn.records and waiting.is_due(now))
                if is_last and waiting.revisit_at is not None:
                    _wake_at(tx, waiting.revisit_at)
            total += taken
            if is_last:
                return total


@contextmanager
def _collecting_seldom() -> Iterator[None]:
    """A batch is a million objects that die without a cycle: looking for cycles among them at
    Python's own pace took a fifth of the time."""
    usual = gc.get_threshold()
    gc.set_threshold(200_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def _make_vectors_again(database: Database, encoder: TitleEncoder) -> None:
    """After a change of model: some thousand at a time, so that no transaction is a long one."""
    while True:
        with database.platform(holding=_LOCK) as tx:
            if not reencode(tx, encoder):
                return


def _match_batch(
    catalogue: StoredCatalogue,
    encoder: TitleEncoder,
    crew: Crew,
    raws: Sequence[Any],
    now: datetime,
) -> tuple[Left, int]:
    """Work these off; answers what is left, and how many were taken up. Newcomers of a large turn
    are put off where somebody pushes meanwhile."""
    tx = catalogue.tx
    ids = [offer_id_of(raw.source_id, raw.sku) for raw in raws]
    with sent_together(tx):
        if len(raws) <= FEW:
            plan_once(tx)
        sources = asked_sources(tx, {raw.source_id for raw in raws})
        asked = asked_offers(tx, ids)
        # What has gone away is not matched.
        stored = _asked_ahead(catalogue, ids) if any(raw.state == "live" for raw in raws) else None
    known = asked()
    if stored:
        stored()
    batch = _understand(tx, raws, sources(), now)
    hidden = [each for each in batch.hidden if each in known and known[each].live]
    _withdraw(tx, hidden, now)
    matched = _match(catalogue, encoder, crew, batch, known, is_large=len(raws) > WHILE_PUSHED)
    _keep_places(batch.rows, known)
    return _write(catalogue, batch, matched, hidden, known, now), len(batch.done)


def _match(
    catalogue: StoredCatalogue,
    encoder: TitleEncoder,
    crew: Crew,
    batch: _Batch,
    known: Mapping[str, KnownOffer],
    *,
    is_large: bool,
) -> _Matched:
    """Find the places of newcomers; those of a large batch are put off where somebody pushes."""
    fresh = [row for row in batch.rows if is_newcomer(row, known.get(row.offer_id))]
    if not fresh:
        return _NOBODY
    if batch.hidden:
        catalogue.index.refresh(catalogue.tx)
    vectors = encoder.encode([row.normal.title for row in fresh])
    gives_way = partial(somebody_pushes, catalogue.tx) if is_large else None
    try:
        begin = partial(crew.begin, gives_way=gives_way)
        placed = place_newcomers(catalogue, fresh, known, vectors, begin)
    except PutOffError:
        batch.put_off(fresh)
        return _NOBODY
    return _Matched([row.offer_id for row in fresh], vectors, placed)


def _write(
    catalogue: StoredCatalogue,
    batch: _Batch,
    matched: _Matched,
    hidden: Sequence[str],
    known: Mapping[str, KnownOffer],
    now: datetime,
) -> Left:
    tx, placed = catalogue.tx, matched.placed
    written = [row for row in batch.rows if _has_changed(row, known.get(row.offer_id))]
    described = [row for row in written if is_described_anew(row, known.get(row.offer_id))]
    touched = _touched(described, hidden, known) | placed.products
    went = where_offers_went(placed.moves)
    with sent_together(tx):
        create_products(tx, placed.created, now)
        write_offers(tx, written, known, now)
        if matched.vectors is not None:
            index_newcomers(tx, matched.offer_ids, matched.vectors, catalogue.model_id)
        meet_again(tx, {row.offer_id for row in described}.difference(matched.offer_ids))
        if placed.is_plain:
            merged: list[str] = []
            weigh = asked_reviews(tx, placed.reviews, now)
            rewritten = asked_rewrite(tx, touched, went, now)
    if not placed.is_plain:
        merged = put_in_place(tx, placed, now)
        with sent_together(tx):
            weigh = asked_reviews(tx, placed.reviews, now)
            rewritten = asked_rewrite(tx, touched - set(merged), went, now)
    with sent_together(tx):
        changed = rewritten()
        weigh()
        settle(tx, batch.done)
        # Last, because everybody who changes an offer waits for the lock of the change log.
        log_changes(tx, {*changed, *merged, *_touched(written, (), known)})
        waiting = left(tx)
    return waiting()


def _asked_ahead(catalogue: StoredCatalogue, offer_ids: Sequence[str]) -> Callable[[], None]:
    """What the matching of these offers begins with, asked for now and taken up when it is called:
    what stewards decided, what was stored since the last time."""
    catalogue.ask_ruled(offer_ids)
    return catalogue.index.asked(catalogue.tx)


def _withdraw(tx: Transaction, hidden: Sequence[str], now: datetime) -> None:
    """First, so that nothing is matched with what is gone."""
    if hidden:
        withdraw_offers(tx, hidden, now)
        meet_again(tx, hidden)
        drop_reviews(tx, hidden)


def _understand(
    tx: Transaction, raws: Sequence[Any], merchants: Mapping[str, Merchant], now: datetime
) -> _Batch:
    batch = _Batch()
    refusals: dict[tuple[str, int], list[Refusal]] = defaultdict(list)
    for raw in raws:
        revisit_at = None
        if raw.state == "live":
            try:
                normal = normalise(RawOffer.from_json(raw.raw), merchants[raw.source_id], now)
            except RefusedError as error:
                refusals[raw.source_id, raw.landed_by].append(
                    Refusal(error.code, error.reason, sku=raw.sku, hint=error.hint)
                )
                batch.hidden.append(offer_id_of(raw.source_id, raw.sku))
            else:
                merchant = merchants[raw.source_id]
                batch.rows.append(offer_row(normal, raw.confirmed_at, merchant.lifetime_days))
                revisit_at = normal.asking.revisit_at
        else:
            batch.hidden.append(offer_id_of(raw.source_id, raw.sku))
        batch.done.append((*raw[:3], raw.state, raw.confirmed_at, revisit_at))
    for (merchant_id, run_id), refused in refusals.items():
        refuse(tx, merchant_id, run_id, refused)
    return batch


def _has_changed(row: OfferRow, old: KnownOffer | None) -> bool:
    return (
        old is None
        or is_newcomer(row, old)
        or old.shown_sha256 != row.shown_sha256
        or old.confirmed_at != row.confirmed_at
    )


def _keep_places(rows: Sequence[OfferRow], known: Mapping[str, KnownOffer]) -> None:
    """Offers that changed in price or stock only stay where they are."""
    for row in rows:
        if row.product_id is None:
            old = known[row.offer_id]
            row.product_id, row.evidence = old.product_id, old.evidence


def _touched(
    written: Sequence[OfferRow], hidden: Sequence[str], known: Mapping[str, KnownOffer]
) -> set[str]:
    """Products whose record or offers are no longer what they were."""
    products = {row.product_id for row in written}
    products |= {known[row.offer_id].product_id for row in written if row.offer_id in known}
    products |= {known[each].product_id for each in hidden}
    return {each for each in products if each}


def _wake_at(tx: Transaction, moment: datetime) -> None:
    """Come back when the next sale begins or ends."""
    delay_s = max(1, int((moment - datetime.now(UTC)).total_seconds()) + 1)
    defer(tx, MATCH_LANDED, once=f"{MATCH_LANDED.name}@{moment.isoformat()}", delay_s=delay_s)
