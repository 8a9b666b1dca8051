"""Products beside each other over HTTP: chosen by forms, shown by an address that can be shared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import httpx2
import pytest

from search_api.comparison import MOST, read_ids
from tests.search_api.real_shop import GERMAN, SECRET, RealShop

BOOKS = ("prd_book64", "prd_book128", "prd_book256")


@pytest.fixture
def client(shop: RealShop) -> Iterator[httpx2.Client]:
    with shop.client() as opened:
        yield opened


def compare(client: httpx2.Client, *ids: str, **query: Any) -> str:
    answer = client.get("/compare", params={"p": ids, "lang": "en", **query})
    assert answer.status_code == 200
    return unescape(answer.text)


def rows(page: str) -> dict[str, list[str]]:
    """The cells of each row of the table by its heading, as plain text."""
    found = {}
    for row in re.findall(r"<tr><th scope=\"row\">(.*?)</tr>", page, re.DOTALL):
        name, *cells = re.split(r"<t[hd][^>]*>", row)
        found[plain(name)] = [plain(cell) for cell in cells]
    return found


def plain(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def names(page: str) -> list[str]:
    return [plain(name) for name in re.findall(r"<th scope=\"col\">(.*?)</th>", page, re.DOTALL)]


def test_what_differs_stands_before_what_is_the_same(client: httpx2.Client) -> None:
    page = compare(client, *BOOKS)
    assert names(page) == [f"Nordlys Book 14 {size} GB" for size in (64, 128, 256)]
    table = rows(page)
    assert table["Storage"] == ["64 GB", "128 GB", "256 GB"]
    assert table["Merchants"] == ["3 merchants"] * 3
    assert table["Condition"] == ["New"] * 3
    assert table["Total price"][0] == "from €850.64 with delivery"
    assert table["Price beside its own 90 days"] == ["Not known yet"] * 3
    assert "Colour" not in table
    assert "Make" not in table
    folded = page.partition("<details")[2].partition("</details>")[0]
    assert plain(folded).endswith("2 facts are the same Make Nordlys Colour silver")


def test_different_kinds_are_said_to_be_different(client: httpx2.Client) -> None:
    page = compare(client, "prd_book64", "prd_monitor")
    assert "These are different kinds of things" in page
    assert rows(page)["Make"] == ["Nordlys", "Ampère"]
    assert rows(page)["Storage"] == ["64 GB", "Not stated"]
    assert "different kinds" not in compare(client, *BOOKS)


def test_a_fifth_is_refused_by_name_and_can_take_a_place(client: httpx2.Client) -> None:
    ids = (*BOOKS, "prd_monitor", "prd_lamp01")
    page = compare(client, *ids)
    assert len(names(page)) == MOST
    assert "Four products at most" in page
    assert "“Lampe de bureau 1” was not added" in page
    answer = client.post(
        "/compare", data={"p": [BOOKS[0], BOOKS[1], "prd_monitor"], "add": "prd_lamp01"}
    )
    assert answer.status_code == 303
    expected = [BOOKS[0], BOOKS[1], "prd_monitor", "prd_lamp01"]
    assert answer.headers["location"] == "/compare?" + "&".join(f"p={id_}" for id_ in expected)


def test_what_was_chosen_in_several_places_comes_together(client: httpx2.Client) -> None:
    first = client.post("/compare", data={"add": ["prd_book64", "prd_book128"]})
    assert first.headers["location"] == "/compare?p=prd_book64&p=prd_book128"
    second = client.post("/compare", data={"add": "prd_monitor"})
    whole = "/compare?p=prd_book64&p=prd_book128&p=prd_monitor"
    assert second.headers["location"] == whole
    assert client.get("/compare").headers["location"] == whole
    assert "In your comparison" in client.get("/product/prd_monitor?lang=en").text
    results = client.get("/search?q=nordlys&lang=en").text
    assert results.count("In your comparison") == 2
    assert results.count('form="compare" name="add"') == 1
    client.post("/compare", data={"p": BOOKS, "remove": "prd_book128"})
    assert client.get("/compare").headers["location"] == "/compare?p=prd_book64&p=prd_book256"
    emptied = client.post("/compare", data={"p": "prd_book64", "remove": "prd_book64"})
    assert emptied.headers["location"] == "/compare"
    assert client.get("/compare").status_code == 200


def test_an_address_from_somebody_else_changes_nothing_of_mine(client: httpx2.Client) -> None:
    client.post("/compare", data={"add": "prd_monitor"})
    answer = client.get("/compare?p=prd_book64&p=prd_book128")
    assert "set-cookie" not in answer.headers
    assert client.get("/compare").headers["location"] == "/compare?p=prd_monitor"


def test_products_of_another_brand_are_not_here(shop: RealShop, client: httpx2.Client) -> None:
    page = compare(client, "prd_book64", "prd_de01", "prd_nothing")
    assert names(page) == ["Nordlys Book 14 64 GB"]
    assert "2 products of this address are not shown here." in page
    assert SECRET not in page
    client.post("/compare", data={"add": "prd_book64"})
    cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    with shop.client(GERMAN, cookie=cookie) as theirs:
        assert theirs.get("/compare").status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "p=%00", "p=%ff%fe&p=%ED%A0%80", "p=" + "x" * 5_000, "p=..%2F..%2Fetc", "p=*&p=_all",
        "&".join(f"p=prd_{n}" for n in range(3_000)), "p[]=prd_book64", "p=%3Cscript%3E",
        "p=prd_book64&p=prd_book64",
    ],
)  # fmt: skip
def test_odd_addresses_and_forms_are_answered(client: httpx2.Client, query: str) -> None:
    answer = client.get(f"/compare?{query}")
    assert answer.status_code == 200
    assert "<script>" not in answer.text
    form = {"content-type": "application/x-www-form-urlencoded"}
    sent = client.post("/compare", content=query.replace("p=", "add="), headers=form)
    assert sent.status_code in {303, 400, 404}
    odd = {"cookie": "compare_mirabelle=prd_book64.%00.../.<x>.prd_monitor"}
    assert client.get("/compare", headers=odd).headers["location"].startswith("/compare?p=prd_book")


def test_ids_are_read_once_and_bounded() -> None:
    assert read_ids(["a", "b", "a", "", "ä", "a b"]) == ("a", "b")
    assert len(read_ids(f"prd_{n}" for n in range(100))) == 12
