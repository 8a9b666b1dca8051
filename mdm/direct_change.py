"""A new price, stock or delivery of a known offer takes effect where it lands, without a job.

Only for offers that are settled: matched, not waiting for the pipeline, without a sale that begins
or ends. Their rows stay locked until the end of the transaction, so changes of one offer follow
each other in the order in which they were accepted, and the pipeline never overwrites a later one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from kernel.db import Prepared, Transaction, sent_together
from mdm.catalogue import log_changes
from mdm.merchants import Merchant
from mdm.normalise.offer import normalise
from mdm.normalise.refused import RefusedError
from mdm.offer_rows import (
    KnownOffer,
    OfferRow,
    is_described_anew,
    offer_row,
    update_terms,
)
from mdm.raw_landing import Landed
from mdm.raw_offer import RawOffer

_HELD = Prepared(
    sa.text(
        "WITH held AS MATERIALIZED (SELECT sku, content_sha256, state = 'live' AS live, "
        "state = 'live' AND NOT pending AND revisit_at IS NULL AS settled FROM mdm.raw_offer "
        "WHERE source_id = :source AND sku = ANY(:skus) ORDER BY sku FOR UPDATE) "
        "SELECT held.*, clock_timestamp() AS held_at FROM held"
    )
)


@dataclass(frozen=True, slots=True)
class DirectChange:
    """The offer as it is to be, and as it was."""

    row: OfferRow
    old: KnownOffer


def asked_held(
    tx: Transaction, source_id: str, skus: Collection[str]
) -> Callable[[], dict[str, Any]]:
    """What has landed of these offers by key, ours until the transaction ends: asked for now and
    read when it is called."""
    # All of them, in one order, before anything is written: two calls cannot wait for each other.
    held = _HELD.asked(tx, {"source": source_id, "skus": list(skus)})
    return lambda: {row.sku: row for row in held.fetchall()}


def is_known(landed: Landed, held: Mapping[str, Any]) -> bool:
    """Whether an offer came again as it is."""
    before = held.get(landed.sku)
    return before is not None and before.live and before.content_sha256 == landed.content_sha256


def direct_changes(
    merchant: Merchant,
    landed: Collection[Landed],
    held: Mapping[str, Any],
    known: Callable[[Sequence[str]], Mapping[str, KnownOffer]],
) -> list[DirectChange]:
    """Those of the records that change the terms of a settled offer and nothing else. `held` is
    what landed before of all of them, `known` tells of stored offers by id."""
    if not held:
        return []
    # Later than whatever was waited for, so that the price history is in the order of the changes.
    now = max(each.held_at for each in held.values())
    rows = [
        row
        for each in sorted(landed, key=lambda each: each.sku)
        if each.sku in held and held[each.sku].settled and not is_known(each, held)
        if (row := _understood(each, merchant, now)) is not None
    ]
    stored = known([row.offer_id for row in rows])
    return [
        DirectChange(row, old)
        for row in rows
        if (old := stored.get(row.offer_id)) is not None and not is_described_anew(row, old)
    ]


def _understood(landed: Landed, merchant: Merchant, now: datetime) -> OfferRow | None:
    """None where the pipeline has to say more: a refusal, or a sale to come back to."""
    try:
        normal = normalise(RawOffer.from_json(orjson.loads(landed.raw_json)), merchant, now)
    except RefusedError:
        return None
    if normal.asking.revisit_at is not None:
        return None
    return offer_row(normal, now, merchant.lifetime_days)


def put_into_effect(tx: Transaction, changes: Sequence[DirectChange]) -> None:
    """Write the offers, their price history and the change log."""
    if not changes:
        return
    rows = [each.row for each in changes]
    now = rows[0].confirmed_at
    with sent_together(tx):
        update_terms(tx, rows, {each.row.offer_id: each.old for each in changes}, now)
        log_changes(tx, [each.old.product_id for each in changes if each.old.product_id])
