"""What an index holds, told product by product, for those who compare, mend and clear up.

`digest_of` is the content hash that every engine stores beside a document: two documents with the
same digest are the same document.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import orjson

from indexer.document import ProductDocument


@dataclass(frozen=True, slots=True)
class Held:
    """A product that the index shows, at which version it was written, and its content's hash."""

    product_id: str
    version: int
    digest: int


class State(StrEnum):
    """What an index is to its brand. SPARE: being built, or left over."""

    LIVE = "live"
    PREVIOUS = "previous"
    SPARE = "spare"


@dataclass(frozen=True, slots=True)
class Generation:
    """One index of a brand. `count` is None where it cannot be read by this release."""

    index: str
    state: State
    created_at: datetime
    model_id: str
    count: int | None


class Inventory(Protocol):
    """The part of an engine that tells what is in its indices. Names of indices, not of brands."""

    def inventory(self, index: str, *, after: str = "", limit: int = 1_000) -> tuple[Held, ...]:
        """The next products shown, in an order of the engine's own; empty at the end.

        `after` is the last product id of the page before. The first page sees every write that has
        returned; later pages may see more.
        """

    def held(self, index: str, product_ids: Sequence[str]) -> dict[str, Held]:
        """These products as they are this moment; absent where the index does not show them."""

    def generations(self, brand_id: str) -> tuple[Generation, ...]:
        """Every index of the brand, oldest first."""


def digest_of(document: ProductDocument) -> int:
    """63 bits of the hash of a document, whatever the order in which its attributes are named."""
    body = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    return int.from_bytes(hashlib.blake2b(body, digest_size=8).digest(), "big") >> 1
