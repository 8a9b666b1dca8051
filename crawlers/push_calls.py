"""A call of the push API happens once: its key, its answer and what it landed commit together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from kernel.db import Prepared, Transaction, advisory_lock, sent_together
from kernel.errors import DomainError
from mdm import intake
from mdm.raw_offer import RawOffer, Refusal

SOURCE = "push"
KEEP_DAYS = 7
_TIDY_UP_AT = "00"
"""Old answers go with one call of 256; which one, nobody can choose."""

_TRY_LOCK = Prepared(
    sa.text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0)) AS locked")
)
_ANSWERED = Prepared(
    sa.text(
        "SELECT request_sha256, answer FROM crawlers.answered_call "
        "WHERE merchant_id = :merchant AND idempotency_key = :key"
    )
)
_KEEP = Prepared(
    sa.text(
        "INSERT INTO crawlers.answered_call "
        "(merchant_id, idempotency_key, request_sha256, status, answer) "
        "VALUES (:merchant, :key, :digest, 200, CAST(:answer AS json))"
    )
)


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to a call, and whether it was given before."""

    answer: Mapping[str, Any]
    is_replayed: bool


def request_digest(route: str, body: bytes) -> str:
    """What makes two calls the same."""
    return hashlib.sha256(route.encode() + b"\n" + body).hexdigest()


def once(
    tx: Transaction, merchant_id: str, key: str, digest: str, work: Callable[[], dict[str, Any]]
) -> Answered:
    """Do the work unless this key was answered. 409 while it is in flight, 422 for another body."""
    with sent_together(tx):
        lock = _TRY_LOCK.asked(tx, {"name": f"crawlers.push:{merchant_id}:{key}"})
        answered = _ANSWERED.asked(tx, {"merchant": merchant_id, "key": key})
    if not lock.fetchall()[0].locked:
        raise DomainError(
            "call_in_flight",
            "A call with this Idempotency-Key is being answered",
            hint="Wait a second and send the same call again.",
            status=409,
        )
    for row in answered.fetchall():
        if row.request_sha256 != digest:
            raise DomainError(
                "idempotency_key_reused",
                "This Idempotency-Key was used for another call",
                hint="Draw a new key for each call; keep it when you repeat the same one.",
            )
        return Answered(row.answer, is_replayed=True)
    answer = work()
    _keep(tx, merchant_id, key, digest, answer)
    return Answered(answer, is_replayed=False)


def _keep(
    tx: Transaction, merchant_id: str, key: str, digest: str, answer: Mapping[str, Any]
) -> None:
    _KEEP.run(
        tx, {"merchant": merchant_id, "key": key, "digest": digest, "answer": json.dumps(answer)}
    )
    if not digest.startswith(_TIDY_UP_AT):
        return
    tx.execute(
        sa.text(
            "DELETE FROM crawlers.answered_call WHERE merchant_id = :merchant "
            "AND answered_at < now() - make_interval(days => :days)"
        ),
        {"merchant": merchant_id, "days": KEEP_DAYS},
    )


def land_offers(
    tx: Transaction,
    merchant_id: str,
    records: list[RawOffer | Refusal],
    *,
    run: str | None,
    complete: bool,
) -> dict[str, Any]:
    """Land one call. A named run takes effect when its last call says that it is complete."""
    if run is None and not complete:
        landing, summary = intake.land_at_once(tx, merchant_id, SOURCE, records)
        return {**_landed(landing), "run": None, **_closed(summary)}
    if run is None:
        run_id = intake.open_run(tx, merchant_id, SOURCE, complete=True)
    else:
        run_id = _named_run(tx, merchant_id, run)
    landing = intake.submit(tx, run_id, records)
    answer: dict[str, Any] = {**_landed(landing), "run": run}
    if run is not None and not complete:
        return {**answer, "state": "open"}
    summary = intake.close_run(tx, run_id)
    if run is not None:
        _forget_run(tx, merchant_id, run)
    return {**answer, **_closed(summary)}


def _landed(landing: intake.Landing) -> dict[str, Any]:
    return {
        "landed": landing.landed,
        "unchanged": landing.unchanged,
        "refused": [_refused(each) for each in landing.refusals],
    }


def _closed(summary: intake.RunSummary) -> dict[str, Any]:
    return {
        "state": summary.state,
        "withdrawn": summary.withdrawn,
        "parked": summary.reason if summary.state == "parked" else None,
    }


def _refused(refusal: Refusal) -> dict[str, Any]:
    return {
        "sku": refusal.sku,
        "code": refusal.code,
        "reason": refusal.reason,
        "hint": refusal.hint,
    }


def _named_run(tx: Transaction, merchant_id: str, name: str) -> int:
    advisory_lock(tx, f"crawlers.push_run:{merchant_id}")
    known = tx.execute(
        sa.text(
            "SELECT run_id FROM crawlers.push_run WHERE merchant_id = :merchant AND name = :name"
        ),
        {"merchant": merchant_id, "name": name},
    ).scalar_one_or_none()
    if known is not None:
        return int(known)
    run_id = intake.open_run(tx, merchant_id, SOURCE, complete=True)
    # A newer run replaces older ones in intake; their names stay, so that a late call is refused.
    tx.execute(
        sa.text(
            "INSERT INTO crawlers.push_run (merchant_id, name, run_id) "
            "VALUES (:merchant, :name, :run)"
        ),
        {"merchant": merchant_id, "name": name, "run": run_id},
    )
    return run_id


def _forget_run(tx: Transaction, merchant_id: str, name: str) -> None:
    tx.execute(
        sa.text(
            "DELETE FROM crawlers.push_run WHERE merchant_id = :merchant AND "
            "(name = :name OR begun_at < now() - make_interval(days => :days))"
        ),
        {"merchant": merchant_id, "name": name, "days": KEEP_DAYS},
    )
