"""Past prices by day, as the database has them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from kernel.db import Database
from mdm.catalogue import product_views
from mdm.offer_rows import offer_id_of
from mdm.price_trails import price_trails
from mdm.product_view import PriceDay
from tests.mdm.offers_at_hand import load, merchants, products, raw

FIRST = datetime(2026, 8, 1, 10, tzinfo=UTC)


def _day(offset: int) -> int:
    return (FIRST.date() - date(1970, 1, 1)).days + offset


@pytest.fixture(scope="module")
def product_id(database: Database) -> str:
    """A kettle with a past: cheap for an hour, dear, away, back; and a point of long ago."""
    merchants(database, "shop")
    load(database, "shop", [raw("1", "Kettle Nordlys W-100", "30.00")])
    offer_id = offer_id_of("shop", "1")
    past = [
        (-400, 0, 5000, "in_stock"),
        (0, 0, 4000, "in_stock"),
        (0, 1, 2500, "in_stock"),
        (0, 2, 4100, "in_stock"),
        (10, 0, 4100, "out_of_stock"),
        (20, 0, 3900, "in_stock"),
    ]
    with database.platform() as tx:
        tx.execute(sa.text("DELETE FROM mdm.price_history"))
        for day, hour, price, availability in past:
            tx.execute(
                sa.text(
                    "INSERT INTO mdm.price_history "
                    "(offer_id, observed_at, price_minor, currency, availability) "
                    "VALUES (:offer, :at, :price, 'EUR', :availability)"
                ),
                {
                    "offer": offer_id,
                    "at": FIRST + timedelta(days=day, hours=hour),
                    "price": price,
                    "availability": availability,
                },
            )
    return products(database)["shop/1"]


def test_a_day_has_its_lowest_and_its_last_price(database: Database, product_id: str) -> None:
    with database.platform() as tx:
        (trail,) = price_trails(tx, [product_id, "prd_unknown"])[product_id]
        (view,) = product_views(tx, [product_id])
    assert view.price_trails == (trail,)
    assert (trail.merchant_id, trail.condition, trail.currency) == ("shop", "new", "EUR")
    assert trail.ended_day is None
    assert trail.days == (
        PriceDay(_day(-400), 5000, 5000),
        PriceDay(_day(0), 2500, 4100),
        PriceDay(_day(10), None, None),
        PriceDay(_day(20), 3900, 3900),
    )


def test_a_withdrawn_offer_keeps_its_past_and_says_when_it_ended(
    database: Database, product_id: str
) -> None:
    load(database, "shop", [])
    with database.platform() as tx:
        tx.execute(
            sa.text("UPDATE mdm.offer SET live = false, updated_at = :at"),
            {"at": FIRST + timedelta(days=30)},
        )
        (trail,) = price_trails(tx, [product_id])[product_id]
    assert trail.ended_day == _day(30)
    assert len(trail.days) == 4
