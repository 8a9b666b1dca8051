"""Runs of intake as rows: opened, read and locked, ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from kernel.db import Prepared, Transaction, sent_together
from kernel.errors import DomainError, NotFound
from mdm.merchants import Merchant, asked_sources, read_source


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
class Run:
    """A run at work; `state` is open or parked."""

    id: int
    merchant: Merchant
    source: str
    is_complete: bool
    state: str


_SUMMARY = "run_id, merchant_id, source, state, landed, unchanged, refused, withdrawn, reason"
_BEGIN = Prepared(
    sa.text(
        "INSERT INTO mdm.intake_run (merchant_id, source, complete) "
        "SELECT merchant_id, :source, :complete FROM mdm.merchant WHERE merchant_id = :merchant "
        "RETURNING run_id"
    )
)
_READ = Prepared(
    sa.text(f"SELECT {_SUMMARY} FROM mdm.intake_run WHERE run_id = :run")  # noqa: S608
)
_COUNT = Prepared(
    sa.text(
        "UPDATE mdm.intake_run SET landed = landed + :landed, "  # noqa: S608
        "unchanged = unchanged + :unchanged, "
        "refused = refused + :refused, state = CASE WHEN :ends THEN 'closed' ELSE state END, "
        "closed_at = CASE WHEN :ends THEN now() ELSE closed_at END "
        f"WHERE run_id = :run RETURNING {_SUMMARY}"
    )
)


def begin(tx: Transaction, merchant_id: str, source: str, *, complete: bool) -> Run:
    """Open a run. A complete run replaces an older one of the same source that never ended."""
    with sent_together(tx):
        begun = asked_run(tx, merchant_id, source, complete=complete)
    run = begun()
    if complete:
        discard_older(tx, merchant_id, run.source, run.id, ("open",))
    return run


def asked_run(
    tx: Transaction, merchant_id: str, source: str, *, complete: bool
) -> Callable[[], Run]:
    """A run opened now and read when it is called: for statements that are sent together."""
    source = source[:200]
    sources = asked_sources(tx, [merchant_id])
    values = {"merchant": merchant_id, "source": source, "complete": complete}
    begun = _BEGIN.asked(tx, values)

    def read() -> Run:
        merchant = sources()[merchant_id]
        return Run(begun.fetchall()[0].run_id, merchant, source, complete, "open")

    return read


def read_run(tx: Transaction, run_id: int) -> RunSummary:
    """The run as it stands."""
    row = _READ.first(tx, {"run": run_id})
    if row is None:
        raise NotFound("run_unknown", f"There is no intake run {run_id}")
    return RunSummary(*row)


def list_runs(
    tx: Transaction, merchant_id: str | None = None, limit: int = 50, *, state: str | None = None
) -> list[RunSummary]:
    """Runs, newest first; of one merchant or of all, in one state or in any."""
    rows = tx.execute(
        sa.text(
            f"SELECT {_SUMMARY} FROM mdm.intake_run "  # noqa: S608
            "WHERE (CAST(:merchant AS text) IS NULL OR merchant_id = :merchant) "
            "AND (CAST(:state AS text) IS NULL OR state = :state) "
            "ORDER BY run_id DESC LIMIT :limit"
        ),
        {"merchant": merchant_id, "state": state, "limit": limit},
    )
    return [RunSummary(*row) for row in rows]


def locked_run(tx: Transaction, run_id: int, states: tuple[str, ...]) -> Run:
    """The run in one of these states, ours until the transaction ends."""
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
    return Run(run_id, read_source(tx, row.merchant_id), row.source, row.complete, row.state)


def count(tx: Transaction, run_id: int, counts: Mapping[str, int], *, ends: bool) -> RunSummary:
    """Add `landed`, `unchanged` and `refused` to the run; one that has nothing staged may end."""
    return RunSummary(*_COUNT.first(tx, {**counts, "run": run_id, "ends": ends}))


def park(tx: Transaction, run_id: int, reason: str) -> None:
    """Hold a run back for a person to judge."""
    tx.execute(
        sa.text(
            "UPDATE mdm.intake_run SET state = 'parked', reason = :reason, closed_at = now() "
            "WHERE run_id = :run"
        ),
        {"run": run_id, "reason": reason},
    )


def end(tx: Transaction, run_id: int, state: str, withdrawn: int) -> None:
    """Nothing of it is staged any longer."""
    tx.execute(
        sa.text(
            "UPDATE mdm.intake_run SET state = :state, withdrawn = :withdrawn, closed_at = now() "
            "WHERE run_id = :run"
        ),
        {"run": run_id, "state": state, "withdrawn": withdrawn},
    )
    tx.execute(sa.text("DELETE FROM mdm.landing WHERE run_id = :run"), {"run": run_id})


def discard_older(
    tx: Transaction, merchant_id: str, source: str, run_id: int, states: tuple[str, ...]
) -> None:
    """End what a newer complete run of the source has overtaken."""
    older = tx.execute(
        sa.text(
            "SELECT run_id FROM mdm.intake_run WHERE merchant_id = :merchant AND source = :source "
            "AND complete AND run_id < :run AND state = ANY(:states)"
        ),
        {"merchant": merchant_id, "source": source, "run": run_id, "states": list(states)},
    )
    for row in older.all():
        end(tx, row.run_id, "discarded", 0)
