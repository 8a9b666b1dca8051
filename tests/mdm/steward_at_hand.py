"""A lamp that two merchants offer and a third calls something else, and a steward's hands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from kernel.db import Database
from kernel.gtin import check_digit
from mdm.catalogue import resolve
from mdm.match.decision import Review
from mdm.offer_rows import offer_id_of
from mdm.raw_offer import RawOffer
from mdm.stewardship import reviews
from mdm.stewardship.acts import Done, perform
from mdm.stewardship.plans import Asked
from tests.conftest import copied_database, fresh_database
from tests.mdm.offers_at_hand import load, merchants, products, raw

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
GTIN = "952000000001" + check_digit("952000000001")
LAMP = "Torvald Lumio TL-4410 Lampe de bureau"


def lamp(price: str, title: str = LAMP) -> RawOffer:
    return raw("lamp", title, price, gtins=(GTIN,), manufacturer="Torvald", mpn="TL-4410")


FEEDS = {
    "alpha": [lamp("40.00"), raw("drill", "Bohrwick Akkuschrauber 18 V", "90.00")],
    "beta": [raw("lamp", "Wandleuchte Serie Kassiopeia aus Messing", "35.00")],
    "gamma": [lamp("42.00"), raw("clock", "Horloge Ostmark Pendule", "25.00")],
}


@pytest.fixture(scope="module")
def loaded(postgres_url: str) -> str:
    """A lamp of alpha and gamma; beta calls it something else; a drill; a clock."""
    url = fresh_database(postgres_url)
    opened = Database(url)
    merchants(opened, "alpha", "beta", "gamma")
    feed(opened)
    places = products(opened)
    assert places["alpha/lamp"] == places["gamma/lamp"] != places["beta/lamp"]
    opened.close()
    return url


@pytest.fixture
def database(loaded: str) -> Iterator[Database]:
    opened = Database(copied_database(loaded))
    yield opened
    opened.close()


def feed(database: Database) -> None:
    for merchant, offers in FEEDS.items():
        load(database, merchant, offers)


def off(merchant: str, sku: str) -> str:
    return offer_id_of(merchant, sku)


A, B, G = off("alpha", "lamp"), off("beta", "lamp"), off("gamma", "lamp")
DRILL, CLOCK = off("alpha", "drill"), off("gamma", "clock")


def put(database: Database, one: str = B, other: str = A) -> int:
    with database.platform() as tx:
        reviews.put_reviews(tx, [Review(one, other, None, 0.6, {"for": [], "against": []})], NOW)
        return reviews.queue(tx, 1)[0].review_id


def do(database: Database, asked: Asked, *, sure: bool = False, who: str = "Ann") -> Done:
    with database.platform() as tx:
        return perform(tx, asked, who, "as seen", NOW, sure=sure)


def undo(database: Database, act_id: int) -> Done:
    return do(database, Asked("undo", act_id=act_id))


def place(database: Database) -> dict[str, str]:
    with database.platform() as tx:
        rows = tx.exec_driver_sql("SELECT offer_id, product_id FROM mdm.offer WHERE live")
        return {row[0]: row[1] for row in rows}


def leads(database: Database, product_id: str) -> str | None:
    with database.platform() as tx:
        return resolve(tx, product_id)


def open_questions(database: Database) -> list[int]:
    with database.platform() as tx:
        return [each.review_id for each in reviews.queue(tx, 50)]
