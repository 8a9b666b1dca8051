"""Keys of operators for the back office.

A key speaks for a named operator, of one brand or (no brand) of the platform, and signs the acts
that the trail records.
"""

from __future__ import annotations

from dataclasses import dataclass

from kernel.db import Transaction
from kernel.errors import DomainError
from tenants.bearer_keys import KeyKind

_KEYS = KeyKind("cok", "operator_key", "operator", "brand_id")


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
    return _KEYS.create(tx, operator=operator.strip(), brand_id=brand_id)


def revoke_operator_keys(tx: Transaction, operator: str) -> int:
    """End every key of the operator; answers how many."""
    return _KEYS.revoke(tx, operator=operator)


def operator_of(tx: Transaction, bearer: str) -> Operator | None:
    """Whom a key speaks for; None for a wrong, malformed or revoked one."""
    row = _KEYS.holder(tx, bearer)
    return None if row is None else Operator(row.operator, row.brand_id)
