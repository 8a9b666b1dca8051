"""Addresses of searches: read from anybody, written for sharing."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.engine import WINDOW
from search_api.query import (
    MAX_TEXT,
    MAX_VALUES,
    PER_PAGE,
    ShopQuery,
    address,
    page_count,
    read_query,
)


def read(query_string: str) -> ShopQuery:
    return read_query(parse_qsl(query_string, keep_blank_values=True), "EUR")


def test_everything_is_read() -> None:
    """Several values by repetition, amounts in major units."""
    query = read(
        "q=lave+linge&category=328-laptops&category=305&manufacturer=De%27Longhi&merchant=darti"
        "&availability=in_stock&price_min=10&price_max=1.299,50&sort=price_asc&page=3"
    )
    assert query == ShopQuery(
        currency="EUR",
        text="lave linge",
        categories=(328, 305),
        manufacturers=("delonghi",),
        merchants=("darti",),
        availabilities=("in_stock",),
        price_min=1000,
        price_max=129950,
        sort="price_asc",
        page=3,
    )
    assert query.offset == 2 * PER_PAGE


@pytest.mark.parametrize(
    ("query_string", "ignored"),
    [
        ("page=abc", ("page",)),
        ("page=0", ("page",)),
        ("page=-1", ("page",)),
        ("page=1e9", ("page",)),
        ("page=99999", ("page",)),
        ("page=²", ("page",)),
        ("q[]=x", ("q[]",)),
        ("category=abc", ("category",)),
        ("category=999999999", ("category",)),
        ("availability=maybe", ("availability",)),
        ("price_min=cheap", ("price_min",)),
        ("price_min=-5", ("price_min",)),
        ("price_max=1e5", ("price_max",)),
        ("price_max=99999999999999", ("price_max",)),
        ("price_min=20&price_max=10", ("price_max",)),
        ("sort=random()", ("sort",)),
        ("merchant=../../etc", ("merchant",)),
        ("q=a&q=b", ("q",)),
        ("q=" + "x" * 10_000, ("q",)),
    ],
)
def test_what_cannot_be_read_is_named(query_string: str, ignored: tuple[str, ...]) -> None:
    """Never an error, and never in silence."""
    assert read(query_string).ignored == ignored


@pytest.mark.parametrize(
    "query_string", ["", "price_min=&price_max=&q=", "utm_source=x&filters=1&lang=fr", "category="]
)
def test_empty_and_foreign_parameters_pass(query_string: str) -> None:
    """A form sends its empty fields; other names are not ours."""
    assert read(query_string) == ShopQuery("EUR")


@pytest.mark.parametrize(
    ("typed", "minor"),
    [("12", 1200), ("12,5", 1250), ("1 299,50", 129950), ("1,299.50", 129950), ("1.299", 129900),
     ("12.", 1200), ("10 €", 1000)],
)  # fmt: skip
def test_amounts_as_people_type_them(typed: str, minor: int) -> None:
    """Both decimal marks, with or without thousands."""
    assert read_query([("price_min", typed)], "EUR").price_min == minor


def test_control_characters_are_blanks() -> None:
    """What is not printable is not searched for."""
    assert read_query([("q", "red\x00\x1b[31m\u202e lamp\n")], "EUR").text == "red [31m lamp"


def test_floods_are_bounded() -> None:
    """Text, values and pairs."""
    assert len(read("q=" + "word+" * 4_000).text) <= MAX_TEXT
    many = read("&".join(f"manufacturer=m{n}" for n in range(150)))
    assert len(many.manufacturers) == MAX_VALUES
    assert many.ignored == ("manufacturer",)


def test_addresses_are_readable_and_short() -> None:
    """Defaults are left out; a category carries its name in the reader's language."""
    assert address(ShopQuery("EUR"), "fr") == "/search"
    query = ShopQuery("EUR", text="été", categories=(328,), price_max=12950, page=2)
    assert address(query, "de") == (
        "/search?q=%C3%A9t%C3%A9&category=328-notebooks&price_max=129.5&page=2"
    )


QUERIES = st.builds(
    ShopQuery,
    currency=st.just("EUR"),
    text=st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=40),
    categories=st.lists(st.sampled_from([328, 305, 222, 404]), unique=True).map(tuple),
    manufacturers=st.lists(st.sampled_from(["a", "b-c"]), unique=True).map(tuple),
    merchants=st.lists(st.sampled_from(["m", "src/seller"]), unique=True).map(tuple),
    availabilities=st.lists(st.sampled_from(["in_stock", "unknown"]), unique=True).map(tuple),
    price_min=st.none() | st.integers(0, 10_000),
    price_max=st.none() | st.integers(10_000, 99_999_999),
    sort=st.sampled_from(["relevance", "price_asc", "price_desc", "newest"]),
    page=st.integers(1, WINDOW // PER_PAGE),
)


@given(QUERIES)
def test_an_address_is_read_back(query: ShopQuery) -> None:
    """`read_query` inverts `address`."""
    assert read(urlsplit(address(query, "fr")).query) == query


@given(
    st.lists(
        st.tuples(
            st.text(max_size=12)
            | st.sampled_from(["q", "page", "category", "price_min", "sort", "q[x]"]),
            st.text(max_size=40),
        ),
        max_size=12,
    )
)
def test_any_pairs_are_answered(pairs: list[tuple[str, str]]) -> None:
    """No input raises."""
    query = read_query(pairs, "EUR")
    assert 1 <= query.page <= WINDOW // PER_PAGE
    assert len(query.text) <= MAX_TEXT


def test_pages_stay_within_the_window() -> None:
    """The last page ends before the window does."""
    assert page_count(0) == 1
    assert page_count(24) == 1
    assert page_count(25) == 2
    assert page_count(1_000_000) * PER_PAGE <= WINDOW
