"""That a letter to the buyer is due: written in the transaction of what it will tell."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from checkout import tables as t
from kernel.db import Prepared, Transaction
from kernel.ids import derived_id

_LAST = Prepared(
    sa.select(t.letter.c.ordinal, t.letter.c.state)
    .where(t.letter.c.purchase_id == sa.bindparam("bought"))
    .order_by(t.letter.c.ordinal.desc())
    .limit(1)
)
_ADD = Prepared(insert(t.letter).on_conflict_do_nothing())


def letter_due(tx: Transaction, brand_id: str, purchase_id: str, now: datetime) -> None:
    """Something happened that the buyer is to be told; nothing more if a letter waits already."""
    # Mostly it is the first, and one statement is enough.
    if _add(tx, brand_id, purchase_id, 1, now):
        return
    last = _LAST.first(tx, {"bought": purchase_id})
    if last.state != "due":
        _add(tx, brand_id, purchase_id, last.ordinal + 1, now)


def _add(tx: Transaction, brand_id: str, purchase_id: str, ordinal: int, now: datetime) -> bool:
    letter = {
        "letter_id": derived_id("ltr", purchase_id, str(ordinal)),
        "brand_id": brand_id,
        "purchase_id": purchase_id,
        "ordinal": ordinal,
        "state": "due",
        "due_at": now,
        "next_try_at": now,
    }
    return _ADD.run(tx, letter) == 1
