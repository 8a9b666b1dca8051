"""That a letter to the buyer is due: written in the transaction of what it will tell."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from checkout import tables as t
from kernel.db import Transaction
from kernel.ids import derived_id


def letter_due(tx: Transaction, brand_id: str, purchase_id: str, now: datetime) -> None:
    """Something happened that the buyer is to be told; nothing more if a letter waits already."""
    of_purchase = t.letter.c.purchase_id == purchase_id
    last = tx.execute(
        sa.select(t.letter.c.ordinal, t.letter.c.state)
        .where(of_purchase)
        .order_by(t.letter.c.ordinal.desc())
        .limit(1)
    ).one_or_none()
    if last is not None and last.state == "due":
        return
    ordinal = 1 if last is None else last.ordinal + 1
    tx.execute(
        insert(t.letter)
        .values(
            letter_id=derived_id("ltr", purchase_id, str(ordinal)),
            brand_id=brand_id,
            purchase_id=purchase_id,
            ordinal=ordinal,
            state="due",
            due_at=now,
            next_try_at=now,
        )
        .on_conflict_do_nothing()
    )
