"""Once a day: how reliably each merchant confirms orders, from its orders to its offers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from checkout.merchant_outcomes import merchant_outcomes
from kernel import jobs
from kernel.db import Database
from mdm.merchant_quality import (
    MEASURE,
    MEASURE_EVERY_S,
    WINDOW_DAYS,
    quality_percent,
    set_merchant_quality,
)


def measure_merchants(database: Database, now: datetime | None = None) -> list[str]:
    """Measure, keep, and ask to be called again tomorrow. Answers whose figure changed."""
    since = (now or datetime.now(UTC)) - timedelta(days=WINDOW_DAYS)
    with database.platform() as tx:
        percents = {
            merchant_id: quality_percent(found.confirmed, found.not_confirmed)
            for merchant_id, found in merchant_outcomes(tx, since).items()
        }
        changed = set_merchant_quality(tx, percents)
        jobs.defer(tx, MEASURE, once=MEASURE.name, delay_s=MEASURE_EVERY_S)
    return changed
