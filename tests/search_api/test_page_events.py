"""What the shop's own pages note, without scripts: clicks by links, ways out, the basket."""

from __future__ import annotations

import asyncio
import re
from types import SimpleNamespace
from typing import Any

import pytest

from comptoir.basket_events import BasketEvents
from search_api.answering import NoLog
from search_api.query_id import QueryIds, link_mark, read_mark
from tenants.query_log import QueryEvent
from tests.search_api.real_shop import RealShop
from tests.search_api.test_native_api import settle

LINK = re.compile(r'href="(/product/([^"?]+)\?from=(qry_[a-z2-7]+)-(\d+))"')


def test_a_click_on_a_result_is_noted_by_the_products_page(shop: RealShop) -> None:
    with shop.client() as client:
        page = client.get("/search?q=lampe&page=2").text
        links = LINK.findall(page)
        assert [int(link[3]) for link in links] == list(range(25, 49))
        href, product_id, query_id, _ = links[4]
        product = client.get(href)
        assert product.status_code == 200
        kept = f"http://mirabelle.localhost/product/{product_id}"
        assert f'<link rel="canonical" href="{kept}">' in product.text
        assert (
            f"/basket/lines?from={query_id}-29&amp;product={product_id}&amp;offer=" in product.text
        )
        out = client.post(f"/out?mark={query_id}-29&product={product_id}&offer=off_l1")
        assert out.status_code == 204
    rows = settle(
        shop,
        "SELECT kind, product_id, position FROM tenants.query_event WHERE query_id = :id "
        "AND kind = 'offer_out'",
        id=query_id,
    )
    assert [tuple(row) for row in rows] == [("offer_out", product_id, 29)]
    clicks = settle(
        shop,
        "SELECT product_id FROM tenants.query_event WHERE query_id = :id AND kind = 'click'",
        id=query_id,
    )
    assert [row[0] for row in clicks] == [product_id]


@pytest.mark.parametrize(
    "mark", ["", "x", "qry_a-1", "qry_" + "a" * 32 + "-1", "qry_" + "a" * 32 + "-0", "%00", "é"]
)
def test_a_mark_that_is_not_ours_is_left_out(shop: RealShop, mark: str) -> None:
    with shop.client() as client:
        page = client.get("/product/prd_book64", params={"from": mark})
        assert page.status_code == 200
        assert 'action="/basket/lines"' in page.text
        assert client.post("/out", params={"mark": mark, "product": "\0"}).status_code == 204


def test_marks_are_read_back() -> None:
    made = QueryIds(b"k").new("mirabelle")
    assert read_mark(link_mark(made, 7)) == (made, 7)
    assert read_mark(f"{made}-12345") is None


class Kept(NoLog):
    """A log that keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[QueryEvent] = []

    def happened(self, event: QueryEvent) -> bool:
        self.events.append(event)
        return True


@pytest.mark.parametrize(
    ("path", "kind", "done"),
    [("/basket/lines", "add_to_basket", 303), ("/handoff", "offer_out", 200)],
)
@pytest.mark.parametrize(("status", "count"), [(0, 1), (422, 0), (404, 0)])
def test_what_is_bought_or_made_ready_is_noted_when_it_is_done(
    path: str, kind: str, done: int, status: int, count: int
) -> None:
    ids, log = QueryIds(b"k"), Kept()
    mark = link_mark(ids.new("mirabelle"), 3)

    async def basket(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status or done, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def send(message: Any) -> None:
        del message

    scope = {
        "type": "http", "path": path, "method": "POST",
        "query_string": f"from={mark}&product=prd_a&offer=off_a".encode(),
        "state": {"brand": SimpleNamespace(id="mirabelle")},
    }  # fmt: skip
    asyncio.run(BasketEvents(basket, ids, log)(scope, None, send))  # type: ignore[arg-type]
    assert len(log.events) == count
    for event in log.events:
        assert (event.kind, event.product_id, event.offer_id, event.position) == (
            kind, "prd_a", "off_a", 3,
        )  # fmt: skip
