"""Keys by which a brand's partners export its catalogue: 256 random bits, shown once, kept as a
hash. A key speaks for one brand and reads what that brand shows; it writes nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

import sqlalchemy as sa

from kernel.db import Transaction, schema_metadata

_KEY = sa.Table(
    "partner_key",
    schema_metadata("tenants"),
    sa.Column("key_id", sa.Text, primary_key=True),
    sa.Column("brand_id", sa.Text),
    sa.Column("partner", sa.Text),
    sa.Column("secret_sha256", sa.Text),
    sa.Column("created_at", sa.DateTime(timezone=True)),
    sa.Column("revoked_at", sa.DateTime(timezone=True)),
)


@dataclass(frozen=True, slots=True)
class Partner:
    """Who reads: the brand it reads of, its name there, and the key it came with."""

    brand_id: str
    partner: str
    key_id: str


def create_partner_key(tx: Transaction, brand_id: str, partner: str) -> str:
    """A new key for a partner of the brand: `cpk_<id>_<secret>`. It cannot be shown again."""
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    tx.execute(
        _KEY.insert().values(
            key_id=key_id,
            brand_id=brand_id,
            partner=partner,
            secret_sha256=_hash(secret),
            created_at=sa.func.now(),
        )
    )
    return f"cpk_{key_id}_{secret}"


def revoke_partner_keys(tx: Transaction, brand_id: str, partner: str) -> int:
    """End every key of the partner; answers how many."""
    return tx.execute(
        _KEY.update()
        .where(_KEY.c.brand_id == brand_id, _KEY.c.partner == partner, _KEY.c.revoked_at.is_(None))
        .values(revoked_at=sa.func.now())
    ).rowcount


def partner_of(tx: Transaction, bearer: str) -> Partner | None:
    """Whom a key speaks for; None for a wrong, malformed or revoked one."""
    prefix, _, rest = bearer.partition("_")
    key_id, _, secret = rest.partition("_")
    if prefix != "cpk" or len(bearer) > 200 or not bearer.isascii() or not bearer.isprintable():
        return None
    row = tx.execute(_KEY.select().where(_KEY.c.key_id == key_id)).one_or_none()
    known = row.secret_sha256 if row is not None else _hash("")
    same = hmac.compare_digest(known, _hash(secret))
    if row is None or not same or row.revoked_at is not None:
        return None
    return Partner(row.brand_id, row.partner, row.key_id)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
