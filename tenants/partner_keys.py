"""Keys by which a brand's partners export its catalogue. A key speaks for one brand and reads what
that brand shows; it writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from kernel.db import Transaction
from tenants.bearer_keys import KeyKind

_KEYS = KeyKind("cpk", "partner_key", "brand_id", "partner")


@dataclass(frozen=True, slots=True)
class Partner:
    """Who reads: the brand it reads of, its name there, and the key it came with."""

    brand_id: str
    partner: str
    key_id: str


def create_partner_key(tx: Transaction, brand_id: str, partner: str) -> str:
    """A new key for a partner of the brand: `cpk_<id>_<secret>`. It cannot be shown again."""
    return _KEYS.create(tx, brand_id=brand_id, partner=partner)


def revoke_partner_keys(tx: Transaction, brand_id: str, partner: str) -> int:
    """End every key of the partner; answers how many."""
    return _KEYS.revoke(tx, brand_id=brand_id, partner=partner)


def partner_of(tx: Transaction, bearer: str) -> Partner | None:
    """Whom a key speaks for; None for a wrong, malformed or revoked one."""
    row = _KEYS.holder(tx, bearer)
    return None if row is None else Partner(row.brand_id, row.partner, row.key_id)
