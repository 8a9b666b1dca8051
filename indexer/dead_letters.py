"""Documents that an engine refused, and why: kept, counted, and gone once the product is taken.

A dead letter belongs to an index. It never holds up others: the position moves past it, and the
product is tried again when it changes, or when an operator asks (`comptoir index dead-letters`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from indexer.engine import Refused
from kernel.db import Database, Transaction, schema_metadata

_LETTER = sa.Table(
    "dead_letter",
    schema_metadata("indexer"),
    sa.Column("brand_id", sa.Text, primary_key=True),
    sa.Column("index_name", sa.Text, primary_key=True),
    sa.Column("product_id", sa.Text, primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("first_seen", sa.DateTime(timezone=True)),
    sa.Column("last_seen", sa.DateTime(timezone=True)),
    sa.Column("count", sa.Integer),
)
_NAMES = {"index_name": "index"}
_LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """`version` is the change log's position it was last tried at, `count` how often it was."""

    index: str
    product_id: str
    reason: str
    version: int
    first_seen: datetime
    last_seen: datetime
    count: int


def settle(
    tx: Transaction,
    brand_id: str,
    index: str,
    product_ids: Sequence[str],
    refused: Sequence[Refused],
    version: int,
) -> None:
    """After a write of these products: keep what was refused, strike out what was taken."""
    reasons = {row.product_id: row.reason[:_LONGEST_REASON] for row in refused}
    taken = [product_id for product_id in product_ids if product_id not in reasons]
    tx.execute(_LETTER.delete().where(*_of(brand_id, index), _LETTER.c.product_id.in_(taken)))
    for product_id, reason in reasons.items():
        again = {"reason": reason, "version": version, "last_seen": sa.func.now()}
        statement = insert(_LETTER).values(
            brand_id=brand_id, index_name=index, product_id=product_id, **again
        )
        tx.execute(
            statement.on_conflict_do_update(
                index_elements=["brand_id", "index_name", "product_id"],
                set_={**again, "count": _LETTER.c.count + 1},
            )
        )


def letters(
    tx: Transaction, brand_id: str, index: str, *, after: str = "", limit: int = 1_000
) -> list[DeadLetter]:
    """Dead letters of an index in the order of product ids, after an id."""
    statement = (
        sa.select(*(column for column in _LETTER.c if column.name != "brand_id"))
        .where(*_of(brand_id, index), _LETTER.c.product_id > after)
        .order_by(_LETTER.c.product_id)
        .limit(limit)
    )
    return [
        DeadLetter(**{_NAMES.get(name, name): value for name, value in row.items()})
        for row in tx.execute(statement).mappings()
    ]


def every_letter(database: Database, brand_id: str, index: str) -> Iterator[DeadLetter]:
    """All of them, a page at a time."""
    after = ""
    while True:
        with database.platform() as tx:
            page = letters(tx, brand_id, index, after=after)
        if not page:
            return
        yield from page
        after = page[-1].product_id


def reasons(
    tx: Transaction, brand_id: str, index: str, product_ids: Sequence[str]
) -> dict[str, str]:
    """Why those of the products were refused that were."""
    statement = sa.select(_LETTER.c.product_id, _LETTER.c.reason).where(
        *_of(brand_id, index), _LETTER.c.product_id.in_(product_ids)
    )
    return {row.product_id: row.reason for row in tx.execute(statement)}


def count(tx: Transaction, brand_id: str, index: str) -> int:
    """How many products of the index are not in it because the engine refused them."""
    statement = sa.select(sa.func.count()).select_from(_LETTER).where(*_of(brand_id, index))
    return int(tx.execute(statement).scalar_one())


def forget(tx: Transaction, brand_id: str, index: str) -> None:
    """The index is no more."""
    tx.execute(_LETTER.delete().where(*_of(brand_id, index)))


def _of(brand_id: str, index: str) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return _LETTER.c.brand_id == brand_id, _LETTER.c.index_name == index
