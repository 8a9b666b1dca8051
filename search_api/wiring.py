"""What the search API gets from outside: memory, ids, a log, and answers that need the database.

`search_api` makes no query itself. The composition root hands these functions in; each has a
stand-in that knows nothing, so that reading works without any of them.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from kernel.cache import Cache, MemoryCache
from search_api.answering import KEEP_MS, UNCHANGED_S, NoLog, QueryLog
from search_api.query_id import QueryIds
from search_api.worth import GradeWorth
from tenants.brand import Brand
from tenants.call_limits import CallLimits
from tenants.partner_keys import Partner

Changes = tuple[tuple[str, ...], int, bool]
"""Ids of products that changed after a position of the change log, the position reached, and
whether that is as far as the brand's index has come.
"""


WorthOf = Callable[[Brand, str], Sequence[GradeWorth] | None]


def _no_worth(brand: Brand, product_id: str) -> Sequence[GradeWorth] | None:
    del brand, product_id
    return None


def _no_frequent(brand_id: str, language: str) -> Sequence[tuple[str, int]]:
    del brand_id, language
    return ()


def _no_partner(bearer: str) -> Partner | None:
    del bearer
    return None


def _no_changes(brand_id: str, position: int, limit: int) -> Changes:
    del brand_id, limit
    return (), position, True


def _no_position(brand_id: str) -> int:
    del brand_id
    return 0


def _own_limits() -> CallLimits:
    return CallLimits(MemoryCache(), secrets.token_bytes(32))


@dataclass(frozen=True, slots=True)
class Wiring:
    """`frequent` answers queries often asked with their counts, for a brand and a language.

    `index_stamp` names what a brand's index is answered from, where not the engine's own word.
    `partner_of` knows a bearer key; `changed_after` and `index_position` read how far the brand's
    index has come in the change log, and what changed up to there. `worth_of` says what a product
    is worth by grade, from the merchants that the brand shows; None where nobody knows.
    """

    cache: Cache = field(default_factory=MemoryCache)
    ids: QueryIds = field(default_factory=lambda: QueryIds(secrets.token_bytes(32)))
    log: QueryLog = field(default_factory=NoLog)
    keep_ms: int = KEEP_MS
    unchanged_s: float = UNCHANGED_S
    index_stamp: Callable[[str], str | None] | None = None
    frequent: Callable[[str, str], Sequence[tuple[str, int]]] = _no_frequent
    partner_of: Callable[[str], Partner | None] = _no_partner
    changed_after: Callable[[str, int, int], Changes] = _no_changes
    index_position: Callable[[str], int] = _no_position
    worth_of: WorthOf = _no_worth
    limits: CallLimits = field(default_factory=_own_limits)
