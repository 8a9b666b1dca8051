"""The index of pieces: what it answers, what it keeps, what it survives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mdm.match.candidates import PieceIndex
from mdm.match.recent_offers import RecentOffers
from mdm.match.term_index import MOST_HOLDERS, MOST_PIECES, Held, TermIndex, telling

SHELF = [
    Held("off_1", ["kettle", "steel", "kx100", "s:alpha"]),
    Held("off_2", ["kettle", "steel", "kx200", "s:beta"]),
    Held("off_3", ["kettle", "glass", "kx100", "s:beta"]),
    Held("off_4", ["toaster", "steel", "tt1", "s:alpha"]),
]


@pytest.fixture(params=["memory", "folder", "recent"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> TermIndex | RecentOffers:
    made: TermIndex | RecentOffers = RecentOffers()
    if request.param != "recent":
        made = TermIndex(tmp_path / "index" if request.param == "folder" else None)
    made.add(SHELF)
    return made


def _ids(index: PieceIndex, *pieces: str, without: str | None = None) -> list[str]:
    asked = telling(pieces, index.count, len(index))
    return [hit.offer_id for hit in index.hits(asked, 10, without)]


def test_rare_pieces_come_first(index: TermIndex | RecentOffers) -> None:
    assert len(index) == 4
    assert _ids(index, "kettle", "steel", "kx100") == ["off_1", "off_3", "off_2", "off_4"]
    assert [index.count(each) for each in ("kettle", "kx100", "spoon")] == [3, 2, 0]
    assert _ids(index, "spoon") == _ids(index) == []


def test_offers_that_carry_a_piece_are_left_out(index: TermIndex | RecentOffers) -> None:
    assert _ids(index, "kettle", "steel", "kx100", without="s:beta") == ["off_1", "off_4"]


def test_an_offer_is_replaced_and_removed(index: TermIndex | RecentOffers) -> None:
    index.add([Held("off_1", ["spoon", "kx300"])])
    assert len(index) == 4
    assert _ids(index, "kx100") == ["off_3"]
    assert _ids(index, "kx300") == ["off_1"]
    index.remove(["off_1", "off_9"])
    assert len(index) == 3
    assert _ids(index, "kx300") == []


def test_both_indices_give_the_same_worth() -> None:
    recent, stored = RecentOffers(), TermIndex()
    for each in (recent, stored):
        each.add(SHELF)
    asked = telling(["kettle", "steel", "#kx1", "kx100", "g:1"], recent.count, len(recent))
    for one, other in zip(recent.hits(asked, 9), stored.hits(asked, 9), strict=True):
        assert one.offer_id == other.offer_id
        assert one.worth == pytest.approx(other.worth, abs=0.01)


def test_common_pieces_are_asked_for_only_where_there_are_few_others() -> None:
    counts = {"common": MOST_HOLDERS, "usual": 30_000, "some": 9_000, "rare": 3}
    asked = telling([*counts, "unknown"], lambda piece: counts.get(piece, 0), 100_000)
    assert [piece for piece, _ in asked] == ["rare", "some", "usual"]
    assert [piece for piece, _ in telling(["common"], counts.__getitem__, 100_000)] == ["common"]
    many = [f"word{n}" for n in range(500)]
    assert len(telling(many, lambda _: 1, 100_000)) == MOST_PIECES


def test_identifiers_are_worth_more_and_ends_of_codes_less() -> None:
    worth = dict(telling(["g:1", "p:1", "one", "#one"], lambda _: 2, 1000))
    assert worth["g:1"] > worth["p:1"] > worth["one"] > worth["#one"] > 0


def test_a_folder_is_shared_and_keeps_its_mark(tmp_path: Path) -> None:
    writer, reader = TermIndex(tmp_path), TermIndex(tmp_path)
    writer.write(SHELF, (), "17 off_4")
    assert (reader.mark, len(reader)) == ("", 0)
    reader.reload()
    assert (reader.mark, len(reader)) == ("17 off_4", 4)
    writer.write((), ["off_1"], "18 off_1")
    again = TermIndex(tmp_path)
    assert (again.mark, len(again)) == ("18 off_1", 3)
    again.empty()
    assert (again.mark, len(again)) == ("", 0)


def test_a_damaged_folder_is_made_again(tmp_path: Path) -> None:
    TermIndex(tmp_path).write(SHELF, (), "17 off_4")
    (tmp_path / "meta.json").write_text("{}")
    assert len(TermIndex(tmp_path)) == 0


def test_counts_go_with_the_state_that_names_them(tmp_path: Path) -> None:
    index, reader = TermIndex(tmp_path), TermIndex(tmp_path)
    (tmp_path / "counts-of-a-killed-write").write_bytes(b"1")
    index.write(SHELF, (), "17 off_4")
    index.write([Held("off_1", ["spoon"])], ["off_2"], "18 off_2")
    (file,) = tmp_path.glob("counts-*")
    reader.reload()
    assert [reader.count(each) for each in ("kettle", "kx100", "spoon")] == [1, 1, 1]
    file.unlink()
    assert len(TermIndex(tmp_path)) == 0


_WRITER = """
import sys
from pathlib import Path
from mdm.match.term_index import Held, TermIndex
index = TermIndex(Path(sys.argv[1]))
def offers():
    for number in range(100_000_000):
        if number == 20_000:
            print("in the middle", flush=True)
        yield Held(f"off_{number}", [f"piece{number % 977}", f"word{number % 31}"])
index.write(offers(), ["off_1"], "99 off_99")
"""


def test_killed_in_the_middle_it_is_as_it_was_before(tmp_path: Path) -> None:
    TermIndex(tmp_path).write(SHELF, (), "17 off_4")
    with subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(tmp_path)], stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        os.kill(writer.pid, signal.SIGKILL)
    index = TermIndex(tmp_path)
    assert (index.mark, len(index)) == ("17 off_4", 4)
    index.write([Held("off_5", ["spoon"])], (), "18 off_5")
    assert _ids(index, "spoon") == ["off_5"]
