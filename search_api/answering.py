"""Every answer to a query goes through here: remembered for a while, given an id, logged.

A hot query is answered once for each brand, revision, ranking version and language while the index
stays as it is (`unchanged_s` at most), and once in `keep_ms` where it changes or nobody can tell.
When the engine fails, an answer of the last half minute is given again and says so. Logging never
waits.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from kernel.cache import Cache
from kernel.errors import DomainError
from search_api.answer import Degraded, SearchAnswer
from search_api.answer_memory import AnswerMemory, Kept, Shown, until_of
from search_api.query import ShopQuery, address
from search_api.query_id import QueryIds
from search_api.search import Shop
from tenants.brand import Brand
from tenants.query_log import Door, LoggedQuery, QueryEvent

KEEP_MS = 300
UNCHANGED_S = 60.0
AWAY = "search_unavailable"
"""What an engine is refused with that gives no answer, for which it may take some seconds."""
AWAY_S = 2.0


class QueryLog(Protocol):
    """Where queries and events go. Both methods return at once; False: full, not kept, counted."""

    def asked(self, query: LoggedQuery) -> bool: ...
    def happened(self, event: QueryEvent) -> bool: ...


class NoLog:
    """Keeps nothing: for the command line and for tests."""

    def asked(self, query: LoggedQuery) -> bool:
        """Not kept."""
        del query
        return True

    def happened(self, event: QueryEvent) -> bool:
        """Not kept."""
        del event
        return True


@dataclass(frozen=True, slots=True)
class _Found:
    """An answer as it was made or kept, before it is given its own id."""

    key: str
    kept: Kept
    degraded: Degraded | None = None


@dataclass(frozen=True, slots=True)
class _Own:
    """What each asking has of its own, whoever asked the same before."""

    query_id: str
    ignored: tuple[str, ...]
    took_ms: float


class Answering:
    """The one way from a query to its answer, for pages and for programs."""

    def __init__(
        self,
        shop: Shop,
        *,
        cache: Cache,
        ids: QueryIds,
        log: QueryLog,
        keep_ms: int = KEEP_MS,
        unchanged_s: float = UNCHANGED_S,
        index_stamp: Callable[[str], str | None] | None = None,
    ) -> None:
        """`index_stamp` names what a brand's questions are answered from, where the engine cannot
        (`indexer.engine.Reading.stamp`)."""
        self.shop = shop
        self.ids = ids
        self.log = log
        self._keep_ms, self._unchanged_s = keep_ms, unchanged_s
        self._memory = AnswerMemory(cache, keep_ms=keep_ms, unchanged_s=unchanged_s)
        self._index_stamp = index_stamp or shop.engine.stamp
        self._away_until: dict[str, float] = {}

    def answer(
        self,
        query: ShopQuery,
        brand: Brand,
        language: str,
        door: Door,
        *,
        explain: bool = False,
        logged: bool = True,
    ) -> SearchAnswer:
        """The answer with an id of its own. DomainError 503 where the engine gives none.

        `logged` False is for questions that no person asks: counts for a facet's own list.
        """
        started = time.perf_counter()
        found = self._found(query, brand, language, explain=explain)
        answer = self._memory.answer_of(found.key, found.kept)
        own = self._own(found, query, brand, started)
        if logged:
            self.log.asked(_logged(found.kept.shown, own.query_id, query, brand, language, door))
        return replace(
            answer,
            query_id=own.query_id,
            ignored=own.ignored,
            degraded=found.degraded,
            took_ms=own.took_ms,
        )

    def written(
        self, query: ShopQuery, brand: Brand, language: str, door: Door, *, explain: bool = False
    ) -> bytes:
        """As `answer`, as JSON: one that is kept so is not read and written again."""
        started = time.perf_counter()
        found = self._found(query, brand, language, explain=explain)
        own = self._own(found, query, brand, started)
        self.log.asked(_logged(found.kept.shown, own.query_id, query, brand, language, door))
        return found.kept.json(
            query_id=own.query_id,
            ignored=own.ignored,
            degraded=found.degraded,
            took_ms=own.took_ms,
        )

    def _own(self, found: _Found, query: ShopQuery, brand: Brand, started: float) -> _Own:
        return _Own(
            self.ids.new(brand.id),
            tuple(dict.fromkeys((*query.ignored, *found.kept.shown.ignored))),
            round((time.perf_counter() - started) * 1000, 1),
        )

    def _found(self, query: ShopQuery, brand: Brand, language: str, *, explain: bool) -> _Found:
        plain = replace(query, ignored=())
        key = _key(plain, brand, language, self.shop.encoder.model_id)
        if explain or not self._keep_ms:
            return _Found(key, self._made(plain, brand, language, None, explain=explain))
        state = self._state(brand)
        kept = self._memory.fresh(key, state)
        if kept is not None:
            return _Found(key, kept)
        stood_in = self._stood_in(key, AWAY) if self._is_away(brand.id) else None
        if stood_in is not None:
            return stood_in
        try:
            made = self._made(plain, brand, language, state)
        except DomainError as error:
            if error.code == AWAY:
                self._away_until[brand.id] = time.monotonic() + AWAY_S
            stood_in = self._stood_in(key, error.code) if error.status == 503 else None
            if stood_in is None:
                raise
            return stood_in
        self._away_until.pop(brand.id, None)
        self._memory.keep(key, made)
        return _Found(key, made)

    def _is_away(self, brand_id: str) -> bool:
        """Whether the engine has just given no answer: then who has a former one need not wait for
        it as well. One in AWAY_S asks whether it is back."""
        until, now = self._away_until.get(brand_id), time.monotonic()
        if until is None or now < until:
            return until is not None
        self._away_until[brand_id] = now + AWAY_S
        return False

    def _stood_in(self, key: str, reason: str) -> _Found | None:
        """A former answer that says what it is."""
        stale = self._memory.stale(key)
        if stale is None:
            return None
        kept, age_s = stale
        return _Found(key, kept, Degraded(reason=reason, age_s=round(age_s, 1)))

    def _made(
        self,
        query: ShopQuery,
        brand: Brand,
        language: str,
        state: str | None,
        *,
        explain: bool = False,
    ) -> Kept:
        """Made anew. Its state is the one before it, if nothing has changed while it was made: then
        all its parts were read from that, even where a state comes back later."""
        begun, now = time.monotonic(), datetime.now(UTC)
        answer = self.shop.search(query, brand, language, explain=explain)
        if state is not None and self._state(brand) != state:
            state = None
        turn = brand.ranking_profile(language).next_turn(now)
        return Kept(Shown.of(answer), state, until_of(answer, [turn]), answer, made_at=begun)

    def _state(self, brand: Brand) -> str | None:
        """What answers of the brand are made from beside what `_key` names; None: not known."""
        if not self._unchanged_s:
            return None
        try:
            stamp = self._index_stamp(brand.id)
        except DomainError:
            return None  # the search says it better
        known = self.shop.known(brand.id)
        if stamp is None or known is None:
            return None
        return hashlib.blake2b(f"{stamp} {known}".encode(), digest_size=16).hexdigest()


def _key(query: ShopQuery, brand: Brand, language: str, model_id: str) -> str:
    """Everything an answer depends on but the catalogue, which `Answering._state` names."""
    parts = (
        model_id,
        brand.id,
        str(brand.revision),
        brand.ranking_profile(language).stamp,
        language,
        address(query, language),
        ",".join(query.facets) if query.facets is not None else "*",
        str(query.facet_size),
    )
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def _logged(
    shown: Shown, query_id: str, query: ShopQuery, brand: Brand, language: str, door: Door
) -> LoggedQuery:
    return LoggedQuery(
        brand_id=brand.id,
        query_id=query_id,
        asked_at=datetime.now(UTC),
        door=door,
        language=language,
        words=shown.words,
        filters=_conditions(query),
        sort=query.sort,
        first_position=shown.first_position,
        products=tuple(shown.product_ids.split()),
        total=shown.total,
        relaxation=shown.relaxation,
        ranking_version=brand.ranking_profile(language).version,
    )


def _conditions(query: ShopQuery) -> dict[str, Any]:
    """The filters in force, without the empty ones."""
    stated: dict[str, Any] = {
        "category": list(query.categories),
        "manufacturer": list(query.manufacturers),
        "merchant": list(query.merchants),
        "availability": list(query.availabilities),
        "price_min": query.price_min,
        "price_max": query.price_max,
    }
    return {name: value for name, value in stated.items() if value not in ([], None)}
