"""From landed records to golden records: the job that follows every intake.

Takes what is pending in bounded batches, each one transaction: normalise, match, merge, log. Killed
anywhere, it leaves whole batches only, and the next run goes on to the same result.
"""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from kernel.db import Database, Prepared, Transaction, advisory_lock
from kernel.jobs import defer
from mdm.catalogue import log_changes
from mdm.intake import MATCH_LANDED
from mdm.living_index import LivingIndex
from mdm.match.neighbours import TitleEncoder
from mdm.match_crew import Crew
from mdm.match_index import index_newcomers, meet_again, reencode
from mdm.merchants import Merchant, read_source
from mdm.normalise.offer import normalise
from mdm.normalise.refused import RefusedError
from mdm.offer_rows import (
    KnownOffer,
    OfferRow,
    is_described_anew,
    is_newcomer,
    known_offers,
    offer_id_of,
    offer_row,
    withdraw_offers,
    write_offers,
    write_price_history,
)
from mdm.placing import Placed, place_newcomers, put_in_place, where_offers_went
from mdm.products import rewrite
from mdm.quarantine import refuse
from mdm.raw_offer import RawOffer, Refusal
from mdm.stewardship.reviews import drop_reviews
from mdm.stored_catalogue import StoredCatalogue

BATCH = 10_000
"""Records that are worked off at a time: at a million products, twice as many took all processes
together 4.9 GB instead of 3.1."""

_PENDING = Prepared(
    sa.text(
        "SELECT source_id, sku, content_sha256, raw, state, landed_by, confirmed_at "
        "FROM mdm.raw_offer WHERE pending OR revisit_at <= :now "
        "ORDER BY source_id, sku LIMIT :limit"
    )
)
_SETTLE = Prepared(
    sa.text(
        "UPDATE mdm.raw_offer o SET pending = false, revisit_at = s.revisit_at "
        "FROM unnest(CAST(:sources AS text[]), CAST(:skus AS text[]), CAST(:contents AS bytea[]), "
        "CAST(:states AS text[]), CAST(:confirmed AS timestamptz[]), "
        "CAST(:revisits AS timestamptz[])) "
        "s(source_id, sku, content_sha256, state, confirmed_at, revisit_at) "
        "WHERE o.source_id = s.source_id AND o.sku = s.sku "
        "AND o.content_sha256 = s.content_sha256 AND o.state = s.state "
        "AND o.confirmed_at = s.confirmed_at"
    )
)
_NEXT_SALE = Prepared(sa.text("SELECT min(revisit_at) FROM mdm.raw_offer"))

# What this process knows of catalogues; one index for each database, model and folder.
_indices: dict[tuple[str, str, Path | None], LivingIndex] = {}


@dataclass(slots=True)
class _Batch:
    """Pending records, understood: offers to show, offers to hide."""

    rows: list[OfferRow] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    done: list[tuple[Any, ...]] = field(default_factory=list)


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
        while True:
            with database.platform() as tx:
                advisory_lock(tx, "mdm.match")
                catalogue = StoredCatalogue(tx, _indices[key], encoder.model_id, encoder.dimensions)
                with _collecting_seldom():
                    taken = _match_batch(catalogue, encoder, crew, batch, datetime.now(UTC))
                if taken < batch:
                    _wake_for_sales(tx)
            total += taken
            if taken < batch:
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
        with database.platform() as tx:
            advisory_lock(tx, "mdm.match")
            if not reencode(tx, encoder):
                return


def _match_batch(
    catalogue: StoredCatalogue, encoder: TitleEncoder, crew: Crew, limit: int, now: datetime
) -> int:
    tx = catalogue.tx
    raws = _pending(tx, limit, now)
    if not raws:
        return 0
    batch = _understand(tx, raws, now)
    known = known_offers(tx, [each.offer_id for each in batch.rows] + batch.hidden)
    hidden = [each for each in batch.hidden if each in known and known[each].live]
    _withdraw(tx, hidden, now)
    fresh = [row for row in batch.rows if is_newcomer(row, known.get(row.offer_id))]
    ids = [row.offer_id for row in fresh]
    placed = Placed()
    if fresh:
        catalogue.index.refresh(tx)
        vectors = encoder.encode([row.normal.title for row in fresh])
        placed = place_newcomers(catalogue, fresh, known, vectors, now, crew.begin)
    _keep_places(batch.rows, known)
    written = [row for row in batch.rows if _has_changed(row, known.get(row.offer_id))]
    write_offers(tx, written, now)
    write_price_history(tx, written, known, now)
    if fresh:
        index_newcomers(tx, ids, vectors, encoder.model_id, known=set(known).intersection(ids))
    merged = put_in_place(tx, placed, now)
    described = [row for row in written if is_described_anew(row, known.get(row.offer_id))]
    meet_again(tx, {row.offer_id for row in described}.difference(ids))
    touched = _touched(described, hidden, known) | placed.products
    changed = rewrite(tx, touched - set(merged), where_offers_went(placed.moves), now)
    _settle(tx, batch.done)
    # Last, because everybody who changes an offer waits for the lock of the change log.
    log_changes(tx, {*changed, *merged, *_touched(written, (), known)})
    return len(raws)


def _withdraw(tx: Transaction, hidden: Sequence[str], now: datetime) -> None:
    """First, so that nothing is matched with what is gone."""
    if hidden:
        withdraw_offers(tx, hidden, now)
        meet_again(tx, hidden)
        drop_reviews(tx, hidden)


def _pending(tx: Transaction, limit: int, now: datetime) -> Sequence[Any]:
    """The next records in the order of their keys, so that the order of arrival plays no part."""
    return _PENDING.all(tx, {"limit": limit, "now": now})


def _understand(tx: Transaction, raws: Sequence[Any], now: datetime) -> _Batch:
    batch = _Batch()
    merchants: dict[str, Merchant] = {}
    refusals: dict[tuple[str, int], list[Refusal]] = defaultdict(list)
    for raw in raws:
        if raw.source_id not in merchants:
            merchants[raw.source_id] = read_source(tx, raw.source_id)
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


def _settle(tx: Transaction, done: Sequence[tuple[Any, ...]]) -> None:
    """Mark what was worked off, unless intake has changed it meanwhile."""
    columns = ("sources", "skus", "contents", "states", "confirmed", "revisits")
    _SETTLE.run(tx, dict(zip(columns, map(list, zip(*done, strict=True)), strict=True)))


def _wake_for_sales(tx: Transaction) -> None:
    """Come back when the next sale begins or ends."""
    (next_at,) = _NEXT_SALE.first(tx)
    if next_at is not None:
        delay_s = max(1, int((next_at - datetime.now(UTC)).total_seconds()) + 1)
        defer(tx, MATCH_LANDED, once=f"{MATCH_LANDED.name}@{next_at.isoformat()}", delay_s=delay_s)
