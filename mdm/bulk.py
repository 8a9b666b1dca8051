"""Writing many rows at once through COPY, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

import psycopg

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
