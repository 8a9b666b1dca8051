"""Answers remembered for a moment, in this process and in Redis; an engine that goes away or is
slow; the log's bounded queue; limits of rates.
"""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from comptoir.query_log_writer import QueryLogWriter
from indexer.elasticsearch import ElasticsearchEngine
from indexer.embedded import EmbeddedEngine
from indexer.engine import SearchRequest, SearchResult
from kernel.cache import Cache, MemoryCache, RedisCache, open_cache
from kernel.db import Database
from kernel.embedding.encoder import Encoder, load_encoder
from kernel.errors import DomainError
from search_api.answer import SearchAnswer
from search_api.answering import AWAY, Answering, NoLog
from search_api.overview import Overviews
from search_api.query import ShopQuery, read_query
from search_api.query_id import QueryIds
from search_api.search import Shop
from tenants.brand import Brand, brand_from, read_brand_file
from tenants.query_log import LoggedQuery, QueryEvent
from tenants.ranking.document import ranking_document
from tenants.ranking.inheritance import Stated
from tests.indexer.documents import document, offer, upsert
from tests.redis_server import RedisServer
from tests.redis_server import redis_server as redis_server
from tests.search_api.real_shop import BUNDLED


class CountedEngine(EmbeddedEngine):
    """The embedded engine, which counts the questions of answers and can be away.

    What a thread of its own reads beside them, the vocabulary, comes at any time: not counted.
    """

    asked = 0
    away = False

    def search(self, brand_id: str, request: SearchRequest) -> SearchResult:
        if self.away:
            raise DomainError("search_unavailable", "The engine does not answer.", status=503)
        self.asked += threading.current_thread() is threading.main_thread()
        return super().search(brand_id, request)


@pytest.fixture(scope="module")
def brand() -> Brand:
    return brand_from(read_brand_file(BUNDLED / "mirabelle.toml")[0])


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder()


@pytest.fixture
def engine(tmp_path: Path, brand: Brand, encoder: Encoder) -> CountedEngine:
    made = CountedEngine(tmp_path)
    index = made.create(brand.id, model_id="other", dimensions=16)
    made.write(index, [upsert(document("prd_a", "Lampe", language="fr", total=1_000))])
    made.publish(brand.id, index)
    return made


def answering(engine: Any, encoder: Encoder, cache: Cache, keep_ms: int = 300) -> Answering:
    shop = Shop(engine, encoder, Overviews(engine))
    return Answering(shop, cache=cache, ids=QueryIds(b"k"), log=NoLog(), keep_ms=keep_ms)


def plain(answer: SearchAnswer) -> SearchAnswer:
    return replace(answer, query_id="", took_ms=0.0)


def query(text: str = "lampe") -> ShopQuery:
    return read_query([("q", text)], "EUR")


def test_a_hot_query_is_answered_once_and_named_each_time(
    engine: CountedEngine, encoder: Encoder, brand: Brand
) -> None:
    door = answering(engine, encoder, MemoryCache(), keep_ms=60_000)
    first = door.answer(query(), brand, "fr", "api")
    asked = engine.asked
    second = door.answer(query(), brand, "fr", "api")
    assert engine.asked == asked
    assert plain(first) == plain(second)
    assert first.query_id != second.query_id
    for other in (query("lamp"), replace(query(), page=2), replace(query(), sort="newest")):
        before = engine.asked
        door.answer(other, brand, "fr", "api")
        assert engine.asked > before
    before = engine.asked
    door.answer(query(), brand, "de", "api")
    door.answer(query(), replace(brand, revision=2), "fr", "api")
    assert engine.asked >= before + 2
    ignored = read_query([("q", "lampe"), ("sort", "best")], "EUR")
    assert door.answer(ignored, brand, "fr", "api").ignored == ("sort",)
    assert door.answer(query(), brand, "fr", "api").ignored == ()


def test_a_change_is_seen_within_the_time_that_answers_are_kept(
    engine: CountedEngine, encoder: Encoder, brand: Brand
) -> None:
    door = answering(engine, encoder, MemoryCache(), keep_ms=300)
    assert door.answer(query(), brand, "fr", "api").products[0].from_total is not None
    stats = engine.stats(brand.id)
    assert stats is not None
    engine.write(
        stats.index, [upsert(document("prd_a", "Lampe", language="fr", total=900), version=2)]
    )
    until = time.monotonic() + 2
    while time.monotonic() < until:
        total = door.answer(query(), brand, "fr", "api").products[0].from_total
        if total is not None and total.minor == 900:
            return
        time.sleep(0.05)
    pytest.fail("an answer older than two seconds was given")


def test_an_offer_that_has_expired_is_not_given_from_memory(
    engine: CountedEngine, encoder: Encoder, brand: Brand
) -> None:
    expires = time.time() + 5
    ends = datetime.fromtimestamp(expires, UTC).isoformat()
    stats = engine.stats(brand.id)
    assert stats is not None
    short = document(
        "prd_a", "Lampe", language="fr", offers=(offer("darti", 1_000, expires_at=ends),)
    )
    engine.write(stats.index, [upsert(short, version=3)])
    door = answering(engine, encoder, MemoryCache(), keep_ms=60_000)
    first = door.answer(query(), brand, "fr", "api")
    while [row.true_until for row in first.products] != [ends]:  # until the engine shows the write
        assert time.time() < expires, "the engine did not show the offer before it expired"
        time.sleep(0.02)
        door = answering(engine, encoder, MemoryCache(), keep_ms=60_000)
        first = door.answer(query(), brand, "fr", "api")
    assert [row.offer_count for row in first.products] == [1]
    time.sleep(max(0.0, expires - time.time()) + 0.1)
    again = door.answer(query(), brand, "fr", "api")
    assert all(row.best_offer is None for row in again.products)


def test_answers_are_the_same_with_redis_without_it_and_while_it_dies(
    redis_server: RedisServer,
    engine: CountedEngine,
    encoder: Encoder,
    brand: Brand,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(RedisCache, "REST_S", 0.2)
    alone = plain(answering(engine, encoder, MemoryCache(), 0).answer(query(), brand, "fr", "api"))
    one = answering(engine, encoder, open_cache(redis_server.url), 60_000)
    other = answering(engine, encoder, open_cache(redis_server.url), 60_000)
    assert plain(one.answer(query(), brand, "fr", "api")) == alone
    asked = engine.asked
    assert plain(other.answer(query(), brand, "fr", "api")) == alone
    assert engine.asked == asked, "the other process answered from Redis"
    redis_server.kill()
    for door in (one, other):
        for text in ("lampe", "lampe de", "lampe"):
            assert door.answer(query(text), brand, "fr", "api").total >= 0
        assert plain(door.answer(query(), brand, "fr", "api")) == alone
    redis_server.start()
    time.sleep(0.3)
    fresh = answering(engine, encoder, open_cache(redis_server.url), 60_000)
    assert plain(fresh.answer(query(), brand, "fr", "api")) == alone


def test_what_another_release_left_in_redis_is_not_read(
    redis_server: RedisServer, engine: CountedEngine, encoder: Encoder, brand: Brand
) -> None:
    cache = open_cache(redis_server.url)
    first = answering(engine, encoder, cache, 60_000)
    answer = plain(first.answer(query(), brand, "fr", "api"))
    import redis

    client = redis.Redis.from_url(redis_server.url)
    for name in client.keys("comptoir:answer:*"):
        client.set(name, b'{"total": "many"}')
    client.close()
    second = answering(engine, encoder, cache, 60_000)
    assert plain(second.answer(query(), brand, "fr", "api")) == answer


def test_an_engine_that_goes_away_leaves_its_last_answer_which_says_so(
    engine: CountedEngine, encoder: Encoder, brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search_api.answering.AWAY_S", 0.0)
    door = answering(engine, encoder, MemoryCache(), keep_ms=1)
    known = plain(door.answer(query(), brand, "fr", "api"))
    engine.away = True
    time.sleep(0.01)
    stale = door.answer(query(), brand, "fr", "api")
    assert stale.degraded is not None
    assert stale.degraded.reason == "search_unavailable"
    assert plain(replace(stale, degraded=None)) == known
    written = orjson.loads(door.written(query(), brand, "fr", "api"))
    assert written["degraded"]["reason"] == "search_unavailable"
    assert [row["id"] for row in written["products"]] == [row.id for row in known.products]
    with pytest.raises(DomainError) as refusal:
        door.answer(query("never asked"), brand, "fr", "api")
    assert refusal.value.status == 503
    engine.away = False
    time.sleep(0.01)
    assert door.answer(query(), brand, "fr", "api").degraded is None


def test_how_is_ranked_is_told_while_the_engine_is_away(
    engine: CountedEngine, encoder: Encoder, brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long: the last state of the catalogue that is known is told with its date."""
    monkeypatch.setattr("search_api.overview.AT_MOST_S", 0.0)
    shop = Shop(engine, encoder, Overviews(engine))
    told = shop.ranking(brand, "fr")
    engine.away = True
    assert shop.ranking(brand, "fr") == told
    with pytest.raises(DomainError):
        shop.home(brand, "fr")


def test_an_engine_that_never_answers_is_given_up_on(encoder: Encoder, brand: Brand) -> None:
    """A server that accepts and says nothing costs a bounded time and ends in a refusal."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(50)
        engine = ElasticsearchEngine(f"http://127.0.0.1:{silent.getsockname()[1]}")
        door = answering(engine, encoder, MemoryCache())
        begun = time.monotonic()
        with pytest.raises(DomainError) as refusal:
            door.answer(query(), brand, "fr", "api")
        engine.close()
    assert (refusal.value.code, refusal.value.status) == ("search_unavailable", 503)
    assert time.monotonic() - begun < 60


def logged(number: int) -> LoggedQuery:
    return LoggedQuery(
        brand_id="mirabelle", query_id=f"w{number}", asked_at=datetime.now(UTC), door="api",
        language="fr", words="lampe", filters={}, sort="relevance", first_position=1,
        products=("prd_a",), total=1, relaxation=None, ranking_version=1,
    )  # fmt: skip


def test_the_log_is_bounded_and_counts_what_it_drops(database: Database) -> None:
    writer = QueryLogWriter(database, most_waiting=10)
    taken = [writer.asked(logged(number)) for number in range(50)]
    assert 10 <= taken.count(True) < 50
    assert writer.dropped == taken.count(False)
    writer.close()
    assert writer.written.queries == taken.count(True)
    event = QueryEvent("mirabelle", "w0", "click", "prd_a", 1, datetime.now(UTC))
    again = QueryLogWriter(database)
    assert again.happened(event)
    again.close()
    assert again.written.events == 1


def test_a_database_that_is_away_costs_events_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("comptoir.query_log_writer.EVERY_S", 0.01)
    writer = QueryLogWriter(Database("postgresql://nobody@127.0.0.1:1/none"))
    assert writer.asked(logged(1))
    writer.close()
    assert writer.dropped == 1
    assert writer.written.queries == 0


def test_a_rule_with_a_date_begins_and_ends_though_the_answer_was_remembered(
    engine: CountedEngine, encoder: Encoder, brand: Brand
) -> None:
    """Nothing else changes: only time does."""
    now = datetime.now(UTC)
    begins, ends = now + timedelta(seconds=3), now + timedelta(seconds=6)
    rule = {"id": "gone", "kind": "hide", "target": {"products": ["prd_a"]},
            "valid_from": begins.isoformat(), "valid_to": ends.isoformat()}  # fmt: skip
    document = ranking_document({"rules": [rule]})
    ruled = brand.with_rankings([Stated("brand", None, document, 5, now)])
    door = answering(engine, encoder, MemoryCache(), keep_ms=60_000)
    shown = {}
    for name, until in (("before", now), ("within", begins), ("after", ends)):
        time.sleep(max(0.0, (until - datetime.now(UTC)).total_seconds()) + 0.05)
        answers = [door.answer(query(), ruled, "fr", "api") for _ in range(2)]
        shown[name] = [[row.id for row in answer.products] for answer in answers]
    assert shown == {"before": [["prd_a"]] * 2, "within": [[]] * 2, "after": [["prd_a"]] * 2}


def test_who_has_a_former_answer_does_not_wait_for_an_engine_that_is_away(
    engine: CountedEngine, encoder: Encoder, brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = answering(engine, encoder, MemoryCache(), keep_ms=1)
    door.answer(query(), brand, "fr", "api")
    time.sleep(0.01)
    waited, search = [], engine.search

    def away(brand_id: str, request: SearchRequest) -> SearchResult:
        if threading.current_thread() is threading.main_thread():
            waited.append(brand_id)
        return search(brand_id, request)

    monkeypatch.setattr(engine, "search", away)
    monkeypatch.setattr("search_api.answering.AWAY_S", 60.0)
    engine.away = True
    answers = [door.answer(query(), brand, "fr", "api") for _ in range(20)]
    assert all(each.degraded and each.degraded.reason == AWAY for each in answers)
    assert len(waited) == 1
    with pytest.raises(DomainError):
        door.answer(query("never asked"), brand, "fr", "api")
    assert len(waited) == 2, "without a former answer it is asked"
    door._away_until[brand.id] = time.monotonic()
    assert [bool(door.answer(query(), brand, "fr", "api").degraded) for _ in range(5)] == [True] * 5
    assert len(waited) == 3, "one of them asks whether it is back"
    engine.away = False
    door._away_until[brand.id] = time.monotonic()
    assert door.answer(query(), brand, "fr", "api").degraded is None
    assert not door._away_until
