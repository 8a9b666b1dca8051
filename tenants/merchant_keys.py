"""Keys by which merchants push offers."""

from __future__ import annotations

from kernel.db import Transaction
from tenants.bearer_keys import KeyKind

_KEYS = KeyKind("cmk", "merchant_key", "merchant_id")


def create_key(tx: Transaction, merchant_id: str) -> str:
    """A new key for the merchant: `cmk_<id>_<secret>`. It cannot be shown again."""
    return _KEYS.create(tx, merchant_id=merchant_id)


def revoke_keys(tx: Transaction, merchant_id: str) -> int:
    """End every key of the merchant; answers how many."""
    return _KEYS.revoke(tx, merchant_id=merchant_id)


def verify(tx: Transaction, bearer: str) -> str | None:
    """The merchant that a key speaks for; None for a wrong, malformed or revoked one."""
    row = _KEYS.holder(tx, bearer)
    return None if row is None else row.merchant_id
