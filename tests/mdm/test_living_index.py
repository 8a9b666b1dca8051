"""The index of the living catalogue: it follows the database, is shared, and made again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kernel.db import Database
from mdm import living_index
from mdm.living_index import LivingIndex
from mdm.match.kept_reading import unpacked
from mdm.match.term_index import Held
from mdm.offer_rows import offer_id_of
from tests.conftest import fresh_database
from tests.mdm.offers_at_hand import load, merchants, raw


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    opened = Database(fresh_database(postgres_url))
    merchants(opened, "alpha", "beta")
    yield opened
    opened.close()


def _shelf(database: Database, *numbers: int) -> None:
    load(database, "alpha", [raw(f"k{n}", f"Kettle KX{n:03d}Q steel") for n in numbers])


def _refreshed(database: Database, index: LivingIndex) -> LivingIndex:
    with database.platform() as tx:
        index.refresh(tx)
    return index


def _holders(index: LivingIndex, piece: str) -> list[str]:
    return sorted(hit.offer_id for hit in index.hits([(piece, 1.0)], 50))


def _ids(*numbers: int) -> list[str]:
    return sorted(offer_id_of("alpha", f"k{n}") for n in numbers)


def test_it_follows_what_is_stored_changed_and_withdrawn(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same answers, whether offers are still beside the folder or in it."""
    for most in (living_index.MOST_RECENT, 3, 0):
        monkeypatch.setattr(living_index, "MOST_RECENT", most)
        _shelf(database, *range(1, 9))
        index = _refreshed(database, LivingIndex(tmp_path / str(most)))
        assert _holders(index, "kettle") == _ids(*range(1, 9))
        assert _holders(index, "kx003q") == _ids(3)
        _shelf(database, *range(1, 8))
        assert _holders(_refreshed(database, index), "kettle") == _ids(*range(1, 8))
        changed = [raw("k3", "Toaster TT3"), *(raw(f"k{n}", f"Kettle K{n}") for n in (1, 2, 4))]
        load(database, "alpha", changed, complete=False)
        _refreshed(database, index)
        assert _holders(index, "kx003q") == []
        assert _holders(index, "toaster") == _ids(3)
        assert len(index) >= 7
        again = _refreshed(database, LivingIndex(tmp_path / str(most)))
        assert _holders(again, "toaster") == _ids(3)
        assert _holders(again, "kettle") == _ids(1, 2, 4, 5, 6, 7)


def test_who_writes_the_folder_does_not_matter(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _shelf(database, 1, 2, 3)
    one, other = LivingIndex(tmp_path), LivingIndex(tmp_path)
    _refreshed(database, one)
    monkeypatch.setattr(living_index, "MOST_RECENT", 1)
    _shelf(database, 1, 2, 4, 5)
    _refreshed(database, other)
    monkeypatch.undo()
    load(database, "alpha", [raw("k1", "Toaster TT1")], complete=False)
    for index in (one, other, one):
        _refreshed(database, index)
        assert _holders(index, "kettle") == _ids(2, 4, 5)
        assert _holders(index, "toaster") == _ids(1)


def test_a_database_brought_back_from_a_copy_is_read_anew(
    database: Database, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(living_index, "MOST_RECENT", 0)
    _shelf(database, *range(1, 9))
    index = _refreshed(database, LivingIndex(tmp_path))
    older = Database(fresh_database(postgres_url))
    merchants(older, "alpha", "beta")
    _shelf(older, 21, 22)
    assert _holders(_refreshed(older, index), "kettle") == _ids(21, 22), "it never came so far"
    _refreshed(database, index)
    longer = Database(fresh_database(postgres_url))
    merchants(longer, "alpha", "beta")
    _shelf(longer, *range(30, 45))
    assert _holders(_refreshed(longer, index), "kettle") == _ids(*range(30, 45))
    for each in (older, longer):
        each.close()


def test_a_folder_of_titles_read_in_another_way_is_made_again(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(living_index, "MOST_RECENT", 0)
    _shelf(database, 1, 2, 3)
    monkeypatch.setattr(living_index, "_READING", "before")
    old = _refreshed(database, LivingIndex(tmp_path))
    old._stored.write([Held(offer_id_of("alpha", "k1"), ["cauldron"])], (), "before 1 off_x")
    monkeypatch.setattr(living_index, "_READING", "after")
    index = _refreshed(database, LivingIndex(tmp_path))
    assert _holders(index, "cauldron") == []
    assert _holders(index, "kettle") == _ids(1, 2, 3)


def test_an_offer_is_known_as_it_was_last_described(database: Database, tmp_path: Path) -> None:
    """What is read of an offer is kept in the index, and read again when its words change."""
    index = LivingIndex(tmp_path)

    def described(words: str) -> frozenset[str]:
        again = raw("k1", "Kettle KX001Q steel", description=words)
        load(database, "alpha", [again], complete=False)
        (hit,) = _refreshed(database, index).hits([("kx001q", 1.0)], 5)
        return unpacked(hit.reading).features.reading.described

    assert described("quiet pump") == {"quiet", "pump"}
    assert described("glass lid") == {"glass", "lid"}
