"""Keys by which merchants push offers: 256 random bits, shown once, stored as a hash."""

from __future__ import annotations

import hashlib
import hmac
import secrets

import sqlalchemy as sa

from kernel.db import Transaction, schema_metadata

_KEY = sa.Table(
    "merchant_key",
    schema_metadata("tenants"),
    sa.Column("key_id", sa.Text, primary_key=True),
    sa.Column("merchant_id", sa.Text),
    sa.Column("secret_sha256", sa.Text),
    sa.Column("created_at", sa.DateTime(timezone=True)),
    sa.Column("revoked_at", sa.DateTime(timezone=True)),
)


def create_key(tx: Transaction, merchant_id: str) -> str:
    """A new key for the merchant: `cmk_<id>_<secret>`. It cannot be shown again."""
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    tx.execute(
        _KEY.insert().values(
            key_id=key_id,
            merchant_id=merchant_id,
            secret_sha256=_hash(secret),
            created_at=sa.func.now(),
        )
    )
    return f"cmk_{key_id}_{secret}"


def revoke_keys(tx: Transaction, merchant_id: str) -> int:
    """End every key of the merchant; answers how many."""
    return tx.execute(
        _KEY.update()
        .where(_KEY.c.merchant_id == merchant_id, _KEY.c.revoked_at.is_(None))
        .values(revoked_at=sa.func.now())
    ).rowcount


def verify(tx: Transaction, bearer: str) -> str | None:
    """The merchant that a key speaks for; None for a wrong, malformed or revoked one."""
    prefix, _, rest = bearer.partition("_")
    key_id, _, secret = rest.partition("_")
    if prefix != "cmk" or len(bearer) > 200:
        return None
    row = tx.execute(_KEY.select().where(_KEY.c.key_id == key_id)).one_or_none()
    known = row.secret_sha256 if row is not None else _hash("")
    same = hmac.compare_digest(known, _hash(secret))
    return row.merchant_id if same and row is not None and row.revoked_at is None else None


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
