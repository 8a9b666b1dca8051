"""The record of what stewards did: who, what, why, when, what changed, whether it still stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from kernel.db import Transaction

_SELECT = (
    "SELECT a.act_id, a.kind, a.who, a.why, a.at, a.review_id, a.undoes, a.asked, "
    "e.at AS took_effect_at, e.placed, e.note, cardinality(e.begun) AS begun, "
    "cardinality(e.ended) AS ended, (SELECT max(u.act_id) FROM mdm.stewardship_act u "
    "WHERE u.undoes = a.act_id) AS undone_by "
    "FROM mdm.stewardship_act a LEFT JOIN mdm.stewardship_effect e USING (act_id)"
)


@dataclass(frozen=True, slots=True)
class Record:
    """An act as it stands on record. `placed` is [before, after] by offer, None while it waits;
    `begun` and `ended` count decisions on pairs; `undone_by` is the act that took it back."""

    act_id: int
    kind: str
    who: str
    why: str
    at: datetime
    review_id: int | None
    undoes: int | None
    asked: Mapping[str, Any]
    took_effect_at: datetime | None
    placed: Mapping[str, tuple[str, str]]
    note: str
    begun: int
    ended: int
    undone_by: int | None


def history(
    tx: Transaction,
    limit: int,
    *,
    before: int | None = None,
    who: str | None = None,
    review_id: int | None = None,
    product_id: str | None = None,
) -> list[Record]:
    """Acts, newest first: older than `before`, of one operator, on one review or product."""
    conditions = {
        "a.act_id < :before": before,
        "a.who = :who": who,
        "a.review_id = :review": review_id,
        "(a.asked @> jsonb_build_object('products', jsonb_build_array(CAST(:product AS text))) "
        "OR EXISTS (SELECT FROM jsonb_each(e.placed) AS p "
        "WHERE p.value @> to_jsonb(ARRAY[CAST(:product AS text)])))": product_id,
    }
    wanted = [condition for condition, value in conditions.items() if value is not None]
    where = f" WHERE {' AND '.join(wanted)}" if wanted else ""
    rows = tx.execute(
        sa.text(f"{_SELECT}{where} ORDER BY a.act_id DESC LIMIT :limit"),
        {
            "limit": limit,
            "before": before,
            "who": who,
            "review": review_id,
            "product": product_id,
        },
    ).all()
    return [_record(tx, row) for row in rows]


def read_act(tx: Transaction, act_id: int) -> Record | None:
    """One act; None for an unknown number."""
    row = tx.execute(sa.text(_SELECT + " WHERE a.act_id = :id"), {"id": act_id}).one_or_none()
    return None if row is None else _record(tx, row)


def is_standing(tx: Transaction, act_id: int) -> bool:
    """Whether nobody has taken it back: nobody did, or whoever did was taken back in turn."""
    undone_by = tx.execute(
        sa.text("SELECT max(act_id) FROM mdm.stewardship_act WHERE undoes = :id"), {"id": act_id}
    ).scalar_one()
    return undone_by is None or not is_standing(tx, undone_by)


def standing_like(tx: Transaction, kind: str, asked: Mapping[str, Any]) -> int | None:
    """The last act that asked for the very same and stands; None where there is none."""
    last = tx.execute(
        sa.text(
            "SELECT max(act_id) FROM mdm.stewardship_act "
            "WHERE kind = :kind AND asked = CAST(:asked AS jsonb)"
        ),
        {"kind": kind, "asked": orjson.dumps(dict(asked)).decode()},
    ).scalar_one()
    return last if last is not None and is_standing(tx, last) else None


def last_of(tx: Transaction, who: str) -> int | None:
    """The operator's last act that stands and is no undo: what `undo` takes back."""
    rows = tx.execute(
        sa.text(
            "SELECT act_id FROM mdm.stewardship_act WHERE who = :who AND kind <> 'undo' "
            "ORDER BY act_id DESC LIMIT 50"
        ),
        {"who": who},
    ).scalars()
    return next((each for each in rows.all() if is_standing(tx, each)), None)


def _record(tx: Transaction, row: sa.Row[Any]) -> Record:
    undone_by = row.undone_by
    if undone_by is not None and not is_standing(tx, undone_by):
        undone_by = None
    placed = {offer: (was, now) for offer, (was, now) in (row.placed or {}).items()}
    return Record(
        row.act_id, row.kind, row.who, row.why, row.at, row.review_id, row.undoes, row.asked,
        row.took_effect_at, placed, row.note or "", row.begun or 0, row.ended or 0, undone_by,
    )  # fmt: skip
