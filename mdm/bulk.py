"""Writing many rows at once through COPY, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

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
    """A temporary table with these columns of another table, filled; gone with the transaction."""
    name = f"staged_{like.replace('.', '_')}"
    tx.execute(sa.text(f"DROP TABLE IF EXISTS pg_temp.{name}"))
    tx.execute(
        sa.text(
            f"CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS "  # noqa: S608 - names of our own
            f"SELECT {', '.join(columns)} FROM {like} WITH NO DATA"
        )
    )
    copy_rows(tx, name, columns, rows)
    return name
