"""The record of what operators set about sources and categories: who, when, why, before, after.

Rows are added and never changed: the database refuses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import orjson
import sqlalchemy as sa

from kernel.db import Transaction
from kernel.errors import DomainError

Subject = Literal["source_priority", "category_mapping"]
MAX_WHY = 1_000


@dataclass(frozen=True, slots=True)
class Signature:
    """Who acts, why, when."""

    who: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Act:
    """One act on `key` of a subject; None before or after where nothing was or is set."""

    at: datetime
    who: str
    why: str
    subject: str
    key: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


def record_act(tx: Transaction, act: Act) -> None:
    """Add to the record; refuses a nameless actor."""
    if not act.who.strip() or not act.who.isprintable() or len(act.who) > 100:
        raise DomainError("operator_name", "An operator's name has 1 to 100 characters.")
    tx.execute(
        sa.text(
            "INSERT INTO mdm.curation_act (at, who, why, subject, key, before, after) VALUES "
            "(:at, :who, :why, :subject, :key, CAST(:before AS jsonb), CAST(:after AS jsonb))"
        ),
        {
            "at": act.at,
            "who": act.who.strip(),
            "why": act.why[:MAX_WHY],
            "subject": act.subject,
            "key": act.key,
            "before": _json(act.before),
            "after": _json(act.after),
        },
    )


def acts_on(
    tx: Transaction, subject: Subject, limit: int = 100, key: str | None = None
) -> list[Act]:
    """The newest acts first; of one key or of all."""
    rows = tx.execute(
        sa.text(
            "SELECT at, who, why, subject, key, before, after FROM mdm.curation_act "
            "WHERE subject = :subject AND (CAST(:key AS text) IS NULL OR key = :key) "
            "ORDER BY act_id DESC LIMIT :limit"
        ),
        {"subject": subject, "key": key, "limit": limit},
    )
    return [Act(*row) for row in rows]


def _json(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else orjson.dumps(value).decode()
