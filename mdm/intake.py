"""Landing what merchants say: runs, deduplication by content hash, refusals, and the blast radius.

A complete run (a whole feed) is staged and takes effect when it is closed: all of it, or nothing
when it would wreck the merchant's catalogue (parked for a person). An incomplete run (pushed
changes, a partial crawl) takes effect batch by batch. The same offer again writes nothing.

A key that comes twice: in a complete run an equal record counts as unchanged and a different one
is refused (the first stays); in an incomplete run records follow in time, so the last one wins.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import sqlalchemy as sa

from kernel.db import Transaction
from kernel.errors import DomainError, NotFound
from kernel.jobs import Job, defer
from mdm.blast_radius import danger
from mdm.bulk import copy_rows
from mdm.direct_change import direct_changes, put_into_effect
from mdm.merchants import Merchant, read_merchant, register_sellers
from mdm.quarantine import forget_before, printable, refuse
from mdm.raw_landing import Landed, land
from mdm.raw_offer import RawOffer, Refusal

MATCH_LANDED = Job("mdm.match_landed", "mdm", lock="mdm")

BATCH = 2000


@dataclass(frozen=True, slots=True)
class Landing:
    """Counts of one submission: new or changed, already known as such, refused with a reason.

    `refusals` are those of this submission, whoever refused them: a format, a spider or intake.
    """

    landed: int
    unchanged: int
    refused: int
    refusals: tuple[Refusal, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run as it ended. `state` is `closed`, or `parked` (nothing applied) with the `reason`."""

    run_id: int
    merchant_id: str
    source: str
    state: str
    landed: int
    unchanged: int
    refused: int
    withdrawn: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class _Run:
    id: int
    merchant: Merchant
    source: str
    is_complete: bool
    state: str


def open_run(tx: Transaction, merchant_id: str, source: str, *, complete: bool) -> int:
    """Begin a run. A complete run replaces an older one of the same source that never ended."""
    read_merchant(tx, merchant_id)
    run_id: int = tx.execute(
        sa.text(
            "INSERT INTO mdm.intake_run (merchant_id, source, complete) "
            "VALUES (:merchant, :source, :complete) RETURNING run_id"
        ),
        {"merchant": merchant_id, "source": source[:200], "complete": complete},
    ).scalar_one()
    if complete:
        _discard_older(tx, merchant_id, source[:200], run_id, ("open",))
    return run_id


def submit(tx: Transaction, run_id: int, records: Iterable[RawOffer | Refusal]) -> Landing:
    """Land records of an open run, in bounded batches."""
    run = _read_run(tx, run_id, ("open", "parked"))
    total = Landing(0, 0, 0)
    for batch in _batches(records, BATCH):
        counts = _submit_batch(tx, run, batch)
        total = Landing(
            total.landed + counts.landed,
            total.unchanged + counts.unchanged,
            total.refused + counts.refused,
            total.refusals + counts.refusals,
        )
    tx.execute(
        sa.text(
            "UPDATE mdm.intake_run SET landed = landed + :landed, "
            "unchanged = unchanged + :unchanged, refused = refused + :refused WHERE run_id = :run"
        ),
        {name: getattr(total, name) for name in ("landed", "unchanged", "refused")}
        | {"run": run_id},
    )
    return total


def close_run(tx: Transaction, run_id: int) -> RunSummary:
    """End a run. A complete one takes effect now, withdrawing what it no longer lists, or parks."""
    run = _read_run(tx, run_id, ("open", "parked"))
    if run.is_complete:
        reason = danger(tx, run.id, run.merchant, run.source, complete=True)
        if reason:
            _park(tx, run.id, reason)
        else:
            _complete(tx, run)
    elif run.state == "open":
        _end(tx, run.id, "closed", 0)
    return read_run(tx, run_id)


def release_run(tx: Transaction, run_id: int) -> RunSummary:
    """A person says that a parked run is right after all: it takes effect."""
    run = _read_run(tx, run_id, ("parked",))
    if run.is_complete:
        _complete(tx, run)
    else:
        _apply(tx, run)
        _end(tx, run.id, "closed", 0)
    return read_run(tx, run_id)


def discard_run(tx: Transaction, run_id: int) -> RunSummary:
    """Forget a run: a parked one that a person says is wrong, or an open one that broke off."""
    run = _read_run(tx, run_id, ("open", "parked"))
    _end(tx, run.id, "discarded", 0)
    return read_run(tx, run_id)


def read_run(tx: Transaction, run_id: int) -> RunSummary:
    """The run as it stands."""
    row = tx.execute(sa.text(f"{_SUMMARY} WHERE run_id = :run"), {"run": run_id}).one_or_none()
    if row is None:
        raise NotFound("run_unknown", f"There is no intake run {run_id}")
    return RunSummary(*row)


def list_runs(tx: Transaction, merchant_id: str | None = None, limit: int = 50) -> list[RunSummary]:
    """Runs, newest first; of one merchant or of all."""
    rows = tx.execute(
        sa.text(
            f"{_SUMMARY} WHERE CAST(:merchant AS text) IS NULL OR merchant_id = :merchant "
            "ORDER BY run_id DESC LIMIT :limit"
        ),
        {"merchant": merchant_id, "limit": limit},
    )
    return [RunSummary(*row) for row in rows]


_SUMMARY = (
    "SELECT run_id, merchant_id, source, state, landed, unchanged, refused, withdrawn, reason "
    "FROM mdm.intake_run"
)


def _read_run(tx: Transaction, run_id: int, states: tuple[str, ...]) -> _Run:
    row = tx.execute(
        sa.text(
            "SELECT merchant_id, source, complete, state FROM mdm.intake_run "
            "WHERE run_id = :run FOR UPDATE"
        ),
        {"run": run_id},
    ).one_or_none()
    if row is None:
        raise NotFound("run_unknown", f"There is no intake run {run_id}")
    if row.state not in states:
        raise DomainError(
            "run_state",
            f"Intake run {run_id} is {row.state}",
            hint="Open a new run; a newer run of the same source replaces an older one.",
            status=409,
        )
    return _Run(run_id, read_merchant(tx, row.merchant_id), row.source, row.complete, row.state)


def _batches(
    records: Iterable[RawOffer | Refusal], size: int
) -> Iterator[list[RawOffer | Refusal]]:
    source = iter(records)
    while batch := list(islice(source, size)):
        yield batch


def _submit_batch(tx: Transaction, run: _Run, records: list[RawOffer | Refusal]) -> Landing:
    sellers = _register_sellers(tx, run.merchant, records)
    now = datetime.now(UTC)
    staged: dict[str, Landed] = {}
    refusals: list[Refusal] = []
    unchanged = 0
    for record in records:
        landed = record if isinstance(record, Refusal) else land(record, run.merchant, sellers, now)
        if isinstance(landed, Refusal):
            refusals.append(landed)
            continue
        earlier = staged.get(landed.sku)
        if earlier and earlier.content_sha256 == landed.content_sha256:
            unchanged += 1
        elif earlier and run.is_complete:
            refusals.append(_duplicate(landed))
        else:
            staged[landed.sku] = landed
            unchanged += 1 if earlier else 0
    landed_count, known_count, doubled = _stage(tx, run, staged)
    refusals += doubled
    refuse(tx, run.merchant.id, run.id, refusals)
    if not run.is_complete:
        _apply_unless_dangerous(tx, run, staged.values())
    return Landing(landed_count, unchanged + known_count, len(refusals), tuple(refusals))


def _register_sellers(
    tx: Transaction, merchant: Merchant, records: list[RawOffer | Refusal]
) -> frozenset[str]:
    names = {each.seller[:200] for each in records if isinstance(each, RawOffer) and each.seller}
    return register_sellers(tx, merchant, names) if names else frozenset()


def _duplicate(landed: Landed) -> Refusal:
    return Refusal(
        code="duplicate_sku",
        reason=f"{printable(landed.sku, 80)!r} comes twice in this feed with different content",
        sku=landed.sku,
        hint="Give every offer its own key; the first record of a key is kept.",
        excerpt=landed.excerpt,
    )


def _stage(tx: Transaction, run: _Run, staged: dict[str, Landed]) -> tuple[int, int, list[Refusal]]:
    """Write what came into the landing table. Returns counts (landed, unchanged) and refusals."""
    known = _known(tx, run.merchant.id, list(staged))
    before = _landed_before(tx, run.id, list(staged)) if run.is_complete else {}
    doubled: list[Refusal] = []
    repeated = 0
    rows: list[tuple[Any, ...]] = []
    for sku, each in sorted(staged.items()):
        if sku in before:
            if before[sku] == each.content_sha256:
                repeated += 1
            else:
                doubled.append(_duplicate(each))
            continue
        raw = None if known.get(sku) == each.content_sha256 else each.raw_json
        rows.append((run.id, sku, each.content_sha256, raw, each.price_minor, each.currency))
    columns = ("run_id", "sku", "content_sha256", "raw", "price_minor", "currency")
    if run.state == "parked":
        skus = [row[1] for row in rows]
        tx.execute(
            sa.text("DELETE FROM mdm.landing WHERE run_id = :run AND sku = ANY(:skus)"),
            {"run": run.id, "skus": skus},
        )
    copy_rows(tx, "mdm.landing", columns, rows)
    landed = sum(1 for row in rows if row[3] is not None)
    return landed, len(rows) - landed + repeated, doubled


def _known(tx: Transaction, source_id: str, skus: list[str]) -> dict[str, bytes]:
    rows = tx.execute(
        sa.text(
            "SELECT sku, content_sha256 FROM mdm.raw_offer "
            "WHERE source_id = :source AND sku = ANY(:skus) AND state = 'live'"
        ),
        {"source": source_id, "skus": skus},
    )
    return {row.sku: bytes(row.content_sha256) for row in rows}


def _landed_before(tx: Transaction, run_id: int, skus: list[str]) -> dict[str, bytes]:
    rows = tx.execute(
        sa.text(
            "SELECT sku, content_sha256 FROM mdm.landing WHERE run_id = :run AND sku = ANY(:skus)"
        ),
        {"run": run_id, "skus": skus},
    )
    return {row.sku: bytes(row.content_sha256) for row in rows}


def _apply_unless_dangerous(tx: Transaction, run: _Run, landed: Collection[Landed]) -> None:
    if run.state == "parked":
        return
    reason = danger(tx, run.id, run.merchant, run.source, complete=False)
    if reason:
        _park(tx, run.id, reason)
        object.__setattr__(run, "state", "parked")
        return
    direct = direct_changes(tx, run.merchant, landed)
    _apply(tx, run, [each.row.normal.sku for each in direct])
    put_into_effect(tx, direct)


def _complete(tx: Transaction, run: _Run) -> None:
    """A complete run takes effect: staged offers in, offers no longer listed out."""
    withdrawn = tx.execute(
        sa.text(
            "UPDATE mdm.raw_offer o SET state = 'withdrawn', pending = true "
            "WHERE source_id = :source AND feed = :feed AND state = 'live' AND NOT EXISTS "
            "(SELECT FROM mdm.landing l WHERE l.run_id = :run AND l.sku = o.sku)"
        ),
        {"source": run.merchant.id, "feed": run.source, "run": run.id},
    ).rowcount
    _apply(tx, run)
    if withdrawn:
        defer(tx, MATCH_LANDED, once=MATCH_LANDED.name)
    forget_before(tx, run.merchant.id, run.source, run.id)
    _discard_older(tx, run.merchant.id, run.source, run.id, ("parked",))
    _end(tx, run.id, "closed", withdrawn)


def _apply(tx: Transaction, run: _Run, direct: Sequence[str] = ()) -> None:
    """Move staged offers into the raw offers, and renew those whose lifetime is half over.

    All but the `direct` ones, which take effect at once, are left to the pipeline.
    """
    changed = tx.execute(
        sa.text(
            "INSERT INTO mdm.raw_offer (source_id, sku, feed, content_sha256, raw, price_minor, "
            "currency, state, pending, landed_by, landed_at, confirmed_at) "
            "SELECT :source, sku, :feed, content_sha256, raw, price_minor, currency, 'live', "
            "NOT sku = ANY(:direct), run_id, now(), now() FROM mdm.landing "
            "WHERE run_id = :run AND raw IS NOT NULL ORDER BY sku "
            "ON CONFLICT (source_id, sku) DO UPDATE SET "
            "feed = CASE WHEN :complete THEN EXCLUDED.feed ELSE raw_offer.feed END, "
            "content_sha256 = EXCLUDED.content_sha256, raw = EXCLUDED.raw, "
            "price_minor = EXCLUDED.price_minor, currency = EXCLUDED.currency, state = 'live', "
            "pending = EXCLUDED.pending, landed_by = EXCLUDED.landed_by, landed_at = now(), "
            "confirmed_at = now()"
        ),
        {
            "source": run.merchant.id,
            "feed": run.source,
            "run": run.id,
            "complete": run.is_complete,
            "direct": list(direct),
        },
    ).rowcount - len(direct)
    changed += tx.execute(
        sa.text(
            "UPDATE mdm.raw_offer o SET confirmed_at = now(), pending = true FROM mdm.landing l "
            "WHERE l.run_id = :run AND l.raw IS NULL AND o.source_id = :source AND o.sku = l.sku "
            "AND o.confirmed_at < now() - make_interval(hours => :half_life_hours)"
        ),
        {
            "run": run.id,
            "source": run.merchant.id,
            "half_life_hours": run.merchant.lifetime_days * 12,
        },
    ).rowcount
    tx.execute(sa.text("DELETE FROM mdm.landing WHERE run_id = :run"), {"run": run.id})
    if changed:
        defer(tx, MATCH_LANDED, once=MATCH_LANDED.name)


def _park(tx: Transaction, run_id: int, reason: str) -> None:
    tx.execute(
        sa.text(
            "UPDATE mdm.intake_run SET state = 'parked', reason = :reason, closed_at = now() "
            "WHERE run_id = :run"
        ),
        {"run": run_id, "reason": reason},
    )


def _end(tx: Transaction, run_id: int, state: str, withdrawn: int) -> None:
    tx.execute(
        sa.text(
            "UPDATE mdm.intake_run SET state = :state, withdrawn = :withdrawn, closed_at = now() "
            "WHERE run_id = :run"
        ),
        {"run": run_id, "state": state, "withdrawn": withdrawn},
    )
    tx.execute(sa.text("DELETE FROM mdm.landing WHERE run_id = :run"), {"run": run_id})


def _discard_older(
    tx: Transaction, merchant_id: str, source: str, run_id: int, states: tuple[str, ...]
) -> None:
    older = tx.execute(
        sa.text(
            "SELECT run_id FROM mdm.intake_run WHERE merchant_id = :merchant AND source = :source "
            "AND complete AND run_id < :run AND state = ANY(:states)"
        ),
        {"merchant": merchant_id, "source": source, "run": run_id, "states": list(states)},
    )
    for row in older.all():
        _end(tx, row.run_id, "discarded", 0)
