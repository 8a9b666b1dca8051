"""What a merchant last said about its offers, as it landed: the base of a pushed price change."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from kernel.db import Prepared, Transaction
from mdm.raw_offer import RawOffer

_HELD = Prepared(
    sa.text(
        "SELECT sku, raw, state FROM mdm.raw_offer "
        "WHERE source_id = :source AND sku = ANY(:skus) ORDER BY sku FOR UPDATE"
    )
)


def live_offers(tx: Transaction, merchant_id: str, skus: Sequence[str]) -> dict[str, RawOffer]:
    """By key; a withdrawn or unknown key is absent.

    The rows stay locked: another change of the same offer waits, and builds on what this one made.
    """
    rows = _HELD.all(tx, {"source": merchant_id, "skus": list(skus)})
    return {row.sku: RawOffer.from_json(row.raw) for row in rows if row.state == "live"}
