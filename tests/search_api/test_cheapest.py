"""`cheapest laptop`: the order by price is offered, among laptops; no word changes the order."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from search_api.search import Shop
from search_api.understanding.cheapest import asks_for_cheap
from tenants.brand import Brand
from tests.search_api.test_understanding import LAPTOP, WASHER, ask
from tests.search_api.test_understanding import brand as brand
from tests.search_api.test_understanding import shop as shop


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cheapest laptop", True), ("laptop cheap", True), ("lave-linge pas cher", True),
        ("le lave-linge le moins cher", True), ("günstigste Waschmaschine", True),
        ("casque moins cher", True), ("machine à laver moins chère", True),
        ("billiger Laptop", True), ("preiswerte Kopfhörer", True), ("vélo bon marché", True),
        ("laptop", False), ("chernobyl", False), ("lave-linge moins cher que 400 €", False),
        ("Laptop günstiger als 900 Euro", False), ("cheaper than 40 €", False), ("", False),
    ],
)  # fmt: skip
def test_words_that_ask_for_what_is_cheap(text: str, expected: bool) -> None:
    assert asks_for_cheap(text) is expected


@pytest.mark.parametrize(
    ("text", "language", "category"),
    [
        ("cheapest laptop", "en", LAPTOP),
        ("lave-linge pas cher", "fr", WASHER),
        ("günstigster laptop", "de", LAPTOP),
        # What it is for is not what is asked for.
        ("cheapest laptop bag", "en", None),
        ("cheapest zzyxq", "en", None),
    ],
)
def test_the_order_by_price_is_offered(
    shop: Shop, brand: Brand, text: str, language: str, category: int | None
) -> None:
    answer = ask(shop, brand, text, language)
    assert answer.cheapest_first is not None
    address = parse_qs(urlsplit(answer.cheapest_first.url).query)
    assert address["sort"] == ["price_asc"]
    assert address["q"] == [text]
    chosen = [int(each.partition("-")[0]) for each in address.get("category", ())]
    assert chosen == ([] if category is None else [category])


def test_what_is_offered_has_the_cheapest_of_the_kind_first(shop: Shop, brand: Brand) -> None:
    answer = ask(shop, brand, "lave-linge pas cher", sort="price_asc", category=str(WASHER))
    totals = [row.from_total.minor for row in answer.products if row.from_total is not None]
    assert totals == sorted(totals)
    assert {row.category_id for row in answer.products} == {WASHER}
    assert answer.cheapest_first is None, "it is in force"
    plain = ask(shop, brand, "lave-linge pas cher")
    assert [option.value for option in plain.sorts if option.selected] == ["relevance"]
    assert [chip.kind for chip in plain.chips] == ["q"]
    assert ask(shop, brand, "lave-linge").cheapest_first is None


def test_a_category_that_was_understood_is_not_chosen_twice(shop: Shop, brand: Brand) -> None:
    answer = ask(shop, brand, "lave-linge pas cher 8 kg moins de 400 €")
    assert "category" in {piece.kind for piece in answer.understood}
    assert answer.cheapest_first is not None
    assert "category" not in parse_qs(urlsplit(answer.cheapest_first.url).query)
