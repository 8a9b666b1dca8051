"""What a product is worth: a page on demand, from the merchants that the brand shows alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
import sqlalchemy as sa

from comptoir.search_wiring import grade_worths
from kernel.db import Database
from kernel.money import Money
from mdm.argus.reading import argus_of
from search_api.worth import GradeWorth, worth_page
from tests.browser.samples_of_search import cards
from tests.mdm.offers_at_hand import load, merchants, products, raw
from tests.search_api.real_shop import GERMAN, RealShop


def worth(grade: str, value: int | None, low: int = 0, high: int = 0) -> GradeWorth:
    def euros(minor: int | None) -> Money | None:
        return None if value is None or minor is None else Money(minor, "EUR")

    return GradeWorth(
        grade=grade, value=euros(value), low=euros(low), high=euros(high), offers=3, sales=1
    )


def test_every_grade_stands_on_one_scale() -> None:
    page = worth_page(
        cards("fr")[0],
        [worth("new", 900, 800, 1000), worth("good", 500, 400, 600), worth("for_parts", None),
         worth("unknown", None)],
    )  # fmt: skip
    new, good, parts = page.rows
    assert good.low_x < good.at_x < good.high_x < new.low_x < new.at_x < new.high_x
    assert parts.worth.value is None
    assert page.is_known
    assert not worth_page(cards("fr")[0], [worth("new", None)]).is_known
    alone = worth_page(cards("fr")[0], [worth("new", 5, 5, 5)]).rows[0]
    assert alone.low_x == alone.at_x == alone.high_x


@pytest.fixture
def client(shop: RealShop) -> Iterator[httpx2.Client]:
    with shop.client() as opened:
        yield opened


def test_where_nothing_is_known_the_page_says_what_it_takes(client: httpx2.Client) -> None:
    answer = client.get("/product/prd_book64/worth?lang=en")
    assert answer.status_code == 200
    assert "Not known yet." in answer.text
    assert "at least three offers or sales of two merchants" in answer.text
    assert "Too little is known" in answer.text


def test_a_product_of_another_brand_has_no_page(shop: RealShop, client: httpx2.Client) -> None:
    for path in ("/product/prd_de01/worth", "/product/%00/worth", "/product/x'y/worth"):
        assert client.get(path).status_code == 404
    with shop.client(GERMAN) as theirs:
        assert theirs.get("/product/prd_de01/worth").status_code == 200


def test_merchants_that_the_brand_does_not_show_have_no_say(database: Database) -> None:
    asked = {"worth-a": "100.00", "worth-b": "110.00", "worth-c": "120.00", "worth-d": "130.00"}
    for name, price in asked.items():
        merchants(database, name)
        load(database, name, [raw("1", "Kettle Nordlys W-100", price)])
    product_id = products(database)["worth-a/1"]
    now = datetime.now(UTC)
    shown = {"worth-a", "worth-b", "worth-c"}
    with database.platform() as tx:
        for change in (
            "UPDATE mdm.offer SET product_id = :product WHERE merchant_id LIKE 'worth-%'",
            "UPDATE mdm.price_history SET observed_at = :then WHERE offer_id IN "
            "(SELECT offer_id FROM mdm.offer WHERE product_id = :product)",
        ):
            tx.execute(sa.text(change), {"product": product_id, "then": now - timedelta(days=20)})
        everybody = argus_of(tx, product_id, "EUR", now)
        heard = argus_of(tx, product_id, "EUR", now, heard=shown.__contains__)
        nobody = argus_of(tx, product_id, "EUR", now, heard=lambda _: False)
    first = {row.grade: row for row in grade_worths(everybody)}["new"]
    second = {row.grade: row for row in grade_worths(heard)}["new"]
    assert (first.offers, second.offers) == (4, 3)
    assert second.high is not None
    assert second.high.minor <= 12_000
    assert all(row.value is None for row in grade_worths(nobody))
