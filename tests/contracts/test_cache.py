"""Both caches do the same, also while Redis dies and when it is back."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

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
