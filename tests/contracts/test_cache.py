"""Both caches do the same, also while Redis dies and when it is back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from kernel.cache import Cache, MemoryCache, RedisCache, open_cache
from tests.redis_server import RedisServer
from tests.redis_server import redis_server as redis_server


@pytest.fixture(params=["memory", "redis"])
def cache(request: pytest.FixtureRequest) -> Iterator[Cache]:
    if request.param == "memory":
        yield open_cache(None)
        return
    yield open_cache(request.getfixturevalue("redis_server").url)


def test_an_entry_lives_for_its_time(cache: Cache) -> None:
    assert cache.get("a") is None
    cache.put("a", b"\0one", keep_ms=60_000)
    cache.put("b", b"", keep_ms=60_000)
    cache.put("c", b"short", keep_ms=20)
    assert (cache.get("a"), cache.get("b")) == (b"\0one", b"")
    time.sleep(0.05)
    assert cache.get("c") is None
    cache.put("a", b"two", keep_ms=60_000)
    assert cache.get("a") == b"two"


def test_uses_are_counted_by_key_and_window(cache: Cache) -> None:
    waits = [cache.wait_s("k", limit=3, per_s=60) for _ in range(5)]
    assert waits[:3] == [0, 0, 0]
    assert all(1 <= wait <= 60 for wait in waits[3:])
    assert cache.wait_s("other", limit=3, per_s=60) == 0
    assert [cache.wait_s("s", limit=1, per_s=1) for _ in range(2)] == [0, 1]
    time.sleep(1.1)
    assert cache.wait_s("s", limit=1, per_s=1) == 0


def test_looking_counts_nothing_and_one_call_may_count_for_several(cache: Cache) -> None:
    assert [cache.wait_s("l", limit=0, per_s=60, times=0) for _ in range(3)] == [0, 0, 0]
    assert cache.wait_s("l", limit=3, per_s=60, times=3) == 0
    assert cache.wait_s("l", limit=3, per_s=60, times=0) == 0
    assert cache.wait_s("l", limit=2, per_s=60, times=0) > 0
    assert cache.wait_s("l", limit=3, per_s=60) > 0


def test_who_waits_as_long_as_is_said_has_room(cache: Cache) -> None:
    """Rounded up: whoever comes when it was told to is not refused again."""
    assert cache.wait_s("w", limit=1, per_s=2) == 0
    time.sleep(0.6)
    wait = cache.wait_s("w", limit=1, per_s=2)
    assert wait == 2
    time.sleep(wait)
    assert cache.wait_s("w", limit=1, per_s=2) == 0


def test_twenty_at_once_are_counted_exactly(cache: Cache) -> None:
    with ThreadPoolExecutor(20) as pool:
        waits = list(pool.map(lambda _: cache.wait_s("t", limit=50, per_s=60), range(200)))
    assert waits.count(0) == 50


def test_the_wall_clock_is_not_looked_at(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache.wait_s("j", limit=1, per_s=60) == 0
    for jump in (-86_400, 86_400):
        now = time.time() + jump
        monkeypatch.setattr(time, "time", lambda now=now: now)
        assert 1 <= cache.wait_s("j", limit=1, per_s=60) <= 60


def test_a_clock_of_redis_that_was_put_back_locks_nobody_out(redis_server: RedisServer) -> None:
    cache = open_cache(redis_server.url)
    client = Redis.from_url(redis_server.url)
    assert cache.wait_s("k", limit=1, per_s=60) == 0
    client.expire("comptoir:limit:k", 86_400)
    assert cache.wait_s("k", limit=1, per_s=60) == 60
    assert client.ttl("comptoir:limit:k") <= 60


def test_who_waits_costs_redis_nothing(redis_server: RedisServer) -> None:
    cache = open_cache(redis_server.url)
    client = Redis.from_url(redis_server.url)
    waits = [cache.wait_s("k", limit=1, per_s=60) for _ in range(50)]
    assert waits.count(0) == 1
    assert client.get("comptoir:limit:k") == b"2"


def test_counters_are_bounded_and_the_busiest_stays() -> None:
    small = MemoryCache(counters=100)
    assert small.wait_s("busy", limit=1_000, per_s=60) == 0
    for n in range(10_000):
        small.wait_s(f"k{n}", limit=1, per_s=60)
        small.wait_s("busy", limit=20_000, per_s=60)
    assert len(small._counted) <= 100
    assert small.wait_s("busy", limit=10_000, per_s=60) > 0


def test_memory_is_bounded() -> None:
    small = MemoryCache(entries=10, most_bytes=1_000)
    for n in range(100):
        small.put(f"k{n}", b"x" * 10, keep_ms=60_000)
        small.wait_s(f"k{n}", limit=1, per_s=60)
    assert [small.get(f"k{n}") is not None for n in (0, 89, 90, 99)] == [False, False, True, True]
    small.put("huge", b"x" * 2_000, keep_ms=60_000)
    assert small.get("huge") is None
    small.put("large", b"x" * 950, keep_ms=60_000)
    assert small.get("large") is not None
    assert small.get("k94") is None


def test_a_dead_redis_is_replaced_by_the_process_and_taken_up_again(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RedisCache, "REST_S", 0.2)
    cache = open_cache(redis_server.url)
    other = open_cache(redis_server.url)
    cache.put("a", b"1", keep_ms=60_000)
    assert other.get("a") == b"1", "processes share it"
    redis_server.kill()
    assert cache.get("a") is None
    cache.put("a", b"2", keep_ms=60_000)
    assert cache.get("a") == b"2"
    assert [cache.wait_s("k", limit=1, per_s=60) > 0 for _ in range(2)] == [False, True]
    redis_server.start()
    time.sleep(0.3)
    cache.put("a", b"3", keep_ms=60_000)
    assert other.get("a") in {None, b"3"}
    time.sleep(0.3)
    assert other.get("a") == b"3"


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "redis://host.invalid:6379/0"])
def test_an_address_that_nobody_answers_costs_little(url: str) -> None:
    cache = open_cache(url)
    cache.put("a", b"1", keep_ms=60_000)
    assert cache.get("a") == b"1"
