"""What shoppers asked and chose, for a brand's own evaluation: no person, no address, no cookie.

In: answered queries and the events that refer to them, in batches. Out: the most frequent queries.
An event counts once, and only for a product at the place where that very query showed it. Rows are
erased after RETENTION_DAYS; words that look like an address or a telephone number are not kept.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from kernel.db import Transaction, advisory_lock, schema_metadata
from kernel.gtin import read_gtin
from kernel.jobs import Job

RETENTION_DAYS = 90
PURGE = Job("tenants.purge_query_log", "tenants", lock="tenants.purge_query_log")
PURGE_EVERY_S = 24 * 3600

EventKind = Literal["click", "offer_out", "add_to_basket"]
Door = Literal["page", "api", "instantsearch"]

_METADATA = schema_metadata("tenants")
_QUERY = sa.Table(
    "logged_query",
    _METADATA,
    sa.Column("brand_id", sa.Text, primary_key=True),
    sa.Column("query_id", sa.Text, primary_key=True),
    sa.Column("asked_at", sa.DateTime(timezone=True)),
    sa.Column("door", sa.Text),
    sa.Column("language", sa.Text),
    sa.Column("words", sa.Text),
    sa.Column("filters", pg.JSONB),
    sa.Column("sort", sa.Text),
    sa.Column("first_position", sa.Integer),
    sa.Column("products", pg.ARRAY(sa.Text)),
    sa.Column("total", sa.Integer),
    sa.Column("relaxation", sa.Text),
    sa.Column("ranking_version", sa.Integer),
)
_EVENT = sa.Table(
    "query_event",
    _METADATA,
    sa.Column("brand_id", sa.Text, primary_key=True),
    sa.Column("query_id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("product_id", sa.Text, primary_key=True),
    sa.Column("offer_id", sa.Text, primary_key=True),
    sa.Column("position", sa.Integer),
    sa.Column("happened_at", sa.DateTime(timezone=True)),
)
# One value for the whole batch: the driver's work does not grow with its rows.
_KEEP = sa.text(
    "INSERT INTO tenants.logged_query "
    "SELECT * FROM json_populate_recordset(NULL::tenants.logged_query, CAST(:rows AS json)) "
    "ON CONFLICT DO NOTHING"
)
_KEY = sa.Table("query_log_key", _METADATA, sa.Column("secret", sa.LargeBinary))

_ADDRESS = re.compile(r"\S*@\S*")
_DIGITS = re.compile(r"\+?\d[\d .()/-]{6,}\d")


@dataclass(frozen=True, slots=True)
class LoggedQuery:
    """One answered query. `products` are the ids shown, the first of them at `first_position`.

    `filters` are the conditions in force, by name; `relaxation` the step of the ladder, if any.
    """

    brand_id: str
    query_id: str
    asked_at: datetime
    door: Door
    language: str
    words: str
    filters: Mapping[str, Any]
    sort: str
    first_position: int
    products: tuple[str, ...]
    total: int
    relaxation: str | None
    ranking_version: int


@dataclass(frozen=True, slots=True)
class QueryEvent:
    """What became of one product of an answer; `position` counts from 1 over the whole list."""

    brand_id: str
    query_id: str
    kind: EventKind
    product_id: str
    position: int
    happened_at: datetime
    offer_id: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """What a batch left behind. `refused` events named no logged query, or another place."""

    queries: int = 0
    events: int = 0
    doubled: int = 0
    refused: int = 0

    def __add__(self, other: Written) -> Written:
        return Written(
            self.queries + other.queries,
            self.events + other.events,
            self.doubled + other.doubled,
            self.refused + other.refused,
        )


@dataclass(frozen=True, slots=True)
class FrequentQuery:
    """Words as most people typed them, how often in the time kept, and how often in vain.

    `in_vain` counts answers that were empty or took a step of the ladder.
    """

    words: str
    count: int
    in_vain: int


def loggable(words: str) -> str:
    """The words without what could name a person: addresses of mail, numbers of telephones.

    A bar code stays: its check digit tells it from a telephone number.
    """
    plain = _ADDRESS.sub(" ", words)
    return " ".join(_DIGITS.sub(_bar_code_only, plain).split())


def _bar_code_only(found: re.Match[str]) -> str:
    digits = found[0]
    return digits if read_gtin(digits).gtin is not None else " "


def write_batch(
    tx: Transaction, queries: Sequence[LoggedQuery], events: Sequence[QueryEvent]
) -> Written:
    """Keep queries, then the events that fit them. Rows of other brands than the transaction's
    are refused by the database. The same batch again changes nothing.
    """
    if queries:
        kept = [replace(query, words=loggable(query.words)) for query in queries]
        tx.execute(_KEEP, {"rows": orjson.dumps(kept).decode()})
    written = Written(queries=len(queries))
    for event in dict.fromkeys(events):
        written += _write_event(tx, event)
    return written


def _write_event(tx: Transaction, event: QueryEvent) -> Written:
    place = sa.literal(event.position, sa.Integer) - _QUERY.c.first_position + 1
    fits = sa.select(sa.literal(True)).where(
        _QUERY.c.brand_id == event.brand_id,
        _QUERY.c.query_id == event.query_id,
        _QUERY.c.products[place] == event.product_id,
    )
    if tx.execute(fits).one_or_none() is None:
        return Written(refused=1)
    insert = pg.insert(_EVENT).values(asdict(event)).on_conflict_do_nothing()
    done = tx.execute(insert.returning(_EVENT.c.position)).one_or_none()
    return Written(doubled=1) if done is None else Written(events=1)


def frequent(
    tx: Transaction,
    brand_id: str,
    language: str,
    limit: int,
    *,
    at_least: int = 1,
    found_only: bool = False,
) -> tuple[FrequentQuery, ...]:
    """The queries asked most in the time kept, first pages only, most frequent first.

    `at_least` leaves out what was asked less often; `found_only` what was never found as typed.
    """
    key = sa.func.lower(_QUERY.c.words)
    count = sa.func.count()
    in_vain = count.filter(sa.or_(_QUERY.c.total == 0, _QUERY.c.relaxation.is_not(None)))
    statement = (
        sa.select(sa.func.mode().within_group(_QUERY.c.words), count, in_vain)
        .where(
            _QUERY.c.brand_id == brand_id,
            _QUERY.c.language == language,
            _QUERY.c.words != "",
            _QUERY.c.first_position == 1,
        )
        .group_by(key)
        .having(count >= at_least)
        .order_by(count.desc(), key)
        .limit(limit)
    )
    if found_only:
        statement = statement.having(in_vain < count)
    return tuple(FrequentQuery(*row) for row in tx.execute(statement))


def purge(tx: Transaction, *, now: datetime | None = None) -> int:
    """Erase what is older than RETENTION_DAYS, events with their queries; answers how many."""
    limit = (now or datetime.now(UTC)) - timedelta(days=RETENTION_DAYS)
    return tx.execute(_QUERY.delete().where(_QUERY.c.asked_at < limit)).rowcount


def signing_key(tx: Transaction) -> bytes:
    """The secret by which every process knows the ids of queries, and from which the key of buyers'
    links is derived; made when first asked. Without it every link that was sent is lost.
    """
    advisory_lock(tx, "tenants.query_log_key")
    secret = tx.execute(sa.select(_KEY.c.secret)).scalar_one_or_none()
    if secret is None:
        secret = secrets.token_bytes(32)
        tx.execute(_KEY.insert().values(secret=secret))
    return bytes(secret)
