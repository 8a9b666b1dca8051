"""Writing many rows at once through COPY, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast
from zlib import crc32

import psycopg
import sqlalchemy as sa

from kernel.db import Transaction


def copy_rows(
    tx: Transaction, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Append rows to a table. JSON goes in as text, bytes as bytea."""
    connection = cast("psycopg.Connection[Any]", tx.connection.driver_connection)
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)


def stage_rows(
    tx: Transaction, like: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> str:
    """A temporary table with these columns of another table, filled; empty after the transaction.

    The connection keeps it for the next time: to make one and throw it away took longer than all
    that a pushed offer is staged for.
    """
    listed = ", ".join(columns)
    name = f"staged_{like.replace('.', '_')}_{crc32(listed.encode()):08x}"
    made = tx.execute(sa.text("SELECT to_regclass(:name)"), {"name": f"pg_temp.{name}"}).scalar()
    if made:
        tx.execute(sa.text(f"DELETE FROM pg_temp.{name}"))  # noqa: S608 - names of our own
    else:
        tx.execute(
            sa.text(
                f"CREATE TEMPORARY TABLE {name} ON COMMIT DELETE ROWS AS "  # noqa: S608
                f"SELECT {listed} FROM {like} WITH NO DATA"
            )
        )
    copy_rows(tx, name, columns, rows)
    return name
