"""Short memory shared by shop processes, and counters for rate limits: Redis, or this process.

Nothing here is the truth: an entry may be gone at any time, and every caller then does the work
itself. A Redis that is away or slow is left alone for a while and replaced by this process's own
memory, so answers are the same with it, without it and while it dies.
"""

from __future__ import annotations

import logging
import math
import time
from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from redis import Redis

_LOG = logging.getLogger("kernel.cache")


class Cache(Protocol):
    """Two implementations behave the same: `tests/contracts/test_cache.py`."""

    shared: bool
    """Whether other processes see what is put here."""

    def get(self, key: str) -> bytes | None:
        """What was put there, unless its time is over."""

    def put(self, key: str, value: bytes, *, keep_ms: int) -> None:
        """Keep a value for so many milliseconds at most."""

    def wait_s(self, key: str, *, limit: int, per_s: int, times: int = 1) -> int:
        """Count uses of the key (none: only look). 0: within the limit; else the seconds until
        there is room, at most `per_s`.
        """


class MemoryCache:
    """In this process: bounded in entries and bytes, the least recently used go first."""

    shared = False

    def __init__(
        self, *, entries: int = 4_096, most_bytes: int = 32 << 20, counters: int = 32_768
    ) -> None:
        self._entries = entries
        self._counters = counters
        self._most_bytes = most_bytes
        self._kept: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._bytes = 0
        self._counted: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: str) -> bytes | None:
        """What was put there, unless its time is over."""
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                return None
            if found[0] <= time.monotonic():
                self._forget(key)
                return None
            self._kept.move_to_end(key)
            return found[1]

    def put(self, key: str, value: bytes, *, keep_ms: int) -> None:
        """Keep a value; one that alone is larger than the whole memory is not kept."""
        if len(value) > self._most_bytes:
            return
        with self._lock:
            if key in self._kept:
                self._forget(key)
            self._kept[key] = (time.monotonic() + keep_ms / 1000, value)
            self._bytes += len(value)
            while len(self._kept) > self._entries or self._bytes > self._most_bytes:
                self._forget(next(iter(self._kept)))

    def wait_s(self, key: str, *, limit: int, per_s: int, times: int = 1) -> int:
        """Count in the window that began with the first use; whoever calls most stays longest."""
        now = time.monotonic()
        with self._lock:
            ends, used = self._counted.pop(key, (now + per_s, 0))
            if ends <= now:
                ends, used = now + per_s, 0
            used += times
            if used:
                self._counted[key] = (ends, used)
            if len(self._counted) > self._counters:
                self._counted.popitem(last=False)
        return 0 if used <= limit else max(1, math.ceil(ends - now))

    def _forget(self, key: str) -> None:
        self._bytes -= len(self._kept.pop(key)[1])


class _Full:
    """Keys that have to wait, as this process has learnt; the oldest are forgotten first."""

    MOST = 4_096

    def __init__(self) -> None:
        self._until: OrderedDict[str, float] = OrderedDict()
        self._lock = Lock()

    def note(self, key: str, left_s: float) -> None:
        with self._lock:
            self._until[key] = time.monotonic() + left_s
            if len(self._until) > self.MOST:
                self._until.popitem(last=False)

    def wait_s(self, key: str) -> int:
        with self._lock:
            until = self._until.get(key)
            left_s = 0.0 if until is None else until - time.monotonic()
            if left_s > 0:
                return math.ceil(left_s)
            self._until.pop(key, None)
        return 0


class RedisCache:
    """In Redis, under a prefix; for `REST_S` after a failure in this process instead."""

    REST_S = 2.0
    shared = True

    def __init__(self, client: Redis, prefix: str = "comptoir:") -> None:
        self._redis = client
        self._prefix = prefix
        self._own = MemoryCache()
        self._full = _Full()
        self._resting_until = 0.0

    def get(self, key: str) -> bytes | None:
        """What any shop process put there."""
        if not self._resting():
            try:
                found = self._redis.get(self._prefix + key)
                return found if isinstance(found, bytes) else None
            except self._failures() as error:
                self._rest(error)
        return self._own.get(key)

    def put(self, key: str, value: bytes, *, keep_ms: int) -> None:
        """Keep it for every shop process."""
        if not self._resting():
            try:
                self._redis.set(self._prefix + key, value, px=keep_ms)
            except self._failures() as error:
                self._rest(error)
            else:
                return
        self._own.put(key, value, keep_ms=keep_ms)

    def wait_s(self, key: str, *, limit: int, per_s: int, times: int = 1) -> int:
        """Count over all shop processes. Who has to wait costs Redis nothing until then."""
        if not self._resting():
            wait = self._full.wait_s(key)
            if wait:
                return wait
            try:
                used, left_s = self._count(f"{self._prefix}limit:{key}", per_s, times)
            except self._failures() as error:
                self._rest(error)
            else:
                if used > limit:
                    self._full.note(key, left_s)
                return 0 if used <= limit else max(1, math.ceil(left_s))
        return self._own.wait_s(key, limit=limit, per_s=per_s, times=times)

    def _count(self, name: str, per_s: int, times: int) -> tuple[int, float]:
        """Uses in the window, and the seconds that are left of it."""
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.incrby(name, times)
            pipe.expire(name, per_s, nx=True)
            pipe.pttl(name)
            used, _, left_ms = pipe.execute()
        if left_ms > per_s * 1000:
            # Redis keeps ends by the clock of its machine, and that was put back.
            self._redis.expire(name, per_s)
            left_ms = per_s * 1000
        return int(used), max(0, int(left_ms)) / 1000

    def _failures(self) -> tuple[type[Exception], ...]:
        from redis.exceptions import RedisError

        return (RedisError, OSError)

    def _resting(self) -> bool:
        return time.monotonic() < self._resting_until

    def _rest(self, error: Exception) -> None:
        self._resting_until = time.monotonic() + self.REST_S
        _LOG.warning("Redis does not answer, this process's memory is used: %s", error)


def open_cache(redis_url: str | None) -> Cache:
    """The cache that the settings name. Nothing is connected yet; a wrong address fails later,
    and then the same as a Redis that is away.
    """
    if redis_url is None:
        return MemoryCache()
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    # A shopper never waits for an accelerator: it answers at once or it is left alone.
    client = Redis.from_url(
        redis_url,
        socket_timeout=0.1,
        socket_connect_timeout=0.1,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=0,
        max_connections=64,
    )
    return RedisCache(client)
