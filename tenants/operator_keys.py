"""Keys of operators for the back office: 256 random bits, shown once, kept as a hash.

A key speaks for a named operator, of one brand or (no brand) of the platform, and signs the acts
that the trail records.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from kernel.db import Transaction, schema_metadata
from kernel.errors import DomainError
from tenants.bearer_keys import is_secret, new_key, read_key

_KEY = sa.Table(
    "operator_key",
    schema_metadata("tenants"),
    sa.Column("key_id", sa.Text, primary_key=True),
    sa.Column("operator", sa.Text),
    sa.Column("brand_id", sa.Text),
    sa.Column("secret_sha256", sa.Text),
    sa.Column("created_at", sa.DateTime(timezone=True)),
    sa.Column("revoked_at", sa.DateTime(timezone=True)),
)


@dataclass(frozen=True, slots=True)
class Operator:
    """Who acts: a name, and the only brand it may act for; None for every brand."""

    name: str
    brand_id: str | None

    def require(self, brand_id: str | None) -> None:
        """DomainError `not_allowed` (403) where the operator is not of that brand."""
        if self.brand_id is not None and self.brand_id != brand_id:
            raise DomainError(
                "not_allowed", f"This key is for brand {self.brand_id} alone.", status=403
            )


def create_operator_key(tx: Transaction, operator: str, brand_id: str | None = None) -> str:
    """A new key: `cok_<id>_<secret>`. It cannot be shown again."""
    if not 1 <= len(operator.strip()) <= 100 or not operator.isprintable():
        raise DomainError("operator_name", "An operator's name has 1 to 100 characters.")
    key = new_key("cok")
    tx.execute(
        _KEY.insert().values(
            key_id=key.key_id,
            operator=operator.strip(),
            brand_id=brand_id,
            secret_sha256=key.secret_sha256,
            created_at=sa.func.now(),
        )
    )
    return key.text


def revoke_operator_keys(tx: Transaction, operator: str) -> int:
    """End every key of the operator; answers how many."""
    return tx.execute(
        _KEY.update()
        .where(_KEY.c.operator == operator, _KEY.c.revoked_at.is_(None))
        .values(revoked_at=sa.func.now())
    ).rowcount


def operator_of(tx: Transaction, bearer: str) -> Operator | None:
    """Whom a key speaks for; None for a wrong, malformed or revoked one."""
    read = read_key("cok", bearer)
    if read is None:
        return None
    key_id, secret = read
    row = tx.execute(_KEY.select().where(_KEY.c.key_id == key_id)).one_or_none()
    if not is_secret(secret, row.secret_sha256 if row else None) or row is None:
        return None
    return Operator(row.operator, row.brand_id) if row.revoked_at is None else None
