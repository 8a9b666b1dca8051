"""Prices of before: written once, never over what was seen here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from comptoir.demo_market import generate
from comptoir.demo_market.past_prices import DAYS, past_prices
from kernel.db import Database
from mdm.catalogue import changes_after, head
from mdm.earlier_prices import record_earlier_prices
from mdm.offer_rows import offer_id_of
from mdm.offers import price_history
from tests.mdm.offers_at_hand import load, merchants, products, raw


def test_a_past_is_written_once_and_told_to_the_indexer(database: Database) -> None:
    merchants(database, "past-shop")
    load(database, "past-shop", [raw("1", "Kettle Nordlys W-100", "30.00")])
    now = datetime.now(UTC)
    past = [(now - timedelta(days=60), 4000), (now - timedelta(days=5), 3500),
            (now + timedelta(days=1), 1)]  # fmt: skip
    points = {("past-shop", "1"): past, ("past-shop", "not-there"): past}
    offer_id = offer_id_of("past-shop", "1")
    with database.platform() as tx:
        before = head(tx)
        assert record_earlier_prices(tx, points, now) == 1
        assert [each.price.minor for each in price_history(tx, offer_id) if each.price] == [
            4000, 3500, 3000,
        ]  # fmt: skip
        changed = {product_id for _, product_id in changes_after(tx, before, 100)}
        assert changed == {products(database)["past-shop/1"]}
    with database.platform() as tx:
        assert record_earlier_prices(tx, points, now) == 0
        assert len(price_history(tx, offer_id)) == 3


def test_the_past_of_the_market_is_the_same_every_time_and_ends_at_todays_price() -> None:
    market = generate()
    past = past_prices(market)
    assert past == past_prices(generate())
    assert set(past) == set(market.by_key)
    fallen = 0
    for key, course in past.items():
        days = [ago for ago, _ in course]
        assert days == sorted(days, reverse=True)
        assert days[0] == DAYS
        assert course[-1][1] == market.by_key[key].price_minor
        fallen += days[-1] <= 6 and course[0][1] > course[-1][1]
    assert 0.05 < fallen / len(past) < 0.25
