"""What the search API asks of the database, and where its log goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from comptoir.installation import Installation
from comptoir.live_stamps import LiveStamps
from comptoir.query_log_writer import QueryLogWriter
from indexer.positions import read_position
from kernel.money import Money
from mdm.argus.reading import Argus, argus_of
from mdm.catalogue import changes_after
from search_api.query_id import QueryIds
from search_api.wiring import Changes, Wiring
from search_api.worth import GradeWorth
from tenants.brand import Brand
from tenants.partner_keys import Partner, partner_of
from tenants.query_log import frequent, signing_key

MOST_FREQUENT = 2_000
ASKED_AT_LEAST = 5
"""A query that fewer have asked is proposed to nobody: it may say more of who asked it."""


def grade_worths(argus: Argus) -> tuple[GradeWorth, ...]:
    """The argus as pages show it; grades of whom too little is known among them."""
    return tuple(
        GradeWorth(
            grade=str(grade),
            value=Money(value.minor, argus.currency) if value else None,
            low=Money(value.low_minor, argus.currency) if value else None,
            high=Money(value.high_minor, argus.currency) if value else None,
            offers=value.offers if value else 0,
            sales=value.sales if value else 0,
        )
        for grade, value in argus.values.items()
    )


def _index_stamp(installation: Installation) -> Callable[[str], str | None]:
    """What each brand's index is answered from: the engine's word, or the database's notes."""
    if installation.settings.elasticsearch_url is None:
        return installation.engine.stamp
    return LiveStamps(installation.database, refresh_s=installation.settings.refresh_s).of


def search_wiring(installation: Installation, log: QueryLogWriter) -> Wiring:
    """The parts of the search API that `search_api` cannot have of itself."""
    database, settings = installation.database, installation.settings
    with database.platform() as tx:
        secret = signing_key(tx)

    def asked_often(brand_id: str, language: str) -> Sequence[tuple[str, int]]:
        with database.brand(brand_id) as tx:
            found = frequent(
                tx, brand_id, language, MOST_FREQUENT, at_least=ASKED_AT_LEAST, found_only=True
            )
        return [(row.words, row.count) for row in found]

    def who(bearer: str) -> Partner | None:
        with database.platform() as tx:
            return partner_of(tx, bearer)

    def position_of(brand_id: str) -> int:
        with database.platform() as tx:
            position = read_position(tx, brand_id)
        return position.position if position is not None else 0

    def changed_after(brand_id: str, since: int, limit: int) -> Changes:
        """Only what the brand's index has taken: what is read there is then never older."""
        with database.platform() as tx:
            position = read_position(tx, brand_id)
            reached = position.position if position is not None else 0
            rows = changes_after(tx, since, limit)
        seen = [row for row in rows if row[0] <= reached]
        complete = len(seen) < limit
        end = max(since, reached) if complete else seen[-1][0]
        return tuple(dict.fromkeys(product_id for _, product_id in seen)), end, complete

    def worth_of(brand: Brand, product_id: str) -> Sequence[GradeWorth]:
        with database.platform() as tx:
            argus = argus_of(tx, product_id, brand.currency, datetime.now(UTC), heard=brand.shows)
        return grade_worths(argus)

    return Wiring(
        cache=installation.cache,
        ids=QueryIds(secret),
        log=log,
        keep_ms=settings.answer_cache_ms,
        unchanged_s=settings.answer_cache_unchanged_s,
        index_stamp=_index_stamp(installation),
        frequent=asked_often,
        partner_of=who,
        changed_after=changed_after,
        index_position=position_of,
        worth_of=worth_of,
        limits=installation.call_limits,
    )
