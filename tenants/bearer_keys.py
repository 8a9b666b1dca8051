"""What every kind of key has in common: 256 random bits, shown once, kept as a hash.

Written `<prefix>_<id>_<secret>`. Each kind has a table of its own, whose columns say whom its keys
speak for.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Any

import sqlalchemy as sa

from kernel.db import Prepared, Transaction, schema_metadata

MAX_LENGTH = 200


class KeyKind:
    """One kind of key: its prefix, its table, and the columns that name the holder."""

    def __init__(self, prefix: str, table: str, *holder: str) -> None:
        self._prefix = prefix
        self._table = sa.Table(
            table,
            schema_metadata("tenants"),
            sa.Column("key_id", sa.Text, primary_key=True),
            *(sa.Column(name, sa.Text) for name in holder),
            sa.Column("secret_sha256", sa.Text),
            sa.Column("created_at", sa.DateTime(timezone=True)),
            sa.Column("revoked_at", sa.DateTime(timezone=True)),
        )
        by_id = self._table.c.key_id == sa.bindparam("given")
        self._read = Prepared(self._table.select().where(by_id))

    def create(self, tx: Transaction, **holder: str | None) -> str:
        """A key that nobody can guess. Only its hash is kept: it cannot be shown again."""
        key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        tx.execute(
            self._table.insert().values(
                key_id=key_id, secret_sha256=_hash(secret), created_at=sa.func.now(), **holder
            )
        )
        return f"{self._prefix}_{key_id}_{secret}"

    def revoke(self, tx: Transaction, **holder: str) -> int:
        """End every key of the holder; answers how many."""
        of_holder = (self._table.c[name] == value for name, value in holder.items())
        return tx.execute(
            self._table.update()
            .where(self._table.c.revoked_at.is_(None), *of_holder)
            .values(revoked_at=sa.func.now())
        ).rowcount

    def holder(self, tx: Transaction, bearer: str) -> Any:
        """The row of a key; None for a wrong, malformed or revoked one, after as long a look."""
        read = read_key(self._prefix, bearer)
        if read is None:
            return None
        key_id, secret = read
        row = self._read.first(tx, {"given": key_id})
        is_same = hmac.compare_digest(row.secret_sha256 if row else _hash(""), _hash(secret))
        return row if row is not None and is_same and row.revoked_at is None else None


def read_key(prefix: str, bearer: str) -> tuple[str, str] | None:
    """Id and secret of a key of this kind; None for anything else a stranger may send. Pure."""
    if len(bearer) > MAX_LENGTH or not bearer.isascii() or not bearer.isprintable():
        return None
    found, _, rest = bearer.partition("_")
    key_id, _, secret = rest.partition("_")
    return (key_id, secret) if found == prefix else None


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
