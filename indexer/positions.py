"""How far each index of a brand has come: where in the change log, and at which brand revision.

A position belongs to one index, so a former index can be brought up from its own and gone back to.
Which index is live is the engine's word; `live` here is its echo, for those who ask no engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from kernel.db import Transaction, schema_metadata

_POSITION = sa.Table(
    "position",
    schema_metadata("indexer"),
    sa.Column("brand_id", sa.Text, primary_key=True),
    sa.Column("index_name", sa.Text, primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("brand_revision", sa.Integer, nullable=False),
    sa.Column("live", sa.Boolean, nullable=False),
    sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("published_at", sa.DateTime(timezone=True)),
    sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
)


@dataclass(frozen=True, slots=True)
class Position:
    """All changes up to `position` are in the index, as the brand's `brand_revision` shows them."""

    index: str
    position: int
    brand_revision: int


@dataclass(frozen=True, slots=True)
class Noted:
    """A position with what an operator asks about it. `published_at` is None while it is built."""

    at: Position
    live: bool
    begun_at: datetime
    published_at: datetime | None
    moved_at: datetime


def read_position(tx: Transaction, brand_id: str, index: str | None = None) -> Position | None:
    """The position of an index (None: of the brand's live one); None where it has none."""
    which = _POSITION.c.live if index is None else _POSITION.c.index_name == index
    statement = _POSITION.select().where(_POSITION.c.brand_id == brand_id, which)
    row = tx.execute(statement).one_or_none()
    return Position(row.index_name, row.position, row.brand_revision) if row else None


def positions_of(tx: Transaction, brand_id: str) -> dict[str, Noted]:
    """Every position of the brand by index, oldest first."""
    statement = (
        _POSITION.select()
        .where(_POSITION.c.brand_id == brand_id)
        .order_by(_POSITION.c.begun_at, _POSITION.c.index_name)
    )
    return {
        row.index_name: Noted(
            Position(row.index_name, row.position, row.brand_revision),
            row.live,
            row.begun_at,
            row.published_at,
            row.moved_at,
        )
        for row in tx.execute(statement)
    }


def index_age_s(tx: Transaction, brand_id: str, index: str) -> float | None:
    """Seconds since the index was begun, by the database's clock; None where it has no position."""
    age = sa.extract("epoch", sa.func.clock_timestamp() - _POSITION.c.begun_at)
    found = tx.execute(sa.select(age).where(*_of(brand_id, index))).scalar_one_or_none()
    return float(found) if found is not None else None


def begin(tx: Transaction, brand_id: str, position: Position) -> None:
    """Note an index that is being built."""
    values = {
        "position": position.position,
        "brand_revision": position.brand_revision,
        "live": False,
        "begun_at": sa.func.now(),
        "published_at": None,
        "moved_at": sa.func.now(),
    }
    statement = insert(_POSITION).values(brand_id=brand_id, index_name=position.index, **values)
    tx.execute(
        statement.on_conflict_do_update(index_elements=["brand_id", "index_name"], set_=values)
    )


def live_stamps(tx: Transaction) -> dict[str, str]:
    """By brand: its live index and when that was last written to, one text that each write changes.

    What an engine shows may be behind it, by as long as the engine takes to show a write.
    """
    columns = (_POSITION.c.brand_id, _POSITION.c.index_name, _POSITION.c.moved_at)
    rows = tx.execute(sa.select(*columns).where(_POSITION.c.live))
    return {row.brand_id: f"{row.index_name}:{row.moved_at.timestamp():.6f}" for row in rows}


def move(tx: Transaction, brand_id: str, index: str, position: int) -> None:
    """Written up to there: forward, never back, and only for the index it belongs to."""
    reached = sa.func.greatest(_POSITION.c.position, position)
    tx.execute(
        _POSITION.update()
        .where(*_of(brand_id, index))
        .values(position=reached, moved_at=sa.func.clock_timestamp())
    )


def touch(tx: Transaction, brand_id: str, index: str) -> None:
    """Written to, or worked on, without coming further."""
    tx.execute(
        _POSITION.update().where(*_of(brand_id, index)).values(moved_at=sa.func.clock_timestamp())
    )


def echo_live(tx: Transaction, brand_id: str, index: str) -> None:
    """Note which index the engine answers from."""
    noted = read_position(tx, brand_id)
    if noted is not None and noted.index == index:
        return
    # Two who note different indices take turns: what was live may not be so after the first.
    all_of_brand = _POSITION.c.brand_id == brand_id
    tx.execute(
        sa.select(_POSITION.c.index_name)
        .where(all_of_brand)
        .order_by(_POSITION.c.index_name)
        .with_for_update()
    )
    others = (all_of_brand, _POSITION.c.index_name != index, _POSITION.c.live)
    tx.execute(_POSITION.update().where(*others).values(live=False))
    tx.execute(
        _POSITION.update()
        .where(*_of(brand_id, index), ~_POSITION.c.live)
        .values(live=True, published_at=sa.func.now(), moved_at=sa.func.now())
    )


def forget(tx: Transaction, brand_id: str, index: str) -> None:
    """The index is no more."""
    tx.execute(_POSITION.delete().where(*_of(brand_id, index)))


def _of(brand_id: str, index: str) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return _POSITION.c.brand_id == brand_id, _POSITION.c.index_name == index
