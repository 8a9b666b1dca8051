"""Suggestions: typed, begun or mistyped, of one brand and language."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_api.suggest import Suggestion, _going_on, unique
from search_api.suggest_table import Phrase, SuggestTable
from tests.search_api.real_shop import GERMAN, SECRET, RealShop
from tests.search_api.test_native_api import settle

TABLE = SuggestTable(
    [
        Phrase("query", "machine à laver", "machine à laver", 9),
        Phrase("query", "lave-linge hublot", "lave-linge hublot", 20),
        Phrase("category", "Réfrigérateurs", "686", 4),
        Phrase("manufacturer", "Ampère", "ampere", 3),
    ],
    {"lave": 9, "lampe": 30, "laver": 4, "refrigerateur": 7, "nordlys": 3, "ecran": 5},
    "fr",
)


def test_a_phrase_is_found_by_the_beginning_of_any_of_its_words() -> None:
    assert [row.text for row in TABLE.phrases("la", "query", 5)] == [
        "lave-linge hublot",
        "machine à laver",
    ]
    assert [row.text for row in TABLE.phrases("à la", "query", 5)] == ["machine à laver"]
    assert [row.value for row in TABLE.phrases("refri", "category", 5)] == ["686"]
    assert [row.value for row in TABLE.phrases("AMPÈ", "manufacturer", 5)] == ["ampere"]
    assert TABLE.phrases("zz", "query", 5) == []


def test_words_go_on_most_frequent_first() -> None:
    assert TABLE.words("la", 3) == ["lampe", "lave", "laver"]
    assert TABLE.words("lave", 3) == ["lave", "laver"]
    assert TABLE.words("xx", 3) == []


@pytest.mark.parametrize(
    ("typed", "is_beginning", "read"),
    [
        ("lamep", False, "lampe"),
        ("lanpe", False, "lampe"),
        ("lmpe", False, "lampe"),
        ("lamppe", False, "lampe"),
        ("refirg", True, "refrig"),
        ("zzzzz", True, None),
    ],
)
def test_one_typing_error_is_read(typed: str, is_beginning: bool, read: str | None) -> None:
    assert TABLE.corrected(typed, is_beginning=is_beginning) == read


def test_a_begun_word_goes_on_as_it_is_written_and_a_number_not_at_all() -> None:
    written = {"refrigerateur": "réfrigérateur"}
    assert [row.text for row in _going_on("grand refr", TABLE, written)] == ["grand réfrigérateur"]
    numbers = SuggestTable([], {"8000": 5, "800": 2}, "fr")
    assert _going_on("wx 80", numbers, {}) == []


@given(st.text(max_size=40))
def test_any_text_can_be_looked_up(typed: str) -> None:
    for kind in ("query", "category", "manufacturer"):
        TABLE.phrases(typed, kind, 3)  # type: ignore[arg-type]
    TABLE.words(typed, 3)


def test_a_maker_goes_before_the_same_words_as_a_query() -> None:
    asked = Suggestion(type="query", text="nordlys", url="/search?q=nordlys")
    maker = Suggestion(type="manufacturer", text="Nordlys", url="/search?manufacturer=nordlys")
    other = Suggestion(type="query", text="nord", url="/search?q=nord")
    assert unique([asked, other, maker, asked]) == (maker, other)


def suggest(shop: RealShop, typed: str, host: str = "mirabelle.localhost") -> dict[str, Any]:
    with shop.client(host) as client:
        answer = client.get("/v1/suggest", params={"q": typed})
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture(scope="module")
def warm(shop: RealShop) -> RealShop:
    """The tables are there."""
    until = 100
    while until and not any(
        row["type"] == "manufacturer" for row in suggest(shop, "nor")["suggestions"]
    ):
        until -= 1
        settle(shop, "SELECT pg_sleep(0.05)")
    suggest(shop, "geh", GERMAN)
    settle(shop, "SELECT pg_sleep(0.5)")
    return shop


def test_each_kind_is_proposed_with_an_address_that_works(warm: RealShop) -> None:
    found = suggest(warm, "nor")["suggestions"]
    assert {row["type"] for row in found} == {"manufacturer", "product"}
    begun = suggest(warm, "la")["suggestions"]
    lamp = {"type": "query", "text": "lampe", "url": "/search?q=lampe", "from_total": None}
    assert lamp in begun
    prices = {row["text"]: row["from_total"] for row in found if row["type"] == "product"}
    assert prices["Nordlys Book 14 64 GB"] == {"minor": 85_064, "currency": "EUR"}
    categories = [row for row in suggest(warm, "ordin")["suggestions"] if row["type"] == "category"]
    assert categories[0]["text"] == "Ordinateurs portables"
    with warm.client() as client:
        for row in [*found, *begun, *categories]:
            assert client.get(row["url"]).status_code == 200, row


def test_a_mistyped_beginning_is_read_and_said(warm: RealShop) -> None:
    found = suggest(warm, "nrodl")
    assert found["read_as"] == "nordl"
    assert any(row["text"].startswith("Nordlys") for row in found["suggestions"])


def test_nothing_of_another_brand_is_proposed(warm: RealShop) -> None:
    assert suggest(warm, SECRET.lower())["suggestions"] == []
    assert suggest(warm, SECRET.lower(), GERMAN)["suggestions"]


@pytest.mark.parametrize("typed", ["", " ", "\0", "x" * 10_000, "é" * 300, "🦄", "'\"<>&", "%"])
def test_odd_beginnings_are_answered(warm: RealShop, typed: str) -> None:
    suggest(warm, typed)
    with warm.client() as client:
        page = client.get("/suggest", params={"q": typed})
        assert page.status_code == 200
        assert client.get("/v1/suggest?q=%ff%fe&limit=abc").status_code == 200


def test_the_pages_list_is_options_alone(warm: RealShop) -> None:
    with warm.client() as client:
        page = client.get("/suggest", params={"q": "nor"}).text
        empty = client.get("/suggest", params={"q": "\0"}).text
    assert 'role="option" id="suggestion-1" aria-selected="false" data-url="/' in page
    assert "<html" not in page
    assert empty.strip() == ""
