"""What every contract test of the search engines does: fill an index, ask it, wait for it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence

from indexer.engine import Delete, Engine, Match, SearchRequest, Upsert, Words
from tests.indexer.documents import DIMENSIONS

MODEL = "static-test"


def new_brand() -> str:
    """A name that nobody else uses."""
    return f"brand{uuid.uuid4().hex[:8]}"


def fill(engine: Engine, brand: str, changes: Sequence[Upsert | Delete]) -> str:
    """A published index with these changes, visible."""
    index = engine.create(brand, model_id=MODEL, dimensions=DIMENSIONS)
    report = engine.write(index, changes)
    assert report.refused == ()
    engine.publish(brand, index)
    return index


def seen_soon(check: Callable[[], bool]) -> None:
    """The write side promises visibility within a second; a busy machine may take its time."""
    until = time.monotonic() + 30.0
    while not check():
        assert time.monotonic() < until, "not visible in time"
        time.sleep(0.02)


def ids(engine: Engine, brand: str, request: SearchRequest) -> list[str]:
    return [hit.product_id for hit in engine.search(brand, request).hits]


def found(
    engine: Engine, brand: str, text: str, language: str = "en", match: Match = Match.ALL
) -> list[str]:
    return ids(engine, brand, SearchRequest(Words(text, language, match)))
