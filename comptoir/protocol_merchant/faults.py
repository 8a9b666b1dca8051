"""Switches that make the merchant fail as merchants do, a counted number of times.

Requests: `down` (503, nothing done), `slow` (so many seconds late), `answer_lost` (done, and the
connection breaks), `sold_out` and `price_moved` (just before a completion). Notices: `duplicate`,
`reordered` (overtaken by the next of its order), `none`.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

OPERATIONS = ("create", "update", "complete", "cancel", "read", "order")
REQUEST_KINDS = ("down", "slow", "answer_lost", "sold_out", "price_moved")
NOTICE_KINDS = ("duplicate", "reordered", "none")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault about to happen."""

    kind: str
    delay_s: float


def is_fault(operation: str, kind: str) -> bool:
    """True where the operation can fail in this way."""
    if operation == "notice":
        return kind in NOTICE_KINDS
    if kind in ("sold_out", "price_moved"):
        return operation == "complete"
    return operation in OPERATIONS and kind in REQUEST_KINDS


def switch_on(tx: sqlite3.Connection, operation: str, fault: Fault, count: int) -> None:
    """The next `count` uses of the operation fail in this way."""
    tx.execute(
        "INSERT INTO fault (operation, kind, remaining, delay_s) VALUES (?, ?, ?, ?)",
        (operation, fault.kind, count, fault.delay_s),
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


def strike_shop(tx: sqlite3.Connection, fault: Fault, skus: list[str]) -> None:
    """Sell the articles out, or put their prices up, before anybody looks again."""
    change = {"sold_out": "stock = 0", "price_moved": "price = price + 500"}.get(fault.kind)
    for sku in skus if change else ():
        tx.execute(f"UPDATE article SET {change} WHERE sku = ?", (sku,))  # noqa: S608
