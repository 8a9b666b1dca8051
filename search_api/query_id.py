"""The id of an answered query: unguessable, signed for one brand, read without any store.

An event that refers to it is refused on the spot where the id was not ours, not this brand's, or
is older than an event may be. The place and the product are compared with the log by its writer.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import time

MARK = "from"
"""The parameter by which a product's link says in which answer it stood."""
VALID_S = 24 * 3600
"""How long after its answer an event may refer to a query."""
_ID = re.compile(r"^qry_[a-z2-7]{32}$")
_FROM = re.compile(r"^(qry_[a-z2-7]{32})-([1-9]\d{0,3})$")


class QueryIds:
    """Makes and checks ids; every shop process of an installation has the same secret."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def new(self, brand_id: str, *, now: float | None = None) -> str:
        """`qry_` and 32 characters: the second, 48 random bits, 80 bits of signature."""
        second = int(time.time() if now is None else now)
        payload = second.to_bytes(4, "big") + secrets.token_bytes(6)
        signed = payload + self._signature(brand_id, payload)
        return "qry_" + base64.b32encode(signed).decode().lower()

    def is_known(self, query_id: str, brand_id: str, *, now: float | None = None) -> bool:
        """Whether this installation gave the id out for the brand within VALID_S."""
        if not _ID.match(query_id):
            return False
        signed = base64.b32decode(query_id[4:].upper())
        payload, signature = signed[:10], signed[10:]
        if not hmac.compare_digest(signature, self._signature(brand_id, payload)):
            return False
        age = (time.time() if now is None else now) - int.from_bytes(payload[:4], "big")
        return -60 <= age <= VALID_S

    def pseudonym(self, text: str) -> str:
        """A name for something that is itself not to be kept, such as an address of the network."""
        return hmac.new(self._secret, b"name" + text.encode(), hashlib.sha256).hexdigest()[:24]

    def _signature(self, brand_id: str, payload: bytes) -> bytes:
        whole = brand_id.encode() + b"\0" + payload
        return hmac.digest(self._secret, whole, "sha256")[:10]


def link_mark(query_id: str, position: int) -> str:
    """What a product's link carries: which answer it stood in, and where."""
    return f"{query_id}-{position}"


def read_mark(text: str) -> tuple[str, int] | None:
    """The query and the place of a link; None for anything else."""
    found = _FROM.match(text)
    return (found[1], int(found[2])) if found else None
