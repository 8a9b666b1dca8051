"""Seals of what operators did, so that a record which somebody changed shows.

The database refuses to change a record, but who owns it can take that refusal away. So each record
gets a seal soon after it was written: SHA-256 over the seal before and the record's own text. To
change one unseen, all seals after it have to be made anew, and then the last one, the head, is no
longer the one that the worker's log has told.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kernel.db import Transaction, advisory_lock

RECORDS: Mapping[str, str] = {
    "tenants.ranking_version": "version",
    "tenants.ranking_act": "act_id",
    "mdm.stewardship_act": "act_id",
    "mdm.stewardship_effect": "act_id",
    "mdm.curation_act": "act_id",
}
"""Tables of which no row ever changes, with the column that numbers their rows."""
BEGINNING = "0" * 64
AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Proof:
    """How many records are as they were sealed, the last seal, and the first that is not."""

    sealed: int
    unsealed: int
    head: str
    fault: str | None = None


def seal_records(tx: Transaction, now: datetime) -> tuple[int, str]:
    """Seal what has none yet, at most AT_ONCE of each kind; answers how many, and the head."""
    advisory_lock(tx, "comptoir.seal_records")
    _in_one_time_zone(tx)
    digest = head(tx)
    rows = []
    for record, key in RECORDS.items():
        for record_id, said in _without_seal(tx, record, key):
            digest = _digest(digest, record, record_id, said)
            rows.append(
                {
                    "record": record, "record_id": record_id, "columns": sorted(said),
                    "digest": digest, "now": now,
                }
            )  # fmt: skip
    if rows:
        tx.execute(
            sa.text(
                "INSERT INTO tenants.record_seal (record, record_id, columns, digest, sealed_at) "
                "VALUES (:record, :record_id, :columns, :digest, :now)"
            ),
            rows,
        )
    return len(rows), digest


def head(tx: Transaction) -> str:
    """The last seal; BEGINNING where there is none."""
    statement = "SELECT digest FROM tenants.record_seal ORDER BY seal_id DESC LIMIT 1"
    return str(tx.execute(sa.text(statement)).scalar() or BEGINNING)


def verify_records(tx: Transaction, known_head: str | None = None) -> Proof:
    """Count every seal again, in their order; stops at the first record that does not fit.

    `known_head` is a head of some earlier day, from a log or a copy: it has to be among the seals.
    """
    _in_one_time_zone(tx)
    before, count, is_known = BEGINNING, 0, known_head in (None, BEGINNING)
    seals = tx.execute(sa.text("SELECT * FROM tenants.record_seal ORDER BY seal_id"))
    for seal in seals.yield_per(AT_ONCE):
        said = _record(tx, seal.record, seal.record_id)
        name = f"{seal.record} {seal.record_id}, sealed {seal.sealed_at:%Y-%m-%d %H:%M}Z"
        if said is None:
            return Proof(count, 0, before, f"{name}: it is gone")
        kept = {column: said.get(column) for column in seal.columns}
        if _digest(before, seal.record, seal.record_id, kept) != seal.digest:
            return Proof(count, 0, before, f"{name}: it, or a seal before it, was changed")
        before, count = seal.digest, count + 1
        is_known |= before == known_head
    if not is_known:
        return Proof(
            count, 0, before, f"no seal is {known_head}: the end was cut off, or made anew"
        )
    waiting = sum(_count_without_seal(tx, *each) for each in RECORDS.items())
    return Proof(count, waiting, before)


def _without_seal(tx: Transaction, record: str, key: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Records in the order of their numbers. One that was long in being committed comes later."""
    asked = f"t.{key} AS id, to_jsonb(t) AS said"
    statement = f"{_unsealed(asked, record, key)} ORDER BY t.{key} LIMIT {AT_ONCE}"
    for row in tx.execute(sa.text(statement), {"record": record}):
        yield row.id, row.said


def _count_without_seal(tx: Transaction, record: str, key: str) -> int:
    statement = sa.text(_unsealed("count(*)", record, key))
    return int(tx.execute(statement, {"record": record}).scalar_one())


def _unsealed(asked: str, record: str, key: str) -> str:
    return (
        f"SELECT {asked} FROM {record} t WHERE NOT EXISTS ("  # noqa: S608 - our own names
        f"SELECT FROM tenants.record_seal s WHERE s.record = :record AND s.record_id = t.{key})"
    )


def _record(tx: Transaction, record: str, record_id: int) -> dict[str, Any] | None:
    key = RECORDS.get(record)
    if key is None:
        return None
    statement = sa.text(f"SELECT to_jsonb(t) FROM {record} t WHERE t.{key} = :id")  # noqa: S608
    said: dict[str, Any] | None = tx.execute(statement, {"id": record_id}).scalar()
    return said


def _digest(before: str, record: str, record_id: int, said: Mapping[str, Any]) -> str:
    text = json.dumps([before, record, record_id, said], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _in_one_time_zone(tx: Transaction) -> None:
    """A moment is written the same whoever asks."""
    tx.execute(sa.text("SET LOCAL TimeZone = 'UTC'"))
