"""Every answer to a query goes through here: remembered for a moment, given an id, logged.

A hot query is answered once in `keep_ms` for each brand, revision, ranking version and language,
so an answer is never older than that. When the engine fails, an answer of the last STALE_S is
given again and says so. Logging never waits.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from threading import Lock
from typing import Any, Protocol

from pydantic import TypeAdapter, ValidationError

from kernel.cache import Cache
from kernel.errors import DomainError
from search_api.answer import Degraded, SearchAnswer
from search_api.answer_json import as_json
from search_api.query import ShopQuery, address
from search_api.query_id import QueryIds
from search_api.search import Shop
from tenants.brand import Brand
from tenants.query_log import Door, LoggedQuery, QueryEvent

KEEP_MS = 300
STALE_S = 30.0
_MOST_REMEMBERED = 256


@cache
def _answers() -> TypeAdapter[SearchAnswer]:
    """What reads an answer of another process: made where there is one, for it takes its time."""
    return TypeAdapter(SearchAnswer)


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
class _Remembered:
    made_at: float
    answer: SearchAnswer


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
    ) -> None:
        self.shop = shop
        self.ids = ids
        self.log = log
        self._cache = cache
        self._keep_ms = keep_ms
        self._remembered: OrderedDict[str, _Remembered] = OrderedDict()
        self._lock = Lock()

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
        answer = replace(
            found,
            query_id=self.ids.new(brand.id),
            ignored=tuple(dict.fromkeys((*query.ignored, *found.ignored))),
            took_ms=round((time.perf_counter() - started) * 1000, 1),
        )
        if logged:
            self.log.asked(_logged(answer, query, brand, language, door))
        return answer

    def _found(
        self, query: ShopQuery, brand: Brand, language: str, *, explain: bool
    ) -> SearchAnswer:
        plain = replace(query, ignored=())
        if explain or not self._keep_ms:
            return self.shop.search(plain, brand, language, explain=explain)
        key = _key(plain, brand, language)
        held = self._held(key)
        if held is not None:
            return held
        try:
            made = self.shop.search(plain, brand, language)
        except DomainError as error:
            stale = self._stale(key) if error.status == 503 else None
            if stale is None:
                raise
            age = round(time.monotonic() - stale.made_at, 1)
            return replace(stale.answer, degraded=Degraded(reason=error.code, age_s=age))
        self._remember(key, made)
        return made

    def _held(self, key: str) -> SearchAnswer | None:
        """An answer that still counts as fresh: of this process, else of another."""
        with self._lock:
            own = self._remembered.get(key)
        if own is not None and (time.monotonic() - own.made_at) * 1000 < self._keep_ms:
            return own.answer if _still_true(own.answer) else None
        if not self._cache.shared:
            return None
        kept = self._cache.get(f"answer:{key}")
        if kept is None:
            return None
        try:
            answer = _answers().validate_json(kept)
        except ValidationError:
            return None  # of another release
        return answer if _still_true(answer) else None

    def _stale(self, key: str) -> _Remembered | None:
        with self._lock:
            own = self._remembered.get(key)
        if own is None or time.monotonic() - own.made_at > STALE_S or not _still_true(own.answer):
            return None
        return own

    def _remember(self, key: str, answer: SearchAnswer) -> None:
        with self._lock:
            self._remembered[key] = _Remembered(time.monotonic(), answer)
            self._remembered.move_to_end(key)
            if len(self._remembered) > _MOST_REMEMBERED:
                self._remembered.popitem(last=False)
        if self._cache.shared:
            self._cache.put(f"answer:{key}", as_json(answer), keep_ms=self._keep_ms)


def _key(query: ShopQuery, brand: Brand, language: str) -> str:
    """Everything an answer depends on, except the catalogue, which time takes care of."""
    parts = (
        brand.id,
        str(brand.revision),
        brand.ranking_profile(language).stamp,
        language,
        address(query, language),
        ",".join(query.facets) if query.facets is not None else "*",
        str(query.facet_size),
    )
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def _still_true(answer: SearchAnswer) -> bool:
    """Whether no offer of the answer has expired since it was made."""
    now = datetime.now(UTC)
    return all(
        product.true_until is None or datetime.fromisoformat(product.true_until) > now
        for product in answer.products
    )


def _logged(
    answer: SearchAnswer, query: ShopQuery, brand: Brand, language: str, door: Door
) -> LoggedQuery:
    return LoggedQuery(
        brand_id=brand.id,
        query_id=answer.query_id,
        asked_at=datetime.now(UTC),
        door=door,
        language=language,
        words=answer.query,
        filters=_conditions(query),
        sort=query.sort,
        first_position=(answer.page - 1) * answer.per_page + 1,
        products=tuple(product.id for product in answer.products),
        total=answer.total,
        relaxation=answer.relaxation.step if answer.relaxation else None,
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
