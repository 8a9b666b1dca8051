"""Sessions of operators in the back office's pages: begun with a key, ended by hand, by time or
with the key.

The token is 256 random bits in a cookie; the table keeps its hash alone.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa

from kernel.db import Transaction
from tenants.bearer_keys import read_key
from tenants.operator_keys import Operator, operator_of

LASTS = timedelta(hours=12)


def begin_session(tx: Transaction, key: str, now: datetime) -> str | None:
    """A token for the holder of the key; None for a wrong or revoked one. Old sessions go."""
    read = read_key("cok", key)
    if read is None or operator_of(tx, key) is None:
        return None
    tx.execute(sa.text("DELETE FROM tenants.operator_session WHERE ends_at < :now"), {"now": now})
    token = secrets.token_urlsafe(32)
    tx.execute(
        sa.text(
            "INSERT INTO tenants.operator_session (session_sha256, key_id, began_at, ends_at) "
            "VALUES (:hash, :key, :now, :ends)"
        ),
        {"hash": _hash(token), "key": read[0], "now": now, "ends": now + LASTS},
    )
    return token


def operator_in(tx: Transaction, token: str, now: datetime) -> Operator | None:
    """Whose session it is; None for one that ended, was never begun, or whose key was revoked."""
    row = tx.execute(
        sa.text(
            "SELECT operator, brand_id FROM tenants.operator_session JOIN tenants.operator_key "
            "USING (key_id) WHERE session_sha256 = :hash AND ends_at > :now "
            "AND revoked_at IS NULL"
        ),
        {"hash": _hash(token), "now": now},
    ).one_or_none()
    return None if row is None else Operator(row.operator, row.brand_id)


def end_session(tx: Transaction, token: str) -> None:
    """The token is worth nothing from now on."""
    tx.execute(
        sa.text("DELETE FROM tenants.operator_session WHERE session_sha256 = :hash"),
        {"hash": _hash(token)},
    )


def form_token(token: str) -> str:
    """What every form of the session carries: another site cannot know it."""
    return hmac.new(token.encode(), b"form", hashlib.sha256).hexdigest()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
