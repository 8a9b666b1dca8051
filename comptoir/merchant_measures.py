"""Once a day, what orders teach: how reliably merchants confirm them, what articles were sold for;
and what the catalogue teaches: what each category is expected to state."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from checkout.merchant_outcomes import merchant_outcomes
from checkout.sold_articles import sold_lines, undone_legs
from kernel import jobs
from kernel.db import Database, Transaction
from mdm.argus.sales import SoldArticle, record_sales, take_back_sales
from mdm.golden.expectations import learn_expectations
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
        record_sold_articles(tx, since)
        learn_expectations(tx)
        jobs.defer(tx, MEASURE, once=MEASURE.name, delay_s=MEASURE_EVERY_S)
    return changed


def record_sold_articles(tx: Transaction, since: datetime) -> int:
    """Orders carried out since a moment become sales for the argus; answers how many are new."""
    sold = (
        SoldArticle(line.line_id, line.offer_id, line.price, line.sold_at)
        for line in sold_lines(tx, since)
    )
    count = record_sales(tx, sold)
    take_back_sales(tx, undone_legs(tx, since))
    return count
