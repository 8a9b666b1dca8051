"""Tables of segments tell what the documents say, whatever is written, deleted and merged."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from indexer.embedded import EmbeddedEngine, columns
from indexer.embedded.columns import segments_of
from indexer.engine import Delete, SearchRequest, Upsert
from indexer.hits import Hit
from tests.indexer.documents import document, offer, upsert

BRAND = "columns"
LONG = "prd_with_an_id_of_more_than_24_letters"


def _hits(engine: EmbeddedEngine) -> dict[str, Hit]:
    found = engine.search(BRAND, SearchRequest(limit=1_000))
    assert len(found.hits) == found.total
    return {hit.product_id: hit for hit in found.hits}


def test_hits_tell_what_was_written_last(tmp_path: Path) -> None:
    """Twenty commits of random changes, each compared; segments come, go and are merged."""
    engine = EmbeddedEngine(tmp_path)
    index = engine.create(BRAND, model_id="static-test", dimensions=16)
    engine.publish(BRAND, index)
    chance = random.Random(7)
    expected: dict[str, tuple[int, int]] = {}
    for version in range(1, 21):
        changes: list[Upsert | Delete] = []
        for number in {chance.randrange(60) for _ in range(chance.randrange(1, 25))}:
            name = LONG if number == 0 else f"prd_{number}"
            if chance.random() < 0.2:
                changes.append(Delete(name, version))
                expected.pop(name, None)
                continue
            offers = tuple(offer(f"m{at}", 100) for at in range(chance.randrange(1, 9)))
            changes.append(upsert(document(name, f"lamp {number}", offers=offers), version))
            expected[name] = (len(offers), version)
        engine.write(index, changes)
        told = {name: (hit.offer_count, hit.version) for name, hit in _hits(engine).items()}
        assert told == expected
    fresh = _hits(EmbeddedEngine(tmp_path))
    assert fresh.keys() == expected.keys()
    assert all(hit.in_stock for hit in fresh.values())


def test_segments_are_named_with_their_sizes() -> None:
    meta = b'{"segments": [{"segment_id": "a", "max_doc": 3}, {"segment_id": "b", "max_doc": 1}]}'
    assert segments_of(meta) == (("a", 3), ("b", 1))


def test_the_next_process_maps_what_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A damaged or foreign file is read anew; files of segments that are gone are removed."""
    monkeypatch.setattr(columns, "_AT_ONCE", 8)
    engine = EmbeddedEngine(tmp_path)
    index = engine.create(BRAND, model_id="static-test", dimensions=16)
    engine.publish(BRAND, index)
    folder = tmp_path / index / "columns"

    def written(first: int, version: int) -> dict[str, Hit]:
        names = [f"prd_{number}" for number in range(first, first + 20)]
        engine.write(index, [upsert(document(name, f"lamp {name}"), version) for name in names])
        return _hits(engine)

    told = written(0, 1)
    (file,) = folder.iterdir()
    whole = file.read_bytes()
    assert _hits(EmbeddedEngine(tmp_path)) == told
    for damaged in (b"", whole[:-9], whole.replace(b"accessories", b"ACCESSORIES")):
        file.write_bytes(damaged)
        assert _hits(EmbeddedEngine(tmp_path)) == told
        assert file.read_bytes() == whole

    (folder / "gone.npy").touch()
    told = written(20, 2)
    assert not (folder / "gone.npy").exists()
    assert _hits(EmbeddedEngine(tmp_path)) == told
