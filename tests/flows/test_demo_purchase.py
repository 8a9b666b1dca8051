"""A purchase in the running demonstration, without scripts: shop, payment page, django-oscar."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from comptoir.merchant_oscar.install import DATABASE
from tests.peers import http
from tests.purchase_setting import CONTACT, hidden_fields, pay_at
from tests.running_demo import Demo

pytestmark = pytest.mark.oscar


@dataclass(frozen=True)
class Article:
    """Something that Maison Oscar sells: its number there, our offer, price in cents."""

    sku: str
    offer_id: str
    price_minor: int


def articles(demo: Demo) -> list[Article]:
    """What is in stock at Maison Oscar, goes to France, and is asked there as we know it."""
    rows = demo.rows(
        "SELECT sku, offer_id, price_minor FROM mdm.offer WHERE merchant_id = 'maison-oscar' "
        "AND live AND availability = 'in_stock' AND quantity > 5 "
        'AND delivery @> \'[{"country": "FR"}]\' ORDER BY offer_id'
    )
    return [Article(row.sku, row.offer_id, row.price_minor) for row in rows]


@pytest.fixture
def article(demo: Demo, request: pytest.FixtureRequest) -> Any:
    """An article for the test alone; price and stock are put back."""
    tests = sorted(name for name in globals() if name.startswith("test_"))
    mine = articles(demo)[tests.index(request.function.__name__)]
    (stock,) = in_oscar(demo, "SELECT num_in_stock FROM partner_stockrecord", mine.sku)
    yield mine
    change(demo, mine, price=mine.price_minor, stock=stock)


def in_oscar(demo: Demo, statement: str, sku: str) -> tuple[Any, ...]:
    with closing(sqlite3.connect(demo.oscar.data_dir / DATABASE, timeout=20)) as shop:
        found: tuple[Any, ...] = shop.execute(
            f"{statement} WHERE partner_sku = ?", [sku]
        ).fetchone()
        return found


def change(demo: Demo, article: Article, *, price: int, stock: int) -> None:
    """Change an article in the merchant's own database, as its till would."""
    with closing(sqlite3.connect(demo.oscar.data_dir / DATABASE, timeout=20)) as shop:
        shop.execute(
            "UPDATE partner_stockrecord SET price = ?, num_in_stock = ?, num_allocated = NULL "
            "WHERE partner_sku = ?",
            (f"{price / 100:.2f}", stock, article.sku),
        )
        shop.commit()


def payments(demo: Demo) -> list[dict[str, Any]]:
    """The books of the payment provider."""
    found: list[dict[str, Any]] = demo.provider("GET", "/v1/test/ledger")["payments"]
    return found


def to_the_button(visitor: httpx2.Client, article: Article) -> httpx2.Response:
    """Into the basket, address given: the page with the button."""
    added = visitor.post("/basket/lines", data={"offer_id": article.offer_id})
    assert added.status_code == 303
    assert visitor.get(added.headers["location"]).status_code == 200
    assert visitor.get("/checkout").status_code == 200
    given = visitor.post("/checkout", data=CONTACT.as_json())
    assert given.status_code == 303, given.text
    page = visitor.get(given.headers["location"])
    assert page.status_code == 200
    return page


def confirm(visitor: httpx2.Client, page: httpx2.Response) -> str:
    """Accept the terms and press the button; where it leads."""
    fields = hidden_fields(page.text) | {"terms": "accepted"}
    sent = visitor.post("/checkout/confirm", data=fields)
    assert sent.status_code == 303, sent.text
    return str(sent.headers["location"])


def pay(visitor: httpx2.Client, handoff: str) -> str:
    """Pay with the first sample card; answers the order's page."""
    order_ref = handoff.rpartition("/")[2]
    (leg,) = visitor.get(f"/v1/orders/{order_ref}").json()["legs"]
    back = pay_at(leg["pay_url"])
    until = time.monotonic() + 30
    while time.monotonic() < until:
        answer = visitor.get(back)
        if answer.status_code == 303:
            back = str(answer.headers["location"])
            if back.startswith("/order/"):
                return back
        else:
            # As a browser does: how long it takes depends on what else the machine has to do.
            seconds, _, onward = str(answer.headers["refresh"]).partition("; url=")
            time.sleep(float(seconds))
            back = onward or back
    raise AssertionError("the payment never came to an end")


def test_an_order_is_placed_and_paid_once(demo: Demo, article: Article) -> None:
    before = payments(demo)
    with demo.visitor("mirabelle", "fr") as visitor:
        page = to_the_button(visitor, article)
        order = visitor.get(pay(visitor, confirm(visitor, page)))
        (leg,) = visitor.get(f"/v1/orders/{order.url.path.rpartition('/')[2]}").json()["legs"]
    shown = re.search(r'<dd class="number">([^<]+)</dd>', order.text)
    assert shown is not None
    number = shown[1]
    accounts = json.loads((demo.plan.data / "oscar" / "accounts.json").read_text("utf-8"))
    platform = accounts["platform"]
    answer = http.get(
        f"{demo.plan.oscar}/platform/orders/{number}/",
        auth=(platform["username"], platform["password"]),
    )
    assert answer.status_code == 200
    total = round(float(answer.json()["total_incl_tax"]) * 100)
    assert [line["sku"] for line in answer.json()["lines"]] == [article.sku]
    new = payments(demo)[len(before) :]
    assert [(row["merchant_account"], row["captured_amount"]) for row in new] == [
        ("maison-oscar", total)
    ]
    assert leg["merchant_order"] == number
    assert leg["captured"]["minor"] == total > article.price_minor - 1


def test_a_price_changed_before_the_click_is_asked_again(demo: Demo, article: Article) -> None:
    before = len(payments(demo))
    (stock,) = in_oscar(demo, "SELECT num_in_stock FROM partner_stockrecord", article.sku)
    with demo.visitor("mirabelle") as visitor:
        page = to_the_button(visitor, article)
        change(demo, article, price=article.price_minor + 500, stock=stock)
        again = confirm(visitor, page)
        assert again.startswith("/checkout/confirm?quote=")
        asked = visitor.get(again)
        assert "Something has changed since you last looked" in asked.text
        assert '<del class="price price-old">' in asked.text
        assert len(payments(demo)) == before
        pay(visitor, confirm(visitor, asked))
    assert payments(demo)[before]["captured_amount"] >= article.price_minor + 500


def test_a_price_changed_since_the_basket_is_marked(demo: Demo, article: Article) -> None:
    (stock,) = in_oscar(demo, "SELECT num_in_stock FROM partner_stockrecord", article.sku)
    change(demo, article, price=article.price_minor + 500, stock=stock)
    with demo.visitor("mirabelle") as visitor:
        page = to_the_button(visitor, article)
    assert '<del class="price price-old">' in page.text
    assert f"{(article.price_minor + 500) % 100:02d}" in page.text


def test_sold_out_says_so_and_takes_no_money(demo: Demo, article: Article) -> None:
    before = payments(demo)
    with demo.visitor("mirabelle") as visitor:
        page = to_the_button(visitor, article)
        change(demo, article, price=article.price_minor, stock=0)
        again = confirm(visitor, page)
        assert again.startswith("/checkout/confirm?quote=")
        said = visitor.get(again).text
        assert "Out of stock at Maison Oscar." in said
        assert "No money has moved." in said
        assert "Order and pay €" not in said
    assert payments(demo) == before
