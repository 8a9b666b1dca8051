"""Switches that make the simulator fail as real providers do, a counted number of times.

For requests: before or after the commit, with an error, silence or a lost answer. For notices:
twice, late, out of order, or never.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

REQUEST_OPERATIONS = ("create", "read", "capture", "void", "refund")
REQUEST_KINDS = (
    "error_before",  # 500, nothing done
    "error_after",  # 500, and yet done
    "timeout_before",  # silence for delay_s, nothing done, no answer
    "answer_lost",  # done, the connection breaks
    "answer_late",  # done, the answer comes delay_s later
)
WEBHOOK_KINDS = ("duplicate", "reordered", "delayed", "none")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault about to happen."""

    kind: str
    delay_s: float


def switch_on(
    tx: sqlite3.Connection, operation: str, kind: str, count: int, delay_s: float
) -> None:
    """The next `count` uses of the operation fail in this way."""
    tx.execute(
        "INSERT INTO fault (operation, kind, remaining, delay_s) VALUES (?, ?, ?, ?)",
        (operation, kind, count, delay_s),
    )


def take_fault(tx: sqlite3.Connection, operation: str) -> Fault | None:
    """The fault that hits this use of the operation, counted down; None where there is none."""
    row = tx.execute(
        "SELECT number, kind, delay_s FROM fault WHERE operation = ? AND remaining > 0"
        " ORDER BY number LIMIT 1",
        (operation,),
    ).fetchone()
    if row is None:
        return None
    tx.execute("UPDATE fault SET remaining = remaining - 1 WHERE number = ?", (row["number"],))
    return Fault(row["kind"], row["delay_s"])


def is_fault(operation: str, kind: str) -> bool:
    """True where the operation can fail in this way."""
    if operation == "webhook":
        return kind in WEBHOOK_KINDS
    return operation in REQUEST_OPERATIONS and kind in REQUEST_KINDS
