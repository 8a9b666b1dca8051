"""The embedded engine between processes: one writes, the others see it within a second."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from indexer.embedded import EmbeddedEngine, writing
from indexer.embedded import engine as engine_module
from indexer.engine import Filters, SearchRequest, Words
from kernel.errors import DomainError
from tests.indexer.documents import DIMENSIONS, direction, document, upsert

WRITER = """
import sys
from pathlib import Path
from indexer.embedded import EmbeddedEngine
from tests.indexer.documents import document, upsert
engine = EmbeddedEngine(Path(sys.argv[1]))
for number in range(int(sys.argv[3]), int(sys.argv[3]) + 8):
    engine.write(sys.argv[2], [upsert(document(f"prd_{number}", f"lamp {number}"), 2)])
print("done", flush=True)
"""

HOLDER = """
import fcntl, sys, time
stream = open(sys.argv[1], "a")
fcntl.flock(stream, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def engine(tmp_path: Path) -> EmbeddedEngine:
    return EmbeddedEngine(tmp_path)


def fill(engine: EmbeddedEngine) -> str:
    index = engine.create("b1", model_id="m", dimensions=DIMENSIONS)
    engine.write(index, [upsert(document("prd_x", "lamp"))])
    engine.publish("b1", index)
    return index


def spawn(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", *arguments], stdout=subprocess.PIPE, text=True)


def test_readers_see_what_other_processes_write(engine: EmbeddedEngine, tmp_path: Path) -> None:
    """Two writers at once: nothing is lost, and this process need not be told."""
    index = fill(engine)
    assert engine.search("b1", SearchRequest()).total == 1
    writers = [spawn(WRITER, str(tmp_path), index, start) for start in ("0", "8")]
    for writer in writers:
        out, _ = writer.communicate(timeout=60)
        assert out.strip() == "done"
    assert engine.search("b1", SearchRequest(limit=50)).total == 17
    assert engine.search("b1", SearchRequest(Words("lamp", "en"))).total == 17


def test_a_new_generation_is_seen_by_open_readers(engine: EmbeddedEngine, tmp_path: Path) -> None:
    """A switch made elsewhere is taken up with the next question."""
    first = fill(engine)
    assert engine.search("b1", SearchRequest()).total == 1
    other = EmbeddedEngine(tmp_path)
    second = other.create("b1", model_id="m", dimensions=DIMENSIONS)
    other.publish("b1", second)
    other.drop("b1", first)
    assert engine.search("b1", SearchRequest()).total == 0


def test_a_writer_that_never_lets_go_is_named(
    engine: EmbeddedEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waiting ends with a sentence; reading goes on meanwhile."""
    index = fill(engine)
    monkeypatch.setattr(writing, "LOCK_WAIT_S", 0.2)
    holder = spawn(HOLDER, str(tmp_path / index / "write.lock"))
    assert holder.stdout is not None
    assert holder.stdout.readline().strip() == "held"
    with pytest.raises(DomainError) as refusal:
        engine.write(index, [upsert(document("prd_y", "lamp"))])
    assert refusal.value.code == "index_busy"
    assert engine.search("b1", SearchRequest()).total == 1
    holder.kill()
    holder.wait()
    holder.stdout.close()
    assert engine.write(index, [upsert(document("prd_y", "lamp"))]).written == 1


def test_many_threads_read_while_one_writes(engine: EmbeddedEngine) -> None:
    """The shop answers from a pool of threads: every answer is whole."""
    index = fill(engine)
    engine.write(index, [upsert(document(f"prd_{n}", f"lamp {n}")) for n in range(100)])

    def ask(turn: int) -> tuple[int, int]:
        found = engine.search("b1", SearchRequest(Words("lamp", "en"), limit=50))
        near = engine.neighbours("b1", direction(1.0), filters=Filters(), limit=20)
        return len({hit.product_id for hit in found.hits}), len(near)

    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(ask, range(200))
        for turn in range(3):
            engine.write(index, [upsert(document("prd_x", f"lamp {turn}"), 2 + turn)])
        assert set(answers) == {(50, 20)}


def test_unchanged_vectors_are_not_saved_again(engine: EmbeddedEngine, tmp_path: Path) -> None:
    """A change of price alone leaves the vector file as it is."""
    index = fill(engine)
    file = tmp_path / index / "vectors.bin"
    before = file.stat().st_mtime_ns
    time.sleep(0.02)
    engine.write(index, [upsert(document("prd_x", "lamp", total=500), 2)])
    assert file.stat().st_mtime_ns == before
    assert engine.read("b1", ["prd_x"])["prd_x"].total_minor == 500


def test_names_are_no_paths(engine: EmbeddedEngine) -> None:
    """An index name cannot lead out of the folder."""
    with pytest.raises(ValueError, match="no index name"):
        engine.drop("b1", "../elsewhere")


def test_a_full_disk_is_named_and_any_other_fault_is_not_taken_for_one(
    engine: EmbeddedEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = fill(engine)

    def writes_no_more(*_: object) -> None:
        raise ValueError("An index writer was killed.. io::Error most likely")

    monkeypatch.setattr(writing.IndexWriter, "write", writes_no_more)
    with pytest.raises(DomainError, match="cannot be read") as other:
        engine.write(index, [upsert(document("prd_y", "lamp"))])
    assert other.value.code == "index_damaged"
    left = shutil.disk_usage(tmp_path)._replace(free=40_960)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: left)
    with pytest.raises(DomainError, match="has 40 KiB left") as full:
        engine.write(index, [upsert(document("prd_y", "lamp"))])
    assert full.value.code == "disk_full"
    assert "Make room" in full.value.hint


def test_an_index_that_cannot_be_made_leaves_nothing_behind(
    engine: EmbeddedEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tried again and again: each try would leave a folder."""
    fill(engine)
    before = sorted(tmp_path.iterdir())

    def writes_nothing(*_: object) -> None:
        raise ValueError("No space left on device")

    monkeypatch.setattr(engine_module, "open_index", writes_nothing)
    with pytest.raises(DomainError, match="No space left"):
        engine.create("b1", model_id="m", dimensions=DIMENSIONS)
    assert sorted(tmp_path.iterdir()) == before
