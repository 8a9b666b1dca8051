"""The job that advances a purchase; it may run any number of times."""

from __future__ import annotations

from kernel.db import Transaction
from kernel.jobs import Job, defer

ADVANCE = Job("checkout.advance", "checkout")


def advance_soon(tx: Transaction, purchase_id: str, *, delay_s: int = 0) -> None:
    """Have the purchase advanced by a worker; while one such job waits, no second is added."""
    kind = "later" if delay_s else "now"
    defer(
        tx,
        ADVANCE,
        once=f"{ADVANCE.name}:{purchase_id}:{kind}",
        delay_s=delay_s,
        arguments={"purchase_id": purchase_id},
    )
