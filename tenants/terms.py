"""Terms of sale: every version kept, none ever changed. The database refuses UPDATE and DELETE."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from kernel.db import Transaction, schema_metadata
from kernel.errors import NotFound

_TERMS = sa.Table(
    "terms",
    schema_metadata("tenants"),
    sa.Column("brand_id", sa.Text, primary_key=True),
    sa.Column("language", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("body", sa.Text),
    sa.Column("body_sha256", sa.Text),
    sa.Column("published_at", sa.DateTime(timezone=True)),
)


@dataclass(frozen=True, slots=True)
class Terms:
    """One version of a brand's terms; `body` is Markdown, `sha256` is that of its UTF-8 bytes."""

    brand_id: str
    language: str
    version: int
    body: str
    sha256: str
    published_at: datetime


def publish_terms(tx: Transaction, brand_id: str, language: str, body: str) -> Terms:
    """Publish a text. The same text as the newest version changes nothing."""
    digest = hashlib.sha256(body.encode()).hexdigest()
    newest = _newest(tx, brand_id, language)
    if newest is not None and newest.sha256 == digest:
        return newest
    tx.execute(
        _TERMS.insert().values(
            brand_id=brand_id,
            language=language,
            version=1 if newest is None else newest.version + 1,
            body=body,
            body_sha256=digest,
            published_at=sa.func.now(),
        )
    )
    return current_terms(tx, brand_id, language)


def current_terms(tx: Transaction, brand_id: str, language: str) -> Terms:
    """The newest terms in the language, else in the language that the brand published in."""
    found = _newest(tx, brand_id, language) or _newest(tx, brand_id, None)
    if found is None:
        raise NotFound(
            "terms_missing",
            f"Brand {brand_id} has no terms of sale.",
            hint="Publish them with `comptoir brand apply FILE`.",
        )
    return found


def read_terms(tx: Transaction, brand_id: str, language: str, version: int) -> Terms | None:
    """One version, as it was when somebody accepted it."""
    row = tx.execute(
        _TERMS.select().where(
            _TERMS.c.brand_id == brand_id,
            _TERMS.c.language == language,
            _TERMS.c.version == version,
        )
    ).one_or_none()
    return None if row is None else Terms(*row)


def _newest(tx: Transaction, brand_id: str, language: str | None) -> Terms | None:
    statement = _TERMS.select().where(_TERMS.c.brand_id == brand_id)
    if language is not None:
        statement = statement.where(_TERMS.c.language == language)
    row = tx.execute(
        statement.order_by(_TERMS.c.version.desc(), _TERMS.c.language).limit(1)
    ).one_or_none()
    return None if row is None else Terms(*row)
