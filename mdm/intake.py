"""Landing what merchants say: runs, deduplication by content hash, refusals, and the blast radius.

A complete run (a whole feed) is staged and takes effect when it is closed: all of it, or nothing
when it would wreck the merchant's catalogue (parked for a person). An incomplete run (pushed
changes, a partial crawl) takes effect batch by batch. The same offer again writes nothing.

A key that comes twice: in a complete run an equal record counts as unchanged and a different one
is refused (the first stays); in an incomplete run records follow in time, so the last one wins.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Any

import sqlalchemy as sa

from kernel.db import Prepared, Transaction, plan_once, sent_together
from kernel.jobs import Job, defer
from mdm.blast_radius import MIN_OFFERS, danger
from mdm.bulk import copy_rows
from mdm.direct_change import asked_held, direct_changes, is_known, put_into_effect
from mdm.intake_runs import (
    Run,
    RunSummary,
    asked_run,
    begin,
    count,
    discard_older,
    end,
    list_runs,
    locked_run,
    park,
    read_run,
)
from mdm.landed_rows import move_staged, renew, unstage, write_landed
from mdm.merchants import Merchant, register_sellers
from mdm.offer_rows import KnownOffer, asked_offers, known_offers, offer_id_of
from mdm.quarantine import forget_before, printable, refuse
from mdm.raw_landing import Landed, land, usable_key
from mdm.raw_offer import RawOffer, Refusal

__all__ = ["Landing", "RunSummary", "list_runs", "read_run"]

MATCH_LANDED = Job("mdm.match_landed", "mdm", lock="mdm")

BATCH = 2000

_KNOWN = Prepared(
    sa.text(
        "SELECT sku, content_sha256 FROM mdm.raw_offer "
        "WHERE source_id = :source AND sku = ANY(:skus) AND state = 'live'"
    )
)


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
class _There:
    """Of a few offers: what landed before by key, what is stored by id."""

    held: Mapping[str, Any]
    known: Mapping[str, KnownOffer]


def open_run(tx: Transaction, merchant_id: str, source: str, *, complete: bool) -> int:
    """Begin a run. A complete run replaces an older one of the same source that never ended."""
    return begin(tx, merchant_id, source, complete=complete).id


def land_at_once(
    tx: Transaction, merchant_id: str, source: str, records: Iterable[RawOffer | Refusal]
) -> tuple[Landing, RunSummary]:
    """An incomplete run from beginning to end in one transaction: a call of pushed changes."""
    some = list(records)
    with sent_together(tx):
        plan_once(tx)
        begun = asked_run(tx, merchant_id, source, complete=False)
        there = _asked_there(tx, merchant_id, some) if len(some) < MIN_OFFERS else None
    run = begun()
    landing = _land(tx, run, some, there() if there else None)
    return landing, count(tx, run.id, _counts(landing), ends=run.state == "open")


def submit(tx: Transaction, run_id: int, records: Iterable[RawOffer | Refusal]) -> Landing:
    """Land records of an open run, in bounded batches."""
    landing = _land(tx, locked_run(tx, run_id, ("open", "parked")), records)
    count(tx, run_id, _counts(landing), ends=False)
    return landing


def _land(
    tx: Transaction,
    run: Run,
    records: Iterable[RawOffer | Refusal],
    there: _There | None = None,
) -> Landing:
    total = Landing(0, 0, 0)
    for batch in _batches(records, BATCH):
        counts = _submit_batch(tx, run, batch, there)
        total = Landing(
            total.landed + counts.landed,
            total.unchanged + counts.unchanged,
            total.refused + counts.refused,
            total.refusals + counts.refusals,
        )
    return total


def _counts(landing: Landing) -> dict[str, int]:
    names = ("landed", "unchanged", "refused")
    return {name: getattr(landing, name) for name in names}


def close_run(tx: Transaction, run_id: int) -> RunSummary:
    """End a run. A complete one takes effect now, withdrawing what it no longer lists, or parks."""
    run = locked_run(tx, run_id, ("open", "parked"))
    if run.is_complete:
        reason = danger(tx, run.id, run.merchant, run.source, complete=True)
        if reason:
            park(tx, run.id, reason)
        else:
            _complete(tx, run)
    elif run.state == "open":
        end(tx, run.id, "closed", 0)
    return read_run(tx, run_id)


def release_run(tx: Transaction, run_id: int) -> RunSummary:
    """A person says that a parked run is right after all: it takes effect."""
    run = locked_run(tx, run_id, ("parked",))
    if run.is_complete:
        _complete(tx, run)
    else:
        _apply(tx, run)
        end(tx, run.id, "closed", 0)
    return read_run(tx, run_id)


def discard_run(tx: Transaction, run_id: int) -> RunSummary:
    """Forget a run: a parked one that a person says is wrong, or an open one that broke off."""
    run = locked_run(tx, run_id, ("open", "parked"))
    end(tx, run.id, "discarded", 0)
    return read_run(tx, run_id)


def _batches(
    records: Iterable[RawOffer | Refusal], size: int
) -> Iterator[list[RawOffer | Refusal]]:
    source = iter(records)
    while batch := list(islice(source, size)):
        yield batch


def _submit_batch(
    tx: Transaction, run: Run, records: list[RawOffer | Refusal], there: _There | None
) -> Landing:
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
    if there is not None:
        landed_count, known_count = _write_few(tx, run, staged.values(), there)
    else:
        landed_count, known_count, doubled = _stage(tx, run, staged)
        refusals += doubled
    refuse(tx, run.merchant.id, run.id, refusals)
    if there is None and not run.is_complete:
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


def _stage(tx: Transaction, run: Run, staged: dict[str, Landed]) -> tuple[int, int, list[Refusal]]:
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
    rows = _KNOWN.all(tx, {"source": source_id, "skus": skus})
    return {row.sku: bytes(row.content_sha256) for row in rows}


def _landed_before(tx: Transaction, run_id: int, skus: list[str]) -> dict[str, bytes]:
    rows = tx.execute(
        sa.text(
            "SELECT sku, content_sha256 FROM mdm.landing WHERE run_id = :run AND sku = ANY(:skus)"
        ),
        {"run": run_id, "skus": skus},
    )
    return {row.sku: bytes(row.content_sha256) for row in rows}


def _apply_unless_dangerous(tx: Transaction, run: Run, landed: Collection[Landed]) -> None:
    if run.state == "parked":
        return
    is_few = len(landed) < MIN_OFFERS
    reason = None if is_few else danger(tx, run.id, run.merchant, run.source, complete=False)
    if reason:
        park(tx, run.id, reason)
        object.__setattr__(run, "state", "parked")
        return
    held = asked_held(tx, run.merchant.id, [each.sku for each in landed])()
    direct = direct_changes(run.merchant, landed, held, partial(known_offers, tx))
    _apply(tx, run, [each.row.normal.sku for each in direct])
    put_into_effect(tx, direct)


def _asked_there(
    tx: Transaction, source_id: str, records: Iterable[RawOffer | Refusal]
) -> Callable[[], _There]:
    """What is there of a few offers, which are ours until the transaction ends: asked for now and
    read when it is called."""
    keys = {usable_key(each) for each in records if isinstance(each, RawOffer)}
    skus = sorted(each for each in keys if each)
    held = asked_held(tx, source_id, skus)
    known = asked_offers(tx, [offer_id_of(source_id, each) for each in skus])
    return lambda: _There(held(), known())


def _write_few(
    tx: Transaction, run: Run, landed: Collection[Landed], there: _There
) -> tuple[int, int]:
    """So few offers that no share of them says anything take effect without being staged. Returns
    counts (landed, unchanged)."""
    new = [each for each in landed if not is_known(each, there.held)]
    direct = direct_changes(run.merchant, new, there.held, lambda _: there.known)
    again = [each.sku for each in landed if is_known(each, there.held)]
    waiting = len(new) - len(direct) + renew(tx, run, again)
    with sent_together(tx):
        write_landed(tx, run, new, [each.row.normal.sku for each in direct])
        put_into_effect(tx, direct)
        if waiting:
            defer(tx, MATCH_LANDED, once=MATCH_LANDED.name)
    return len(new), len(again)


def _complete(tx: Transaction, run: Run) -> None:
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
    discard_older(tx, run.merchant.id, run.source, run.id, ("parked",))
    end(tx, run.id, "closed", withdrawn)


def _apply(tx: Transaction, run: Run, direct: Sequence[str] = ()) -> None:
    """Move staged offers into the raw offers, and renew those whose lifetime is half over.

    All but the `direct` ones, which take effect at once, are left to the pipeline.
    """
    waiting = move_staged(tx, run, direct)
    with sent_together(tx):
        unstage(tx, run)
        if waiting:
            defer(tx, MATCH_LANDED, once=MATCH_LANDED.name)
