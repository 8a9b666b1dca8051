"""Answers remembered while an index stays as it is, on both engines: every change ends them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from comptoir.live_stamps import GOOD_FOR_S, LiveStamps
from indexer import positions
from indexer.elasticsearch import ElasticsearchEngine
from indexer.embedded import EmbeddedEngine
from indexer.engine import SearchRequest, SearchResult
from indexer.generations import roll_back
from indexer.rebuild import rebuild
from kernel.cache import Cache, MemoryCache, open_cache
from kernel.db import Database
from kernel.embedding.encoder import Encoder, load_encoder
from mdm.catalogue import log_changes
from search_api.answering import KEEP_MS, Answering, NoLog
from search_api.overview import Overviews
from search_api.query import read_query
from search_api.query_id import QueryIds
from search_api.search import Shop
from tests.conftest import fresh_database
from tests.indexer.indices_at_hand import ENGINES, PRICES, Catalogue, make_catalogue
from tests.redis_server import RedisServer
from tests.redis_server import redis_server as redis_server

ASKED = "lamp qx0003"
OVER_S = GOOD_FOR_S + KEEP_MS / 1000 + 0.1
"""After it no answer may be given that was made before a change which the engine shows."""


@dataclass
class Door:
    """A shop process on a catalogue, which counts what its answers ask the engine."""

    catalogue: Catalogue
    answering: Answering
    stamp: Callable[[str], str | None]
    asked: int = field(default=0, init=False)

    def total(self, text: str = ASKED) -> int | None:
        """Of the first product, in minor units with delivery."""
        brand = self.catalogue.brand
        query = read_query([("q", text)], brand.currency)
        answer = self.answering.answer(query, brand, brand.languages[0], "api")
        assert answer.products, "the product is found"
        first = answer.products[0].from_total
        return first.minor if first is not None else None

    def questions(self, text: str = ASKED) -> int:
        """How often one more asking asks the engine."""
        before = self.asked
        self.total(text)
        return self.asked - before

    def settle(self, text: str = ASKED) -> None:
        """Until the question is answered from memory, whatever time passes."""
        until = time.monotonic() + 60
        self.total(text)
        time.sleep(KEEP_MS / 1000 + 0.02)
        while self.questions(text):
            assert time.monotonic() < until, "answers are never remembered"
            time.sleep(KEEP_MS / 1000 + 0.02)


def open_door(
    catalogue: Catalogue,
    encoder: Encoder,
    *,
    cache: Cache | None = None,
    stamp: Callable[[str], str | None] | None = None,
    **how: Any,
) -> Door:
    """Another process on the same index: its own engine, memory and stamps."""
    held = catalogue.engine
    engine: EmbeddedEngine | ElasticsearchEngine
    if isinstance(held, ElasticsearchEngine):
        engine = ElasticsearchEngine(held.url, prefix=held.prefix)
        stamp = stamp or LiveStamps(catalogue.database, refresh_s=0.5).of
    else:
        assert isinstance(held, EmbeddedEngine)
        engine = EmbeddedEngine(held._generations.root)
        stamp = stamp or engine.stamp
    shop = Shop(engine, encoder, Overviews(engine))
    shop.snapshots.load(catalogue.brand.id)
    shop.overviews.of(catalogue.brand.id)
    made = Answering(
        shop,
        cache=cache or MemoryCache(),
        ids=QueryIds(b"k"),
        log=NoLog(),
        index_stamp=stamp,
        **how,
    )
    door = Door(catalogue, made, stamp)
    search = engine.search

    def counted(brand_id: str, request: SearchRequest) -> SearchResult:
        door.asked += threading.current_thread() is threading.main_thread()
        return search(brand_id, request)

    engine.search = counted  # type: ignore[method-assign]
    return door


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder()


@pytest.fixture(params=ENGINES)
def catalogue(
    request: pytest.FixtureRequest, postgres_url: str, encoder: Encoder, tmp_path: Path
) -> Iterator[Catalogue]:
    yield from made_catalogue(request, request.param, postgres_url, encoder, tmp_path)


@pytest.fixture
def embedded(
    request: pytest.FixtureRequest, postgres_url: str, encoder: Encoder, tmp_path: Path
) -> Iterator[Catalogue]:
    yield from made_catalogue(request, "embedded", postgres_url, encoder, tmp_path)


def made_catalogue(
    request: pytest.FixtureRequest, kind: str, postgres_url: str, encoder: Encoder, folder: Path
) -> Iterator[Catalogue]:
    database = Database(fresh_database(postgres_url))
    made = make_catalogue(request, kind, database, encoder, folder / "search")
    made.land(PRICES)
    made.refresh()
    yield made
    database.close()


def shown_by_engine(catalogue: Catalogue, product_id: str, total: int) -> None:
    """Wait until the engine shows the total."""
    until = time.monotonic() + 30
    while catalogue.totals().get(product_id) != total:
        assert time.monotonic() < until, "the engine does not show the change"
        time.sleep(0.02)


def live(catalogue: Catalogue, index: str) -> None:
    """Switch, and say so, as a rebuild and a roll back do."""
    catalogue.engine.publish(catalogue.brand.id, index)
    with catalogue.database.platform() as tx:
        positions.echo_live(tx, catalogue.brand.id, index)


def test_while_nothing_changes_the_engine_is_not_asked_again(
    catalogue: Catalogue, encoder: Encoder
) -> None:
    door = open_door(catalogue, encoder)
    door.settle()
    for _ in range(3):
        time.sleep(KEEP_MS / 1000 + 0.05)
        assert door.questions() == 0
    assert door.questions("lamp qx0004") > 0, "another question is another answer"


def test_every_accepted_change_ends_what_was_remembered(
    catalogue: Catalogue, encoder: Encoder
) -> None:
    """Along the change log, and ahead of it; both again and again."""
    door = open_door(catalogue, encoder)
    product_id = catalogue.product_ids()[3]
    for place, tell in enumerate((True, False, True)):
        door.settle()
        minor = 20_000 + place
        catalogue.reprice(product_id, minor, tell=tell)
        if tell:
            catalogue.refresh()
        else:
            # Ahead of the log, as the newest changes are while a feed comes in.
            with catalogue.database.platform() as tx:
                log_changes(tx, [catalogue.product_ids()[0]])
            catalogue.work.write_now(catalogue.index, [product_id])
        shown_by_engine(catalogue, product_id, minor + 500)
        time.sleep(OVER_S)
        assert door.total() == minor + 500


def test_an_index_that_goes_and_comes_back_shows_what_it_holds(
    catalogue: Catalogue, encoder: Encoder
) -> None:
    """A rebuild's switch, a switch back, and forward again: what was remembered of the one that
    is live is right, what was remembered of the other is not given."""
    door = open_door(catalogue, encoder)
    product_id, former = catalogue.product_ids()[3], catalogue.index
    before = door.total()
    door.settle()
    catalogue.reprice(product_id, 30_000, tell=False)
    rebuild(catalogue.database, catalogue.engine, encoder, catalogue.brand)
    newer = catalogue.index
    time.sleep(OVER_S)
    assert door.total() == 30_500
    for index, total in ((former, before), (newer, 30_500), (former, before)):
        door.settle()
        live(catalogue, index)
        time.sleep(OVER_S)
        assert door.total() == total


def test_a_roll_back_shows_the_index_gone_back_to(catalogue: Catalogue, encoder: Encoder) -> None:
    door = open_door(catalogue, encoder)
    product_id = catalogue.product_ids()[3]
    rebuild(catalogue.database, catalogue.engine, encoder, catalogue.brand)
    catalogue.reprice(product_id, 40_000)
    catalogue.refresh()
    shown_by_engine(catalogue, product_id, 40_500)
    door.settle()
    catalogue.reprice(product_id, 41_000)
    roll_back(catalogue.work, at_once=True)
    shown_by_engine(catalogue, product_id, 41_500)
    time.sleep(OVER_S)
    assert door.total() == 41_500


def test_where_nobody_can_tell_answers_are_as_old_as_ever(
    embedded: Catalogue, encoder: Encoder
) -> None:
    """No stamp, or nothing to be kept while unchanged: `keep_ms`; and with 0 every one anew."""
    for how in ({"stamp": lambda _: None}, {"unchanged_s": 0}):
        door = open_door(embedded, encoder, **how)  # type: ignore[arg-type]
        door.total()
        assert door.questions() == 0
        time.sleep(KEEP_MS / 1000 + 0.05)
        assert door.questions() > 0
    door = open_door(embedded, encoder, keep_ms=0)
    assert [door.questions() > 0 for _ in range(3)] == [True] * 3


def test_nothing_is_kept_longer_than_its_bound(embedded: Catalogue, encoder: Encoder) -> None:
    door = open_door(embedded, encoder, unchanged_s=1.0)
    door.total()
    time.sleep(KEEP_MS / 1000 + 0.05)
    door.settle()
    time.sleep(1.0)
    assert door.questions() > 0


def test_words_that_are_read_later_end_what_was_answered_without_them(
    embedded: Catalogue, encoder: Encoder
) -> None:
    door, brand_id = open_door(embedded, encoder), embedded.brand.id
    overviews, snapshots = door.answering.shop.overviews, door.answering.shop.snapshots
    door.settle()
    overviews._renewed.load(brand_id)
    snapshots.load(brand_id)
    assert door.questions() == 0, "read again, and the same"
    embedded.land((*PRICES, "300.00"))
    embedded.refresh()
    for read in (overviews._renewed.load, snapshots.load):
        door.settle()
        read(brand_id)
        assert door.questions() > 0


def test_a_process_never_takes_an_answer_of_another_state(
    redis_server: RedisServer, embedded: Catalogue, encoder: Encoder
) -> None:
    """One that lags behind fills the shared memory with what it still sees."""
    cache = open_cache(redis_server.url)
    first, second = (open_door(embedded, encoder, cache=cache) for _ in range(2))
    first.settle()
    assert second.questions() == 0, "answered from Redis"
    time.sleep(KEEP_MS / 1000 + 0.05)
    assert second.questions() == 0, "and held from there on"
    old = first.stamp(embedded.brand.id)
    lagging = open_door(embedded, encoder, cache=cache, stamp=lambda _: old)
    product_id = embedded.product_ids()[3]
    before = lagging.total()
    embedded.reprice(product_id, 50_000)
    embedded.refresh()
    shown_by_engine(embedded, product_id, 50_500)
    time.sleep(KEEP_MS / 1000 + 0.05)
    assert lagging.total() == before, "it does not know better yet"
    assert lagging.questions("lamp qx0004") > 0, "and hands on what it makes"
    assert second.total() == 50_500
    third = open_door(embedded, encoder, cache=cache)
    assert third.total() == 50_500
