"""Identifiers with a type prefix: `prd_` product, `off_` offer, `pur_` purchase.

Derived ids are a hash of what they name, so the same thing has the same id in every database and
on every run; drawn ids are random and unguessable (baskets, purchases).
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets

_SLUG = re.compile(r"[^a-z0-9]+")


def derived_id(prefix: str, *parts: str) -> str:
    """`prefix_` + 20 base32 characters (100 bits) of the SHA-256 of the parts."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return f"{prefix}_{base64.b32encode(digest)[:20].decode().lower()}"


def drawn_id(prefix: str) -> str:
    """`prefix_` + 26 base32 characters (130 bits) of the system's randomness."""
    return f"{prefix}_{base64.b32encode(secrets.token_bytes(17))[:26].decode().lower()}"


def slug(text: str, *, limit: int = 60) -> str:
    """Lower-case ASCII words joined by hyphens, for ids of merchants and readable addresses."""
    import unicodedata

    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return _SLUG.sub("-", plain).strip("-")[:limit].strip("-")
