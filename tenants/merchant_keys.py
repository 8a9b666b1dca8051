"""Keys by which merchants push offers: 256 random bits, shown once, stored as a hash."""

from __future__ import annotations

import sqlalchemy as sa

from kernel.db import Prepared, Transaction, schema_metadata
from tenants.bearer_keys import is_secret, new_key, read_key

_KEY = sa.Table(
    "merchant_key",
    schema_metadata("tenants"),
    sa.Column("key_id", sa.Text, primary_key=True),
    sa.Column("merchant_id", sa.Text),
    sa.Column("secret_sha256", sa.Text),
    sa.Column("created_at", sa.DateTime(timezone=True)),
    sa.Column("revoked_at", sa.DateTime(timezone=True)),
)

_READ = Prepared(_KEY.select().where(_KEY.c.key_id == sa.bindparam("key_id")))


def create_key(tx: Transaction, merchant_id: str) -> str:
    """A new key for the merchant: `cmk_<id>_<secret>`. It cannot be shown again."""
    key = new_key("cmk")
    tx.execute(
        _KEY.insert().values(
            key_id=key.key_id,
            merchant_id=merchant_id,
            secret_sha256=key.secret_sha256,
            created_at=sa.func.now(),
        )
    )
    return key.text


def revoke_keys(tx: Transaction, merchant_id: str) -> int:
    """End every key of the merchant; answers how many."""
    return tx.execute(
        _KEY.update()
        .where(_KEY.c.merchant_id == merchant_id, _KEY.c.revoked_at.is_(None))
        .values(revoked_at=sa.func.now())
    ).rowcount


def verify(tx: Transaction, bearer: str) -> str | None:
    """The merchant that a key speaks for; None for a wrong, malformed or revoked one."""
    read = read_key("cmk", bearer)
    if read is None:
        return None
    key_id, secret = read
    row = _READ.first(tx, {"key_id": key_id})
    if not is_secret(secret, row.secret_sha256 if row else None) or row is None:
        return None
    return row.merchant_id if row.revoked_at is None else None
