"""Answers kept: for a moment, and longer while what they were made from has not changed.

In: a question's key and the state that answers are made from now (None: not known). Out: an answer
that is as good as one made anew. The latest are held as they are, the others as packed JSON, a
thirtieth of the size; of other processes through the shared cache, by key and state.
"""

from __future__ import annotations

import math
import threading
import time
import zlib
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache as once

from pydantic import TypeAdapter, ValidationError

from kernel.cache import Cache
from search_api.answer import Degraded, SearchAnswer
from search_api.answer_json import as_json, with_own_parts

STALE_S = 30.0
"""How long an answer stands in for an engine that is away, since it was last known to be good."""
_AT_HAND = 64
"""Answers held as they are, some 120 kB each."""
_MOST_BYTES = 4 << 20
"""Of packed ones, some 5 kB each with what the log is told of them."""
_QUICKEST = 1
_SHARED_FORM = b"1"


@once
def _answers() -> TypeAdapter[SearchAnswer]:
    """What reads an answer again: made where there is one to read, for it takes its time."""
    return TypeAdapter(SearchAnswer)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the log and whoever asked are told of an answer, without reading it."""

    words: str
    first_position: int
    total: int
    relaxation: str | None
    product_ids: str
    """Parted by blanks: one text takes a fifth of the room."""
    ignored: tuple[str, ...]

    @classmethod
    def of(cls, answer: SearchAnswer) -> Shown:
        """Of an answer as it was made."""
        return cls(
            answer.query,
            (answer.page - 1) * answer.per_page + 1,
            answer.total,
            answer.relaxation.step if answer.relaxation else None,
            " ".join(product.id for product in answer.products),
            answer.ignored,
        )


@dataclass(slots=True)
class Kept:
    """An answer that was made from `state` at `made_at`, and holds no longer than `until` (seconds
    since 1970). One of `answer` and `packed` at least is there."""

    shown: Shown
    state: str | None
    until: float
    answer: SearchAnswer | None
    packed: bytes | None = None
    made_at: float = field(default_factory=time.monotonic)
    good_at: float = 0.0

    @property
    def room(self) -> int:
        """Bytes that it takes while it is packed."""
        return len(self.packed or b"") + 2 * len(self.shown.product_ids) + 1_000

    def read(self) -> SearchAnswer:
        """The answer."""
        answer, packed = self.answer, self.packed
        if answer is not None:
            return answer
        assert packed is not None
        return _answers().validate_json(zlib.decompress(packed))

    def json(
        self, *, query_id: str, ignored: tuple[str, ...], degraded: Degraded | None, took_ms: float
    ) -> bytes:
        """The answer's JSON with what is this asking's own."""
        packed = self.packed
        if packed is None:
            own = replace(
                self.read(), query_id=query_id, ignored=ignored, degraded=degraded, took_ms=took_ms
            )
            return as_json(own)
        return with_own_parts(zlib.decompress(packed), query_id, ignored, degraded, took_ms)

    def pack(self) -> None:
        """Hold it as JSON alone."""
        answer = self.answer
        if answer is not None and self.packed is None:
            self.packed = zlib.compress(as_json(answer), _QUICKEST)
        self.answer = None


class AnswerMemory:
    """The memory of one process and its part of the shared one; threads share it."""

    def __init__(
        self,
        cache: Cache,
        *,
        keep_ms: int,
        unchanged_s: float,
        at_hand: int = _AT_HAND,
        most_bytes: int = _MOST_BYTES,
    ) -> None:
        """`keep_ms` holds for any answer, `unchanged_s` for one whose state is still the same."""
        self._cache = cache
        self._keep_ms, self._unchanged_s = keep_ms, unchanged_s
        self._most_at_hand, self._most_bytes = at_hand, most_bytes
        self._at_hand: OrderedDict[str, Kept] = OrderedDict()
        self._packed: OrderedDict[str, Kept] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def fresh(self, key: str, state: str | None) -> Kept | None:
        """An answer that would be made the same now, else one of the last `keep_ms`."""
        kept = self._held(key)
        if kept is not None and self._is_fresh(kept, state):
            kept.good_at = time.monotonic()
            return kept
        return self._of_others(key, state) if self._cache.shared else None

    def stale(self, key: str) -> tuple[Kept, float] | None:
        """An answer for an engine that is away, with its age in seconds."""
        kept = self._held(key)
        if kept is None or time.time() >= kept.until:
            return None
        age_s = time.monotonic() - max(kept.good_at, kept.made_at)
        return (kept, age_s) if age_s <= STALE_S else None

    def keep(self, key: str, kept: Kept) -> None:
        """Keep an answer that was made from its state, and from nothing else."""
        self._hold(key, kept)
        if self._cache.shared:
            self._share(key, kept)

    def answer_of(self, key: str, kept: Kept) -> SearchAnswer:
        """The answer itself, which is then at hand again."""
        if kept.answer is None:
            kept.answer = kept.read()
            self._hold(key, kept)
        return kept.read()

    def _held(self, key: str) -> Kept | None:
        with self._lock:
            for where in (self._at_hand, self._packed):
                if key in where:
                    where.move_to_end(key)
                    return where[key]
        return None

    def _is_fresh(self, kept: Kept, state: str | None) -> bool:
        if time.time() >= kept.until:
            return False
        age_s = time.monotonic() - kept.made_at
        if age_s * 1000 < self._keep_ms:
            return True
        return state is not None and kept.state == state and age_s < self._unchanged_s

    def _hold(self, key: str, kept: Kept) -> None:
        with self._lock:
            self._let_go(key)
            self._at_hand[key] = kept
            leaving = None
            if len(self._at_hand) > self._most_at_hand:
                leaving = self._at_hand.popitem(last=False)
        # What has no state is over in a moment.
        if leaving is not None and leaving[1].state is not None:
            leaving[1].pack()
            self._hold_packed(*leaving)

    def _hold_packed(self, key: str, kept: Kept) -> None:
        with self._lock:
            if key in self._at_hand:
                return
            self._let_go(key)
            self._packed[key] = kept
            self._bytes += kept.room
            while self._bytes > self._most_bytes:
                self._let_go(next(iter(self._packed)))

    def _let_go(self, key: str) -> None:
        self._at_hand.pop(key, None)
        former = self._packed.pop(key, None)
        if former is not None:
            self._bytes -= former.room

    def _share(self, key: str, kept: Kept) -> None:
        """For the other processes: under its state where it has one, for a moment otherwise."""
        keep_ms = self._keep_ms if kept.state is None else round(self._unchanged_s * 1000)
        keep_ms = min(keep_ms, math.floor((min(kept.until, 2**40) - time.time()) * 1000))
        if keep_ms <= 0 or kept.answer is None:
            return
        packed = zlib.compress(as_json(kept.answer), _QUICKEST)
        if kept.state is not None:
            kept.packed = packed
        head = f"{time.time():.3f} {kept.until:.3f}".encode()
        self._cache.put(_shared(key, kept.state), b"\n".join((head, packed)), keep_ms=keep_ms)

    def _of_others(self, key: str, state: str | None) -> Kept | None:
        """What another process made from the very state that this one would: never of another."""
        found = self._cache.get(_shared(key, state))
        if found is None:
            return None
        try:
            head, packed = found.split(b"\n", 1)
            made_at, until = map(float, head.split(b" "))
            answer = _answers().validate_json(zlib.decompress(packed))
        except (ValueError, ValidationError, zlib.error):
            return None  # of another release
        if time.time() >= until:
            return None
        made = time.monotonic() - max(0.0, time.time() - made_at)
        kept = Kept(Shown.of(answer), state, until, answer, packed, made_at=made)
        self._hold(key, kept)
        return kept


def _shared(key: str, state: str | None) -> str:
    return f"answer:{key}:{state}" if state is not None else f"answer:{key}"


def until_of(answer: SearchAnswer, turns: Iterable[datetime | None]) -> float:
    """Seconds since 1970: the first moment at which time alone makes the answer another one."""
    ends = [datetime.fromisoformat(row.true_until) for row in answer.products if row.true_until]
    ends += [turn for turn in turns if turn is not None]
    return min((end.timestamp() for end in ends), default=math.inf)
