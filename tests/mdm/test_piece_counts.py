"""Counts of pieces: as many as there are, whatever came and went, in memory and from a file."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from mdm.match.piece_counts import PieceCounts, piece_numbers


def test_what_came_and_went_is_counted(tmp_path: Path) -> None:
    chance = random.Random(7)
    true: Counter[str] = Counter()
    counts = PieceCounts()
    for _ in range(6):
        more = [f"piece{chance.randrange(20_000)}" for _ in range(5_000)]
        fewer = chance.sample(list(true.elements()), true.total() // 3)
        true.update(more)
        true.subtract(fewer)
        counts = counts.changed(piece_numbers(more), piece_numbers(fewer))
    counts.write(tmp_path / "counts")
    for each in (counts, PieceCounts.read(tmp_path / "counts")):
        wrong = [piece for piece in true if each.count(piece) != true[piece]]
        assert len(wrong) <= 2, "pieces whose letters give one number"
        assert each.count("never seen") == 0


def test_what_nobody_carries_any_more_leaves_its_room() -> None:
    counts = PieceCounts()
    for turn in range(40):
        numbers = piece_numbers(f"{turn} {number}" for number in range(1_000))
        counts = counts.changed(numbers, ()).changed((), numbers)
    assert len(counts._entries) <= 1 << 13


def test_what_was_never_there_cannot_go() -> None:
    counts = PieceCounts().changed(piece_numbers(["kettle", "steel"]), ())
    counts = counts.changed((), piece_numbers(["kettle", "kettle", "spoon"]))
    assert [counts.count(each) for each in ("kettle", "steel", "spoon")] == [0, 1, 0]


@pytest.mark.parametrize("content", [b"", b"123", bytes(24)])
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "counts").write_bytes(content)
    with pytest.raises(ValueError, match=r"cut off|empty"):
        PieceCounts.read(tmp_path / "counts")
