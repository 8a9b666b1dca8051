"""The file of vectors: the nearest are the true ones, whatever was changed on the way."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from indexer.embedded.vectors import FILE, VectorFile
from indexer.engine import Vector

DIMENSIONS = 256


def crowded(count: int, dimensions: int = DIMENSIONS) -> Vector:
    """Unit vectors that crowd together, as titles of one kind of product do: they differ in few
    ways, each of which touches every number."""
    chance = np.random.default_rng(7)
    kinds = chance.normal(size=(80, dimensions))
    ways = chance.normal(size=(30, dimensions))
    rows = kinds[chance.integers(0, len(kinds), count)]
    rows += 0.3 * chance.normal(size=(count, len(ways))) @ ways
    found: Vector = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return found


def test_the_first_ten_are_the_true_ones(tmp_path: Path) -> None:
    """Of the ten nearest among 20,000, at least 95 % on the whole, with their cosines."""
    rows = crowded(20_000)
    writer = VectorFile(tmp_path, DIMENSIONS, building=True)
    for begin in range(0, len(rows), 1_000):
        keys = range(begin, begin + 1_000)
        writer.change(dict(zip(keys, rows[begin:], strict=False)), [])
    writer.save()
    reader = VectorFile(tmp_path, DIMENSIONS)
    shared = 0
    for asked in crowded(100)[::-1]:
        cosines = rows @ asked
        nearest = reader.nearest(asked, 10)
        assert nearest[0][1] == pytest.approx(cosines.max(), abs=2e-3)
        assert [value for _, value in nearest] == sorted((v for _, v in nearest), reverse=True)
        assert all(abs(value - cosines[key]) < 2e-3 for key, value in nearest)
        shared += len({key for key, _ in nearest} & set(np.argsort(-cosines)[:10].tolist()))
    assert shared >= 950


@pytest.mark.parametrize("dimensions", [3, 16, 64, 100])
@pytest.mark.parametrize("building", [False, True])
def test_the_last_word_on_a_key_counts(tmp_path: Path, dimensions: int, building: bool) -> None:
    """Written anew, deleted, without a direction, come back; other keys stay as they are."""
    rows = crowded(9, dimensions)
    file = VectorFile(tmp_path, dimensions, building=building)
    file.change(dict(enumerate(rows)), [])
    file.change({0: rows[5], 1: np.zeros(dimensions, dtype=np.float32)}, [2, 3, 99])
    file.change({3: rows[4]}, [])
    file.save()
    told = VectorFile(tmp_path, dimensions).cosines(rows[4], np.arange(10, dtype=np.uint64))
    expected = {0: 5, 3: 4, **{key: key for key in range(4, 9)}}
    for key, cosine in enumerate(told):
        if key in expected:
            assert cosine == pytest.approx(float(rows[expected[key]] @ rows[4]), abs=5e-3)
        else:
            assert np.isnan(cosine)
    nearest = VectorFile(tmp_path, dimensions).nearest(rows[4], 20)
    assert {key for key, _ in nearest} == set(expected)


def test_a_rounded_number_is_no_change(tmp_path: Path) -> None:
    rows = crowded(5)
    file = VectorFile(tmp_path, DIMENSIONS)
    file.change(dict(enumerate(rows)), [])
    before = (tmp_path / FILE).stat().st_ino
    file.change(dict(enumerate(rows * np.float32(1.001))), [77])
    assert (tmp_path / FILE).stat().st_ino == before
    file.change({0: rows[1]}, [])
    assert (tmp_path / FILE).stat().st_ino != before


def test_a_file_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    """Cut off, of other vectors, empty, or something else."""
    VectorFile(tmp_path, DIMENSIONS).change(dict(enumerate(crowded(5))), [])
    whole = (tmp_path / FILE).read_bytes()
    with pytest.raises(ValueError, match="vectors of 64 numbers"):
        VectorFile(tmp_path, 64).nearest(crowded(1, 64)[0], 3)
    for damage in (whole[:-2], whole + b"\0\0", b"", b"\0" * len(whole)):
        (tmp_path / FILE).write_bytes(damage)
        with pytest.raises(ValueError, match="not a whole file"):
            VectorFile(tmp_path, DIMENSIONS).nearest(crowded(1)[0], 3)


def test_a_file_that_is_cut_while_it_is_read_is_refused(tmp_path: Path) -> None:
    """Rows that are gone are an error that the engine names, never the end of the process."""
    rows = crowded(20)
    writer = VectorFile(tmp_path, DIMENSIONS)
    writer.change(dict(enumerate(rows)), [])
    reader, keys = VectorFile(tmp_path, DIMENSIONS), np.arange(20, dtype=np.uint64)
    assert not np.isnan(reader.cosines(rows[0], keys)).any()
    whole = (tmp_path / FILE).stat()
    os.truncate(tmp_path / FILE, whole.st_size - 2 * DIMENSIONS)
    os.utime(tmp_path / FILE, ns=(whole.st_atime_ns, whole.st_mtime_ns))
    with pytest.raises(ValueError, match="reshape"):
        reader.cosines(rows[0], keys)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs Linux")
def test_rows_are_not_mapped(tmp_path: Path) -> None:
    """Only keys and signs are: whole rows would soon all be in this process's memory."""
    rows = crowded(4_000)
    VectorFile(tmp_path, DIMENSIONS).change(dict(enumerate(rows)), [])
    reader = VectorFile(tmp_path, DIMENSIONS)
    reader.cosines(rows[0], np.arange(4_000, dtype=np.uint64))
    mapped = [line for line in Path("/proc/self/maps").read_text().splitlines() if FILE in line]
    spans = [line.split()[0].split("-") for line in mapped if str(tmp_path) in line]
    size = sum(int(end, 16) - int(begin, 16) for begin, end in spans)
    assert 0 < size < (tmp_path / FILE).stat().st_size / 4
