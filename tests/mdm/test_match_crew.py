"""What several processes match is what one does; one that dies is done without; none is left."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Collection, Iterator, Mapping, Sequence
from multiprocessing import active_children
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kernel.db import Database
from mdm import match_crew, pipeline
from mdm.match import bundles, newcomers
from mdm.match.decision import NOTHING_RULED, Ruled
from mdm.match.living_catalogue import EmptyCatalogue, LivingOffer
from mdm.match.scoring import Run, Scoring
from mdm.match.term_index import TermIndex
from mdm.raw_offer import RawOffer
from mdm.stored_catalogue import StoredCatalogue
from tests.killed_parent import children_left_alone, wait_until_ended
from tests.mdm.offers_at_hand import WordEncoder, load, opened, raw, snapshot

SHOPS = ("alpha", "beta", "gamma")
WORDS = ("{code} kettle steel Norvalis", "Norvalis Kettle {code}", "kettle {code} Norvalis 2 l")

PARENT = """
import sys, time
from pathlib import Path
import numpy as np
from mdm import match_crew
from mdm.match.living_catalogue import EmptyCatalogue
from mdm.match.newcomers import Newcomer, match_newcomers
from mdm.match.term_index import TermIndex
match_crew.ALONE_BELOW = 0
if __name__ == "__main__":
    catalogue = EmptyCatalogue()
    catalogue.index = TermIndex(Path(sys.argv[1]))
    some = [Newcomer(f"off_{n}", "alpha", "new", f"Kettle KX{n}Q", {}) for n in range(4)]
    crew = match_crew.Crew(2)
    match_newcomers(catalogue, some, np.ones((4, 8), dtype=np.float32), crew.begin)
    print(*(hand.process.pid for hand in crew.hands), flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def _shared_from_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match_crew, "ALONE_BELOW", 0)
    monkeypatch.setattr(newcomers, "CHUNK", 5)
    monkeypatch.setattr(newcomers, "_PAIRS", 7)
    monkeypatch.setattr(bundles, "LARGE", 5)


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    yield from opened(postgres_url, *SHOPS)


def _feed(shop: int, numbers: Sequence[int]) -> list[RawOffer]:
    codes = {number: f"KX{number * 37 % 1000:03d}Q" for number in numbers}
    return [raw(f"k{each}", WORDS[shop].format(code=code)) for each, code in codes.items()]


def _landed(database: Database, seed: int = 0) -> None:
    """Some products are there, some come with all of their offers."""
    for shop, numbers in ((0, range(12)), (1, range(6, 24)), (2, range(24))):
        offers = _feed(shop, numbers)
        random.Random(seed).shuffle(offers)
        load(database, SHOPS[shop], offers, match=False)
        if shop == 0:
            pipeline.match_landed(database, WordEncoder())


def _matched(database: Database, folder: Path, processes: int) -> list[Any]:
    pipeline.match_landed(database, WordEncoder(), folder=folder, processes=processes)
    assert not _others()
    return snapshot(database)["offers"]


def test_several_match_as_one_does(postgres_url: str, tmp_path: Path) -> None:
    """Products, questions and evidence, in whatever order the feeds came."""
    found = []
    for turn, processes in enumerate((1, 2, 3)):
        for database in opened(postgres_url, *SHOPS):
            _landed(database, turn)
            found.append(_matched(database, tmp_path / str(turn), processes))
    assert found[0] == found[1] == found[2]
    products = {row[1] for row in found[0]}
    assert (len(found[0]), len(products)) == (54, 24)


def _others() -> list[BaseProcess]:
    return [each for each in active_children() if each.name == match_crew.NAME]


class _Watched(StoredCatalogue):
    """At the first question something happens; then it is answered."""

    def products(self, offer_ids: Collection[str]) -> Mapping[str, str]:
        _look()
        return super().products(offer_ids)

    def around(
        self, product_ids: Collection[str], offer_ids: Collection[str]
    ) -> tuple[Sequence[LivingOffer], Ruled]:
        _look()
        return super().around(product_ids, offer_ids)


def _look() -> None:
    if not seen:
        seen.append(len(_others()))
        happens()


seen: list[int] = []


def happens() -> None:
    """Replaced by each test."""


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> None:
    seen.clear()
    monkeypatch.setattr(pipeline, "StoredCatalogue", _Watched)


@pytest.mark.usefixtures("watched")
def test_one_that_dies_is_done_without(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for turn, dies in enumerate((False, True)):
        for database in opened(postgres_url, *SHOPS):
            _landed(database)
            seen.clear()
            monkeypatch.setitem(globals(), "happens", _kill_one if dies else happens)
            found.append(_matched(database, tmp_path / str(turn), 2))
            assert seen == [2]
    assert found[0] == found[1]


def _kill_one() -> None:
    os.kill(_others()[0].pid or 0, signal.SIGKILL)


@pytest.mark.usefixtures("watched")
def test_an_error_ends_all_and_nothing_is_half_written(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C too; the next run does it all."""
    _landed(database)
    before = snapshot(database)

    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setitem(globals(), "happens", interrupted)
    seen.clear()
    with pytest.raises(KeyboardInterrupt):
        _matched(database, tmp_path, 2)
    assert seen == [2]
    assert not _others()
    assert snapshot(database) == before
    assert len(_matched(database, tmp_path, 2)) == 54


def test_a_run_that_is_put_off_costs_no_process_and_is_done_as_ever(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "WHILE_PUSHED", 0)
    hands: list[set[int | None]] = []

    def at_the_third(_: object) -> bool:
        hands.append({each.pid for each in _others()})
        return len(hands) == 3

    found = []
    for turn, somebody_pushes in enumerate((lambda _: False, at_the_third)):
        monkeypatch.setattr(pipeline, "somebody_pushes", somebody_pushes)
        for database in opened(postgres_url, *SHOPS):
            _landed(database)
            hands.clear()
            found.append(_matched(database, tmp_path / str(turn), 2))
    assert found[0] == found[1]
    assert len(hands) > 3
    assert all(each == hands[0] and len(each) == 2 for each in hands)


def test_what_fails_in_another_process_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with match_crew.Crew(2) as crew:
        catalogue = EmptyCatalogue()
        monkeypatch.setattr(catalogue, "index", TermIndex(tmp_path))
        # Vectors of other titles than these.
        run = Run([], np.zeros((3, 8), dtype=np.float32), {}, NOTHING_RULED)
        share = crew.begin(catalogue, run)
        with pytest.raises(RuntimeError, match="a matching process failed"):
            list(share.each(Scoring.ambiguous, [None]))
        assert not crew.hands


def test_few_offers_start_no_process(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(match_crew, "ALONE_BELOW", 1_000)
    monkeypatch.setattr(match_crew.Crew, "open", None)
    _landed(database)
    assert len(_matched(database, tmp_path, 2)) == 54


def test_none_outlives_a_parent_that_is_killed(tmp_path: Path) -> None:
    program = tmp_path / "parent.py"
    program.write_text(PARENT)
    children = children_left_alone(str(program), str(tmp_path / "index"))
    assert len(children) == 2
    wait_until_ended(children)
