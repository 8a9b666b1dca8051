"""Whose records are worked off next: pushed ones before feeds, nobody for ever."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import numpy as np
import pytest
from numpy.typing import NDArray

from kernel.db import Database, Transaction
from mdm import pending, pipeline
from mdm.match import newcomers
from mdm.raw_offer import RawOffer
from tests.mdm.offers_at_hand import WordEncoder, load, opened, products, raw

SHOPS = ("alpha", "beta", "gamma")


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    yield from opened(postgres_url, *SHOPS)


class _Watched(WordEncoder):
    """Notes which titles are matched together, and does something else in between."""

    def __init__(self, between: Callable[[int], None] = lambda _: None) -> None:
        super().__init__()
        self.turns: list[list[str]] = []
        self._between = between

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.turns.append(sorted(texts))
        self._between(len(self.turns))
        return super().encode(texts)


def _offers(maker: str, count: int, first: int = 0) -> list[RawOffer]:
    return [raw(f"s{n:02d}", f"{maker} Kettle KX{n:03d}Q") for n in range(first, first + count)]


def _titles(offers: Sequence[RawOffer]) -> list[str]:
    return [each.title for each in offers]


def test_a_pushed_offer_goes_ahead_of_a_feed(database: Database) -> None:
    feed, pushed = _offers("Norvalis", 25), _offers("Brantholm", 1)
    load(database, "alpha", feed, match=False)
    load(database, "gamma", pushed, complete=False, match=False)
    encoder = _Watched()
    assert pipeline.match_landed(database, encoder, batch=10) == 26
    assert encoder.turns == [
        _titles(pushed), _titles(feed[:10]), _titles(feed[10:20]), _titles(feed[20:])
    ]  # fmt: skip


def test_what_is_pushed_meanwhile_is_next(database: Database) -> None:
    """Also where its merchant has a feed of its own under way."""
    feed = _offers("Norvalis", 30)
    late = {1: ("gamma", _offers("Brantholm", 1)), 3: ("alpha", _offers("Visorel", 1, first=50))}

    def push(turn: int) -> None:
        if turn in late:
            merchant, offers = late[turn]
            load(database, merchant, offers, complete=False, match=False)

    load(database, "alpha", feed, match=False)
    encoder = _Watched(push)
    pipeline.match_landed(database, encoder, batch=10)
    assert encoder.turns == [
        _titles(feed[:10]), _titles(late[1][1]), _titles(feed[10:20]), _titles(late[3][1]),
        _titles(feed[20:]),
    ]  # fmt: skip
    assert len(products(database)) == 32


def test_who_pushes_much_holds_up_neither_feeds_nor_others(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pending, "FEW", 2)
    much, few, feed = _offers("Norvalis", 9), _offers("Brantholm", 1), _offers("Visorel", 4)
    load(database, "alpha", much, complete=False, match=False)
    load(database, "beta", feed, match=False)
    load(database, "gamma", few, complete=False, match=False)
    encoder = _Watched()
    pipeline.match_landed(database, encoder, batch=8)
    first, second, third = encoder.turns[:3]
    assert first == sorted([*_titles(few), *_titles(much[:2])])
    # All that waits, in the order of the keys: the rest of the pushed ones, and the feed begins.
    assert second == sorted([*_titles(much[2:]), *_titles(feed[:1])])
    assert third == _titles(feed[1:])


def test_what_was_settled_is_pushed_no_more(database: Database) -> None:
    (offer,) = _offers("Norvalis", 1)
    load(database, "alpha", [offer], complete=False)
    with database.platform() as tx:
        tx.exec_driver_sql("UPDATE mdm.raw_offer SET pending = true")
        turn = pending.next_turn(tx, 10, datetime.now(UTC), after_pushed=False)
    assert (len(turn.records), turn.is_pushed) == (1, False)


def test_turns_of_a_feed_are_smaller_once_somebody_pushes(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "WHILE_PUSHED", 3)
    feed = _offers("Norvalis", 24)

    def push(turn: int) -> None:
        if turn == 1:
            load(database, "gamma", _offers("Brantholm", 1), complete=False, match=False)

    load(database, "alpha", feed, match=False)
    encoder = _Watched(push)
    pipeline.match_landed(database, encoder, batch=10)
    # The first is put off.
    assert [len(turn) for turn in encoder.turns] == [10, 1, *[3] * 8]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], None]]:
    """How often a large turn asked whether somebody pushes; what is put here happens before."""
    happens: list[Callable[[], None]] = []

    def somebody_pushes(tx: Transaction) -> bool:
        happens[0]()
        happens.append(happens[0])
        return pending.somebody_pushes(tx)

    monkeypatch.setattr(pipeline, "somebody_pushes", somebody_pushes)
    monkeypatch.setattr(pipeline, "WHILE_PUSHED", 4)
    monkeypatch.setattr(newcomers, "CHUNK", 1)
    return happens


def test_newcomers_of_a_large_turn_are_put_off_while_few_of_them_are_done(
    database: Database, asked: list[Callable[[], None]]
) -> None:
    """What else is in it counts at once: an offer that has gone."""
    stays, goes = _offers("Visorel", 2)
    feed = _offers("Norvalis", 10, first=2)
    load(database, "alpha", [stays, goes])
    load(database, "alpha", [stays, *feed], match=False)
    pushed = _offers("Brantholm", 1)

    def push_at_the_fifth() -> None:
        if len(asked) == 5:
            load(database, "gamma", pushed, complete=False, match=False)

    asked.append(push_at_the_fifth)
    encoder = _Watched()
    taken = pipeline.match_landed(database, encoder, batch=20)
    assert encoder.turns == [
        _titles(feed), _titles(pushed), _titles(feed[:4]), _titles(feed[4:8]), _titles(feed[8:])
    ]  # fmt: skip
    assert taken == 12
    assert set(products(database)) == {"alpha/s00", "gamma/s00", *(f"alpha/{o.sku}" for o in feed)}


@pytest.mark.parametrize(("size", "times"), [(10, 5), (5, 3), (4, 0)])
def test_a_turn_that_is_half_done_or_small_is_not_put_off(
    database: Database, asked: list[Callable[[], None]], size: int, times: int
) -> None:
    """It does not even ask."""
    feed = _offers("Norvalis", size)
    asked.append(lambda: None)
    load(database, "alpha", feed, match=False)
    encoder = _Watched()
    assert pipeline.match_landed(database, encoder, batch=20) == size
    assert encoder.turns == [_titles(feed)]
    assert len(asked) - 1 == times
