"""Records that were refused, each with a code, a reason, a hint and a bounded excerpt."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from kernel.db import Transaction
from mdm.raw_offer import Refusal

MAX_EXCERPT = 400


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One refused record as listed. `id` orders and pages the list."""

    id: str
    merchant_id: str
    sku: str | None
    position: int | None
    code: str
    reason: str
    hint: str
    excerpt: str
    refused_at: datetime


def list_quarantine(
    tx: Transaction,
    merchant_id: str | None = None,
    limit: int = 100,
    after: str = "",
    *,
    last_run: int | None = None,
    codes: Collection[str] = (),
) -> list[Quarantined]:
    """Refused records by id, after an id; of one merchant or of all.

    `last_run` lists those that came in that run, `codes` those that were refused for these reasons.
    """
    rows = tx.execute(
        sa.text(
            "SELECT quarantine_id, merchant_id, sku, position, code, reason, hint, excerpt, "
            "refused_at FROM mdm.quarantine WHERE quarantine_id > :after AND "
            "(CAST(:merchant AS text) IS NULL OR merchant_id = :merchant) AND "
            "(CAST(:run AS bigint) IS NULL OR last_run = :run) AND "
            "(CAST(:codes AS text[]) = '{}' OR code = ANY(:codes)) "
            "ORDER BY quarantine_id LIMIT :limit"
        ),
        {
            "after": after,
            "merchant": merchant_id,
            "run": last_run,
            "codes": [*codes],
            "limit": limit,
        },
    )
    return [Quarantined(*row) for row in rows]


def refuse(tx: Transaction, merchant_id: str, run_id: int, refusals: Iterable[Refusal]) -> None:
    """Keep refusals. The same refusal of the same record is one row, however often it comes."""
    rows = {_identity(merchant_id, each): each for each in refusals}
    if not rows:
        return
    tx.execute(
        sa.text(
            "INSERT INTO mdm.quarantine (quarantine_id, merchant_id, sku, position, code, reason, "
            "hint, excerpt, first_run, last_run) VALUES (:id, :merchant, :sku, :position, :code, "
            ":reason, :hint, :excerpt, :run, :run) ON CONFLICT (quarantine_id) DO UPDATE "
            "SET last_run = EXCLUDED.last_run, position = EXCLUDED.position"
        ),
        [
            {
                "id": identity,
                "merchant": merchant_id,
                "sku": printable(each.sku, 200) if each.sku else None,
                "position": each.position,
                "code": each.code[:60],
                "reason": printable(each.reason, MAX_EXCERPT),
                "hint": printable(each.hint, MAX_EXCERPT),
                "excerpt": printable(each.excerpt, MAX_EXCERPT),
                "run": run_id,
            }
            for identity, each in sorted(rows.items())
        ],
    )


def forget_before(tx: Transaction, merchant_id: str, source: str, run_id: int) -> None:
    """After a complete run, refusals of the same source that did not come again are over."""
    tx.execute(
        sa.text(
            "DELETE FROM mdm.quarantine q USING mdm.intake_run r WHERE q.merchant_id = :merchant "
            "AND q.last_run < :run AND r.run_id = q.last_run AND r.source = :source"
        ),
        {"merchant": merchant_id, "source": source, "run": run_id},
    )


def printable(text: str, limit: int) -> str:
    """At most `limit` characters, with everything that is not printable shown as `?`."""
    return "".join(
        letter if letter.isprintable() else " " if letter.isspace() else "?"
        for letter in text[:limit]
    )


def _identity(merchant_id: str, refusal: Refusal) -> str:
    where = refusal.sku or (f"#{refusal.position}" if refusal.position else refusal.excerpt)
    parts = (merchant_id, refusal.code, where, refusal.reason)
    return "ref_" + hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:24]
