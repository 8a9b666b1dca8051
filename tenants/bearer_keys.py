"""What every kind of key has in common: 256 random bits, shown once, kept as a hash. Pure.

Written `<prefix>_<id>_<secret>`; each kind of key keeps its own table and says whom it speaks for.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

MAX_LENGTH = 200


@dataclass(frozen=True, slots=True)
class NewKey:
    """`text` is for its holder, the other two are for the table."""

    key_id: str
    secret_sha256: str
    text: str


def new_key(prefix: str) -> NewKey:
    """A key that nobody can guess."""
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    return NewKey(key_id, _hash(secret), f"{prefix}_{key_id}_{secret}")


def read_key(prefix: str, bearer: str) -> tuple[str, str] | None:
    """Id and secret of a key of this kind; None for anything else a stranger may send."""
    if len(bearer) > MAX_LENGTH or not bearer.isascii() or not bearer.isprintable():
        return None
    found, _, rest = bearer.partition("_")
    key_id, _, secret = rest.partition("_")
    return (key_id, secret) if found == prefix else None


def is_secret(secret: str, known_sha256: str | None) -> bool:
    """Whether it is the secret of the hash; takes as long where there is no such key (None)."""
    same = hmac.compare_digest(known_sha256 or _hash(""), _hash(secret))
    return same and known_sha256 is not None


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
