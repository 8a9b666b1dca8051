"""Unit prices, the lowest of 30 days and the drawn history."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from kernel.money import Money
from search_api.price_facts import UnitPrice
from search_api.price_history import price_history, within
from search_api.unit_price import unit_price
from tests.indexer.documents import document

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TODAY = (date(2026, 11, 22) - date(1970, 1, 1)).days


@pytest.mark.parametrize(
    ("stated", "minor", "unit", "per"),
    [
        ({"content": "500 g"}, 499, "kg", 998),
        ({"content": "750 ml"}, 1000, "l", 1333),
        ({"content": "250 g", "pack_count": "4"}, 1000, "kg", 1000),
        ({"pack_count": "6"}, 1000, "piece", 167),
        ({"content": "0.5 g"}, 100, "kg", 200000),
    ],
)
def test_unit_prices(stated: dict[str, str], minor: int, unit: str, per: int) -> None:
    assert unit_price(stated, minor, "EUR") == UnitPrice(price=Money(per, "EUR"), unit=unit)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "stated",
    [{}, {"content": "0 g"}, {"content": "a lot"}, {"pack_count": "0"}, {"pack_count": "1"},
     {"content": "9" * 60 + " g"}, {"pack_count": "-3"}],
)  # fmt: skip
def test_an_unknown_quantity_has_no_unit_price(stated: dict[str, str]) -> None:
    assert unit_price(stated, 100, "EUR") is None
    assert unit_price({"content": "500 g"}, None, "EUR") is None


@pytest.mark.parametrize(
    ("path", "has_one"),
    [((604, 736), False), ((604, 751), False), ((166, 100), False), ((536, 662), False),
     ((536, 1868), True), ((469, 479), True), ((222, 356), True), ((), True)],
)  # fmt: skip
def test_what_a_thing_holds_is_not_what_is_sold(path: tuple[int, ...], has_one: bool) -> None:
    """A coffee machine with a tank of 1.8 litres has no price per litre; coffee and perfume do."""
    found = unit_price({"content": "1800 ml"}, 49_000, "EUR", path)
    assert (found is not None) == has_one
    packed = unit_price({"content": "1800 ml", "pack_count": "2"}, 49_000, "EUR", path)
    assert packed is not None
    assert (packed.unit == "piece") != has_one


def test_the_lowest_of_30_days_is_of_those_days_alone() -> None:
    steps = ((TODAY - 60, 100), (TODAY - 40, 500), (TODAY - 20, 400), (TODAY - 5, 450))
    history = price_history(document("p", "Kettle", price_steps=steps), NOW)
    assert history is not None
    assert (history.lowest_30.minor, history.lowest_30_since) == (400, "2026-11-02")
    assert history.lowest.minor == 100
    assert history.days == 61


def test_a_price_in_force_when_the_30_days_began_counts() -> None:
    assert within(((10, 5), (50, 7)), 20, 60) == [(20, 5), (50, 7)]
    history = price_history(
        document("p", "K", price_steps=((TODAY - 50, 300), (TODAY - 1, 900))), NOW
    )
    assert history is not None
    assert history.lowest_30.minor == 300


@pytest.mark.parametrize("steps", [(), ((TODAY - 3, None),), ((TODAY - 80, 5), (TODAY - 60, None))])
def test_without_a_price_there_is_no_history(steps: tuple[tuple[int, int | None], ...]) -> None:
    assert price_history(document("p", "Kettle", price_steps=steps), NOW) is None


def test_the_chart_has_a_line_for_each_stretch_and_stays_inside() -> None:
    steps = ((TODAY - 30, 300), (TODAY - 20, None), (TODAY - 10, 500), (TODAY, 400))
    history = price_history(document("p", "Kettle", price_steps=steps), NOW)
    assert history is not None
    chart = history.chart
    assert len(chart.lines) == 2
    assert chart.lines[0].startswith("M8.0 ")
    assert chart.high_y < chart.low_y
    assert 0 < chart.last_x < chart.width
    one = price_history(document("p", "Kettle", price_steps=((TODAY, 300),)), NOW)
    assert one is not None
    assert len(one.chart.lines) == 1
