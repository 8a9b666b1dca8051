"""The embedded engine's word on what questions are answered from: it differs whenever that does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from indexer.embedded import EmbeddedEngine
from indexer.engine import Delete, SearchRequest
from kernel.errors import DomainError
from tests.contracts.search_engines import fill
from tests.indexer.documents import document, upsert

BRAND, OTHER = "orchard", "meadow"


def total(engine: EmbeddedEngine) -> int | None:
    return engine.read(BRAND, ["prd_a"])["prd_a"].total_minor


@pytest.fixture
def engine(tmp_path: Path) -> EmbeddedEngine:
    made = EmbeddedEngine(tmp_path)
    for brand in (BRAND, OTHER):
        fill(made, brand, [upsert(document(name, "Lamp")) for name in ("prd_a", "prd_b")])
    return made


def stamp(engine: EmbeddedEngine) -> str:
    found = engine.stamp(BRAND)
    assert found is not None
    return found


def test_it_stays_while_nothing_is_written_and_differs_after_every_write(
    engine: EmbeddedEngine, tmp_path: Path
) -> None:
    """In the process that writes, and in another one, which says the same."""
    reader = EmbeddedEngine(tmp_path)
    stats = engine.stats(BRAND)
    assert stats is not None
    index, seen = stats.index, [stamp(engine)]
    assert stamp(reader) == seen[0]
    reader.search(BRAND, SearchRequest())
    other_vector = upsert(document("prd_a", "Lamp", total=900), version=2)
    other_vector = replace(other_vector, vector=other_vector.vector[::-1].copy())
    writes: list[Callable[[], object]] = [
        lambda: engine.write(index, [upsert(document("prd_a", "Lamp", total=900), version=2)]),
        lambda: engine.write(index, [other_vector]),
        lambda: engine.write(index, [Delete("prd_b", 3)]),
        lambda: fill(engine, BRAND, [upsert(document("prd_a", "Lamp", total=800))]),
    ]
    for write in writes:
        assert stamp(engine) == seen[-1]
        write()
        seen.append(stamp(engine))
        assert stamp(reader) == seen[-1]
    assert len(set(seen)) == len(seen)
    engine.publish(BRAND, index)
    assert stamp(reader) == seen[-2], "gone back to: what it holds is what it held"
    fill(engine, OTHER, [upsert(document("prd_c", "Lamp"))])
    assert stamp(reader) == seen[-2], "another brand's writes are none of ours"
    with pytest.raises(DomainError, match="no search index"):
        engine.stamp("nobody")


def test_it_names_what_is_read_not_what_lies_on_the_disk(
    engine: EmbeddedEngine, tmp_path: Path
) -> None:
    """While one thread takes a new commit the others answer from the former one, and say so."""
    reader = EmbeddedEngine(tmp_path)
    before, shown = stamp(reader), total(reader)
    stats = engine.stats(BRAND)
    assert stats is not None
    taking = reader._readers[BRAND][1]._taking
    with taking:
        engine.write(stats.index, [upsert(document("prd_a", "Lamp", total=700), version=2)])
        assert (stamp(reader), total(reader)) == (before, shown)
    assert total(reader) == 700
    assert stamp(reader) != before


def test_equal_before_and_after_means_answered_from_that(
    engine: EmbeddedEngine, tmp_path: Path
) -> None:
    """Beside a stream of commits: whatever is read between two equal stamps is one state's."""
    reader, stats = EmbeddedEngine(tmp_path), engine.stats(BRAND)
    assert stats is not None
    stopping, seen = threading.Event(), dict[str, set[int | None]]()

    def write() -> None:
        for version in range(2, 60):
            changed = document("prd_a", "Lamp", total=version)
            engine.write(stats.index, [upsert(changed, version=version)])
        stopping.set()

    def read() -> None:
        while not stopping.is_set():
            before = stamp(reader)
            totals = {total(reader), total(reader)}
            if stamp(reader) == before:
                seen.setdefault(before, set()).update(totals)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    write()
    for thread in threads:
        thread.join()
    assert len(seen) > 3
    assert all(len(totals) == 1 for totals in seen.values()), seen
