"""Keys by which a brand's partners export its catalogue: 256 random bits, shown once, kept as a
hash. A key speaks for one brand and reads what that brand shows; it writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from kernel.db import Transaction, schema_metadata
from tenants.bearer_keys import is_secret, new_key, read_key

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
    key = new_key("cpk")
    tx.execute(
        _KEY.insert().values(
            key_id=key.key_id,
            brand_id=brand_id,
            partner=partner,
            secret_sha256=key.secret_sha256,
            created_at=sa.func.now(),
        )
    )
    return key.text


def revoke_partner_keys(tx: Transaction, brand_id: str, partner: str) -> int:
    """End every key of the partner; answers how many."""
    return tx.execute(
        _KEY.update()
        .where(_KEY.c.brand_id == brand_id, _KEY.c.partner == partner, _KEY.c.revoked_at.is_(None))
        .values(revoked_at=sa.func.now())
    ).rowcount


def partner_of(tx: Transaction, bearer: str) -> Partner | None:
    """Whom a key speaks for; None for a wrong, malformed or revoked one."""
    read = read_key("cpk", bearer)
    if read is None:
        return None
    key_id, secret = read
    row = tx.execute(_KEY.select().where(_KEY.c.key_id == key_id)).one_or_none()
    if not is_secret(secret, row.secret_sha256 if row else None) or row is None:
        return None
    return Partner(row.brand_id, row.partner, row.key_id) if row.revoked_at is None else None
