"""Terms of sale of the platform, of brands and of merchants: every version kept, none ever changed.

The database refuses UPDATE and DELETE to everybody. A version is in force from a moment that is
never before its publication, so what was in force at any moment of the past stays what it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on, insert

from kernel.db import Prepared, Transaction, schema_metadata
from kernel.errors import DomainError, NotFound

_METADATA = schema_metadata("tenants")
_TERMS = sa.Table(
    "terms",
    _METADATA,
    sa.Column("party", sa.Text, primary_key=True),
    sa.Column("owner_id", sa.Text, primary_key=True),
    sa.Column("language", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("body", sa.Text),
    sa.Column("body_sha256", sa.Text),
    sa.Column("valid_from", sa.DateTime(timezone=True)),
    sa.Column("published_at", sa.DateTime(timezone=True)),
)
_DEPOSIT = sa.Table(
    "terms_deposit",
    _METADATA,
    sa.Column("party", sa.Text, primary_key=True),
    sa.Column("owner_id", sa.Text, primary_key=True),
    sa.Column("language", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("place", sa.Text, primary_key=True),
    sa.Column("receipt", sa.Text),
    sa.Column("deposited_at", sa.DateTime(timezone=True)),
)
_OWNER = (_TERMS.c.party, _TERMS.c.owner_id)
_OWNERS = (
    sa.func.unnest(
        sa.bindparam("parties", type_=ARRAY(sa.Text)), sa.bindparam("owners", type_=ARRAY(sa.Text))
    )
    .table_valued("party", "owner_id")
    .render_derived()
)
_MOMENT = sa.func.coalesce(sa.bindparam("moment", type_=sa.DateTime(timezone=True)), sa.func.now())
_IN_FORCE = Prepared(
    _TERMS.select()
    .ext(distinct_on(*_OWNER))
    .where(
        sa.tuple_(*_OWNER).in_(sa.select(_OWNERS.c.party, _OWNERS.c.owner_id)),
        _TERMS.c.valid_from <= _MOMENT,
    )
    .order_by(
        *_OWNER,
        (_TERMS.c.language == sa.bindparam("wanted_language")).desc(),
        _TERMS.c.version.desc(),
        "language",
    )
)
_KEY = ("party", "owner_id", "language", "version")
PLATFORM_ID = "platform"
MAX_BODY = 1_000_000


class Party(StrEnum):
    """Whose terms they are. The platform has one owner id, `PLATFORM_ID`."""

    PLATFORM = "platform"
    BRAND = "brand"
    MERCHANT = "merchant"


@dataclass(frozen=True, slots=True)
class Terms:
    """One version of somebody's terms; `body` is Markdown, `sha256` is that of its UTF-8 bytes."""

    party: Party
    owner_id: str
    language: str
    version: int
    body: str
    sha256: str
    valid_from: datetime
    published_at: datetime


@dataclass(frozen=True, slots=True)
class Deposit:
    """That a version lies in an archive outside: where, and what the archive answered."""

    place: str
    receipt: str
    deposited_at: datetime


def publish_terms(
    tx: Transaction,
    owner_id: str,
    language: str,
    body: str,
    *,
    party: Party = Party.BRAND,
    valid_from: datetime | None = None,
) -> Terms:
    """Publish a text, in force from a moment to come, else at once.

    The same text as the newest version changes nothing. DomainError `terms_too_large`,
    `terms_in_the_past`, `terms_order` (in force before the newest version is).
    """
    if not body.strip() or len(body) > MAX_BODY:
        raise DomainError("terms_too_large", f"Terms have 1 to {MAX_BODY} characters.")
    digest = hashlib.sha256(body.encode()).hexdigest()
    newest = _newest(tx, party, owner_id, language)
    if newest is not None and newest.sha256 == digest:
        return newest
    now = tx.execute(sa.select(sa.func.now())).scalar_one()
    begins = now if valid_from is None else valid_from
    _refuse_rewriting(newest, begins, now)
    version = 1 if newest is None else newest.version + 1
    made = Terms(party, owner_id, language, version, body, digest, begins, now)
    tx.execute(_TERMS.insert().values(astuple(made)))
    return made


def _refuse_rewriting(newest: Terms | None, begins: datetime, now: datetime) -> None:
    if begins < now:
        raise DomainError(
            "terms_in_the_past",
            "Terms cannot be in force before they are published.",
            hint="Give a moment to come, or none.",
        )
    if newest is not None and begins < newest.valid_from:
        raise DomainError(
            "terms_order",
            f"Version {newest.version} is published already, in force from {newest.valid_from}.",
            hint="A newer version begins with it or after it.",
        )


def terms_in_force(
    tx: Transaction,
    party: Party,
    owner_id: str,
    language: str,
    *,
    at: datetime | None = None,
) -> Terms | None:
    """What is in force (at a moment: was, or will be), in the language if there is such a text."""
    return next(iter(terms_of(tx, [(party, owner_id)], language, at=at)), None)


def current_terms(tx: Transaction, brand_id: str, language: str) -> Terms:
    """The brand's terms in force in the language, else in the one that it published in."""
    found = terms_in_force(tx, Party.BRAND, brand_id, language)
    if found is None:
        raise NotFound(
            "terms_missing",
            f"Brand {brand_id} has no terms of sale.",
            hint="Publish them with `comptoir brand apply FILE`.",
        )
    return found


def terms_of(
    tx: Transaction,
    owners: Sequence[tuple[Party, str]],
    language: str,
    *,
    at: datetime | None = None,
) -> tuple[Terms, ...]:
    """The same of several: of each that has published any, in the order of parties and owners."""
    wanted = {
        "parties": [party.value for party, _ in owners],
        "owners": [owner_id for _, owner_id in owners],
        "wanted_language": language,
        "moment": at,
    }
    return tuple(_terms(row) for row in _IN_FORCE.all(tx, wanted))


def read_terms(
    tx: Transaction, owner_id: str, language: str, version: int, *, party: Party = Party.BRAND
) -> Terms | None:
    """One version, as it was when somebody accepted it."""
    return _one(
        tx,
        _TERMS.select().where(
            _TERMS.c.party == party,
            _TERMS.c.owner_id == owner_id,
            _TERMS.c.language == language,
            _TERMS.c.version == version,
        ),
    )


def list_terms(tx: Transaction) -> list[Terms]:
    """Every version of everybody, by owner and age."""
    rows = tx.execute(_TERMS.select().order_by(*(_TERMS.c[name] for name in _KEY)))
    return [_terms(row) for row in rows]


def undeposited(tx: Transaction, place: str, limit: int) -> list[Terms]:
    """The oldest versions that do not lie in an archive yet."""
    is_there = sa.exists().where(
        _DEPOSIT.c.place == place, *(_DEPOSIT.c[name] == _TERMS.c[name] for name in _KEY)
    )
    statement = _TERMS.select().where(~is_there)
    rows = tx.execute(statement.order_by(_TERMS.c.published_at, _TERMS.c.version).limit(limit))
    return [_terms(row) for row in rows]


def note_deposit(tx: Transaction, terms: Terms, deposit: Deposit) -> None:
    """Write down that a version lies in an archive; a second worker's note changes nothing."""
    tx.execute(
        insert(_DEPOSIT)
        .values(
            {name: getattr(terms, name) for name in _KEY}
            | {
                "place": deposit.place,
                "receipt": deposit.receipt,
                "deposited_at": deposit.deposited_at,
            }
        )
        .on_conflict_do_nothing()
    )


def deposits_of(tx: Transaction, terms: Terms) -> list[Deposit]:
    """Where a version lies outside, and since when."""
    statement = sa.select(_DEPOSIT.c.place, _DEPOSIT.c.receipt, _DEPOSIT.c.deposited_at).where(
        *(_DEPOSIT.c[name] == getattr(terms, name) for name in _KEY)
    )
    return [Deposit(*row) for row in tx.execute(statement.order_by(_DEPOSIT.c.place))]


def _newest(tx: Transaction, party: Party, owner_id: str, language: str) -> Terms | None:
    statement = _TERMS.select().where(
        _TERMS.c.party == party, _TERMS.c.owner_id == owner_id, _TERMS.c.language == language
    )
    return _one(tx, statement.order_by(_TERMS.c.version.desc()).limit(1))


def _one(tx: Transaction, statement: sa.Select[Any]) -> Terms | None:
    row = tx.execute(statement).one_or_none()
    return None if row is None else _terms(row)


def _terms(row: Any) -> Terms:
    return Terms(
        party=Party(row.party),
        owner_id=row.owner_id,
        language=row.language,
        version=row.version,
        body=row.body,
        sha256=row.body_sha256,
        valid_from=row.valid_from,
        published_at=row.published_at,
    )
