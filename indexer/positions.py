"""How far each brand's index has come: which index, where in the change log, which brand revision.

A position counts only for the index it was reached with; another live index asks for a rebuild.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from kernel.db import Transaction, schema_metadata

_POSITION = sa.Table(
    "position",
    schema_metadata("indexer"),
    sa.Column("brand_id", sa.Text, primary_key=True),
    sa.Column("index_name", sa.Text, nullable=False),
    sa.Column("previous_index", sa.Text),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("brand_revision", sa.Integer, nullable=False),
    sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
)


@dataclass(frozen=True, slots=True)
class Position:
    """`previous_index` is kept to go back to."""

    index: str
    previous_index: str | None
    position: int
    brand_revision: int


def read_position(tx: Transaction, brand_id: str) -> Position | None:
    """The brand's position, or None before its first index."""
    row = tx.execute(_POSITION.select().where(_POSITION.c.brand_id == brand_id)).one_or_none()
    if row is None:
        return None
    return Position(row.index_name, row.previous_index, row.position, row.brand_revision)


def move(tx: Transaction, brand_id: str, index: str, position: int) -> None:
    """Move forward, never back, and only for the index it belongs to."""
    tx.execute(
        _POSITION.update()
        .where(
            _POSITION.c.brand_id == brand_id,
            _POSITION.c.index_name == index,
            _POSITION.c.position < position,
        )
        .values(position=position, moved_at=sa.func.now())
    )


def restart(tx: Transaction, brand_id: str, position: Position) -> None:
    """Begin with a new index."""
    values = {
        "index_name": position.index,
        "previous_index": position.previous_index,
        "position": position.position,
        "brand_revision": position.brand_revision,
        "moved_at": sa.func.now(),
    }
    statement = insert(_POSITION).values(brand_id=brand_id, **values)
    tx.execute(statement.on_conflict_do_update(index_elements=["brand_id"], set_=values))
