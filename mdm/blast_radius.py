"""Would this run wreck the merchant's catalogue? Judged before anything of it takes effect.

More than 30 % of the offers gone, or a median price that moved by more than 25 %, is taken for a
broken feed. A merchant's `source` may set other limits.
"""

from __future__ import annotations

import sqlalchemy as sa

from kernel.db import Prepared, Transaction
from mdm.merchants import Merchant

MAX_VANISHED_PERCENT = 30
MAX_PRICE_PERCENT = 25
# Below this many offers a share says nothing: one sold-out item of three is not a broken feed.
MIN_OFFERS = 10

_PRICE_RATIO = Prepared(
    sa.text(
        "SELECT count(*) AS known, percentile_cont(0.5) WITHIN GROUP "
        "(ORDER BY l.price_minor::numeric / o.price_minor) AS ratio "
        "FROM mdm.landing l JOIN mdm.raw_offer o ON o.source_id = :source AND o.sku = l.sku "
        "WHERE l.run_id = :run AND o.state = 'live' AND o.price_minor > 0 "
        "AND l.price_minor IS NOT NULL AND l.currency = o.currency"
    )
)


def danger(
    tx: Transaction, run_id: int, merchant: Merchant, source: str, *, complete: bool
) -> str | None:
    """Why the staged run must not take effect by itself; None when it may."""
    if complete:
        reason = _vanished(tx, run_id, merchant, source)
        if reason:
            return reason
    return _price_moved(tx, run_id, merchant)


def _limit(merchant: Merchant, name: str, default: int) -> int:
    value = merchant.source.get(name, default)
    return int(value) if isinstance(value, int | str) and str(value).isdigit() else default


def _vanished(tx: Transaction, run_id: int, merchant: Merchant, source: str) -> str | None:
    row = tx.execute(
        sa.text(
            "SELECT count(*) AS known, count(*) FILTER (WHERE l.sku IS NULL) AS gone "
            "FROM mdm.raw_offer o LEFT JOIN mdm.landing l ON l.run_id = :run AND l.sku = o.sku "
            "WHERE o.source_id = :source AND o.feed = :feed AND o.state = 'live'"
        ),
        {"run": run_id, "source": merchant.id, "feed": source},
    ).one()
    limit = _limit(merchant, "max_vanished_percent", MAX_VANISHED_PERCENT)
    is_small = row.known < MIN_OFFERS and row.gone < row.known
    if row.gone == 0 or is_small or row.gone * 100 <= row.known * limit:
        return None
    share = row.gone * 100 // row.known
    return f"{row.gone} of {row.known} offers vanished ({share} %, limit {limit} %)"


def _price_moved(tx: Transaction, run_id: int, merchant: Merchant) -> str | None:
    row = _PRICE_RATIO.first(tx, {"run": run_id, "source": merchant.id})
    limit = _limit(merchant, "max_price_percent", MAX_PRICE_PERCENT)
    if row.known < MIN_OFFERS or abs(row.ratio - 1) * 100 <= limit:
        return None
    return (
        f"the median price of {row.known} known offers moved by "
        f"{(row.ratio - 1) * 100:+.0f} % (limit {limit} %)"
    )
