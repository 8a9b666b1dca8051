"""The simulator's SQLite file: its tables, its transactions, its clock.

A commit has left the process before it is answered, so a killed one forgets nothing that it said.
The constraints hold even where the code is wrong: captured <= authorised, refunded <= captured.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

SCHEMA = """
CREATE TABLE IF NOT EXISTS payment (
  id TEXT PRIMARY KEY,
  platform TEXT NOT NULL,
  reference TEXT NOT NULL,
  merchant_account TEXT NOT NULL,
  merchant_name TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount > 0),
  currency TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN
    ('requires_payment', 'authorised', 'captured', 'voided', 'cancelled', 'expired')),
  authorised INTEGER NOT NULL DEFAULT 0 CHECK (authorised IN (0, amount)),
  captured INTEGER NOT NULL DEFAULT 0 CHECK (captured BETWEEN 0 AND authorised),
  refunded INTEGER NOT NULL DEFAULT 0 CHECK (refunded BETWEEN 0 AND captured),
  return_url TEXT NOT NULL,
  cancel_url TEXT NOT NULL,
  pay_url TEXT NOT NULL,
  locale TEXT NOT NULL,
  metadata TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  page_expires_at INTEGER NOT NULL,
  capture_before INTEGER,
  decline_code TEXT,
  tries INTEGER NOT NULL DEFAULT 0,
  challenge_tries INTEGER NOT NULL DEFAULT 0,
  card_network TEXT,
  card_last4 TEXT,
  UNIQUE (platform, reference)
) STRICT;
CREATE TABLE IF NOT EXISTS entry (
  number INTEGER PRIMARY KEY,
  payment_id TEXT NOT NULL REFERENCES payment,
  kind TEXT NOT NULL,
  from_account TEXT NOT NULL,
  to_account TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount > 0),
  currency TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS idempotency (
  platform TEXT NOT NULL,
  key TEXT NOT NULL,
  request_hash TEXT NOT NULL,
  boot TEXT NOT NULL,
  status INTEGER,
  body TEXT,
  PRIMARY KEY (platform, key)
) STRICT;
CREATE TABLE IF NOT EXISTS event (
  id TEXT PRIMARY KEY,
  platform TEXT NOT NULL,
  payment_id TEXT NOT NULL REFERENCES payment,
  type TEXT NOT NULL,
  body TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS delivery (
  number INTEGER PRIMARY KEY,
  event_id TEXT NOT NULL REFERENCES event,
  due_at REAL NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0,
  outcome TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (due_at) WHERE outcome IS NULL;
CREATE TABLE IF NOT EXISTS fault (
  number INTEGER PRIMARY KEY,
  operation TEXT NOT NULL,
  kind TEXT NOT NULL,
  remaining INTEGER NOT NULL,
  delay_s REAL NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
"""


class SimulatorDatabase:
    """One file and one connection, whose transactions are short and follow one another."""

    def __init__(self, file: Path) -> None:
        self._taken = Lock()
        self._connection = sqlite3.connect(
            file, timeout=20, isolation_level=None, check_same_thread=False
        )
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA foreign_keys=ON")
        # The system may lose the last seconds when the power fails: nobody's money is in here.
        self._connection.execute("PRAGMA synchronous=OFF")
        self._connection.executescript(SCHEMA)

    def close(self) -> None:
        """Give the file back."""
        self._connection.close()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction that holds the write lock from its start; committed unless it raises."""
        with self._taken:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A consistent view."""
        with self._taken:
            self._connection.execute("BEGIN")
            try:
                yield self._connection
            finally:
                self._connection.execute("ROLLBACK")


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


def unix_now(tx: sqlite3.Connection) -> int:
    """Seconds since 1970 by the simulator's clock, which tests may set forward."""
    return int(time.time()) + int(read_setting(tx, "clock_ahead_s") or 0)
