"""One key, one request, one answer: how a request sent twice is done once.

The key is claimed before the work and its answer stored with the work, in one commit. The same
request again gets the stored answer; another request under the key 422; one still under way 409.
Answers from 500 are never stored, and a claim of a killed process counts for nothing.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from comptoir.payment_simulator.payments import PaymentRefused


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What was answered the first time."""

    status: int
    body: str


def request_hash(path: str, body: Any) -> str:
    """A digest of what is asked: the path and the JSON by meaning, not by spelling."""
    spelled = json.dumps([path, body], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(spelled.encode()).hexdigest()


def claim(
    tx: sqlite3.Connection, platform: str, key: str, digest: str, boot: str
) -> StoredAnswer | None:
    """Claim the key, or return the stored answer. `boot` names the running process."""
    row = tx.execute(
        "SELECT * FROM idempotency WHERE platform = ? AND key = ?", (platform, key)
    ).fetchone()
    if row is not None and row["request_hash"] != digest:
        raise PaymentRefused(
            422, "idempotency_conflict", "The idempotency key belongs to another request."
        )
    if row is not None and row["status"] is not None:
        return StoredAnswer(row["status"], row["body"])
    if row is not None and row["boot"] == boot:
        raise PaymentRefused(409, "idempotency_in_flight", "The same request is still under way.")
    tx.execute(
        "INSERT INTO idempotency (platform, key, request_hash, boot) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (platform, key) DO UPDATE SET boot = excluded.boot",
        (platform, key, digest, boot),
    )
    return None


def store(tx: sqlite3.Connection, platform: str, key: str, answer: StoredAnswer) -> None:
    """Keep the answer, in the transaction of the work."""
    tx.execute(
        "UPDATE idempotency SET status = ?, body = ? WHERE platform = ? AND key = ?",
        (answer.status, answer.body, platform, key),
    )


def release(tx: sqlite3.Connection, platform: str, key: str) -> None:
    """Give up a claim without an answer, after a failure that did nothing."""
    tx.execute(
        "DELETE FROM idempotency WHERE platform = ? AND key = ? AND status IS NULL",
        (platform, key),
    )
