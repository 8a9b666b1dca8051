"""The merchant's SQLite file: articles, sessions, orders, keys of requests, notices, faults.

A commit is on the disk before it is answered. A write holds the file alone, so that two buyers of
a last piece come one after the other.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS article (
  sku TEXT PRIMARY KEY,
  title TEXT NOT NULL,
  price INTEGER NOT NULL CHECK (price >= 0),
  currency TEXT NOT NULL,
  stock INTEGER NOT NULL CHECK (stock >= 0),
  delivery TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS session (
  id TEXT PRIMARY KEY,
  protocol TEXT NOT NULL,
  owner TEXT NOT NULL,
  profile TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('open', 'completed', 'canceled')),
  wanted TEXT NOT NULL,
  shown_total INTEGER,
  created_at TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS sale (
  id TEXT PRIMARY KEY,
  session_id TEXT NOT NULL UNIQUE REFERENCES session,
  status TEXT NOT NULL CHECK (status IN ('accepted', 'processing', 'shipped', 'canceled')),
  contents TEXT NOT NULL,
  payment TEXT NOT NULL,
  events TEXT NOT NULL DEFAULT '[]',
  made_at TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS idempotency (
  owner TEXT NOT NULL,
  path TEXT NOT NULL,
  key TEXT NOT NULL,
  digest TEXT NOT NULL,
  boot TEXT NOT NULL,
  status INTEGER,
  body TEXT,
  PRIMARY KEY (owner, path, key)
) STRICT;
CREATE TABLE IF NOT EXISTS notice (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  sale_id TEXT NOT NULL REFERENCES sale,
  protocol TEXT NOT NULL,
  url TEXT NOT NULL,
  body TEXT NOT NULL,
  due_at REAL NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0,
  outcome TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS fault (
  number INTEGER PRIMARY KEY,
  operation TEXT NOT NULL,
  kind TEXT NOT NULL,
  remaining INTEGER NOT NULL,
  delay_s REAL NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS violation (number INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
"""


class MerchantDatabase:
    """One file; a connection for each transaction."""

    def __init__(self, file: Path) -> None:
        self._file = file
        connection = self._connect()
        connection.execute("PRAGMA journal_mode=WAL")
        connection.executescript(SCHEMA)
        connection.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, timeout=20, isolation_level=None)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys=ON")
        return connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction that holds the write lock from its start; committed unless it raises."""
        connection = self._connect()
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        finally:
            # Closing rolls back whatever was not committed.
            connection.close()


def read_setting(tx: sqlite3.Connection, name: str) -> str | None:
    """A stored setting, or None."""
    row = tx.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row["value"])


def write_setting(tx: sqlite3.Connection, name: str, value: str) -> None:
    """Store a setting."""
    tx.execute(
        "INSERT INTO setting VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )
