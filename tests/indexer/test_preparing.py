"""What several processes make ready is what one does, and they end with the one that asked."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from indexer.embedded import EmbeddedEngine, preparing
from indexer.embedded.preparing import Preparation, prepared
from indexer.engine import Delete, SearchRequest, Upsert, Words
from tests.indexer.documents import DIMENSIONS, document, upsert
from tests.killed_parent import children_left_alone, wait_until_ended

PARENT = """
import sys, time
from indexer.embedded import preparing
from tests.indexer.documents import document, upsert
preparing.ALONE_UP_TO = 0
preparation = preparing.Preparation()
preparation._processes = 2
list(preparation.fields([upsert(document(f"prd_{number}", "lamp")) for number in range(4)]))
print(*(child.pid for child in preparation._pool._processes.values()), flush=True)
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def _two_from_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "ALONE_UP_TO", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


def changes() -> list[Upsert | Delete]:
    rows: list[Upsert | Delete] = [
        upsert(document(f"prd_{number}", f"lamp {number}"), number) for number in range(7)
    ]
    torn = upsert(document("prd_torn", "half a character \ud83d"))
    return [*rows, Delete("prd_gone", 3), torn]


def test_several_make_ready_what_one_does() -> None:
    """In the same order, refusals among them; a second time by the same processes."""
    preparation = Preparation()
    try:
        for _ in range(2):
            assert list(preparation.fields(changes())) == list(prepared(changes()))
    finally:
        preparation.close()
    assert sum(isinstance(fields, str) for fields in prepared(changes())) == 1


def test_an_index_built_by_several_answers(tmp_path: Path) -> None:
    engine = EmbeddedEngine(tmp_path)
    index = engine.create("b1", model_id="m", dimensions=DIMENSIONS)
    report = engine.write(index, changes())
    assert (report.written, report.deleted, len(report.refused)) == (7, 1, 1)
    engine.publish("b1", index)
    assert engine.search("b1", SearchRequest(Words("lamp", "en"))).total == 7


def test_a_process_that_dies_is_done_without() -> None:
    preparation = Preparation()
    try:
        list(preparation.fields(changes()))
        assert preparation._pool is not None
        for child in preparation._pool._processes.values():
            os.kill(child.pid or 0, signal.SIGKILL)
        assert list(preparation.fields(changes())) == list(prepared(changes()))
        assert preparation._pool is None
    finally:
        preparation.close()


def test_none_outlives_a_parent_that_is_killed() -> None:
    children = children_left_alone("-c", PARENT)
    assert len(children) == 2
    wait_until_ended(children)
