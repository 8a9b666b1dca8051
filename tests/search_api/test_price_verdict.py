"""The price verdict: by days, with what it rests on, and nothing where too little is known."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from search_api.price_verdict import LEAST_DAYS, PriceVerdict, daily_prices, price_verdict
from tests.indexer.documents import document, offer

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TODAY = (date(2026, 11, 22) - date(1970, 1, 1)).days
Steps = tuple[tuple[int, int | None], ...]


def verdict_on(asked: int, *steps: tuple[int, int | None]) -> PriceVerdict:
    """The verdict where one new offer asks so much; steps are (days ago, price)."""
    lines = (offer("darti", asked),)
    found = document(
        "p", "Kettle", offers=lines, price_steps=tuple((TODAY - ago, price) for ago, price in steps)
    )
    verdict = price_verdict(found, lines, NOW)
    assert verdict is not None
    return verdict


@pytest.mark.parametrize(
    ("asked", "steps", "expected"),
    [
        (900, ((90, 1000), (5, 900)), "low"),
        (700, ((90, 1000),), "low"),
        (1000, ((90, 1000),), "usual"),
        # Cents are no news, up or down.
        (980, ((90, 1000),), "usual"),
        (1020, ((90, 1000),), "usual"),
        (1100, ((90, 1000), (5, 1100)), "high"),
        # A price that has stood for a month is no sale any more.
        (900, ((90, 1000), (60, 900)), "usual"),
        # It was so cheap for a third of the days, and cheaper before: not low.
        (900, ((90, 800), (60, 1000), (30, 900)), "usual"),
        # One day at a mistaken price makes nothing dear.
        (1000, ((90, 1000), (50, 1), (49, 1000)), "usual"),
    ],
)
def test_low_usual_and_high(
    asked: int, steps: tuple[tuple[int, int | None], ...], expected: str
) -> None:
    assert verdict_on(asked, *steps).verdict == expected


def test_it_says_what_it_rests_on() -> None:
    verdict = verdict_on(900, (120, 1200), (40, 1000), (20, None), (10, 1100), (2, 900))
    assert (verdict.verdict, verdict.days, verdict.prices) == ("low", 80, 4)
    assert (verdict.cheaper_days, verdict.dearer_days) == (0, 78)
    assert verdict.usual_low is not None
    assert verdict.usual_high is not None
    assert (verdict.usual_low.minor, verdict.usual_high.minor) == (1000, 1200)
    assert verdict.lowest is not None
    assert verdict.lowest.minor == 900


@pytest.mark.parametrize(
    "steps",
    [
        (),
        ((LEAST_DAYS - 1, 1000),),
        ((90, None), (LEAST_DAYS - 1, 1000)),
        ((90, 1000), (61, None)),
    ],
)
def test_a_thin_history_gives_no_verdict(steps: tuple[tuple[int, int | None], ...]) -> None:
    verdict = verdict_on(1, *steps)
    assert verdict.verdict == "unknown"
    assert verdict.days < verdict.days_needed == LEAST_DAYS
    assert verdict.scale is None
    assert verdict_on(1, (LEAST_DAYS, 1000)).verdict == "low"


def test_the_price_asked_now_is_judged_not_the_cheapest_of_today() -> None:
    """Raised this morning: the day's lowest is the old price, the reader pays the new one."""
    assert verdict_on(1200, (90, 1000), (0, 1000)).verdict == "high"


def test_only_what_is_new_and_can_be_bought_is_judged() -> None:
    lines = (
        offer("darti", 500, condition="used"),
        offer("voltina", 600, availability="out_of_stock"),
        offer("elektrohaus", None),
    )
    steps = ((TODAY - 90, 1000),)
    assert price_verdict(document("p", "K", offers=lines, price_steps=steps), lines, NOW) is None
    more = (*lines, offer("darti", 1100, delivery_minor=400, total_minor=1500))
    verdict = price_verdict(document("p", "K", offers=more, price_steps=steps), more, NOW)
    assert verdict is not None
    assert verdict.asked.minor == 1100


def test_the_scale_holds_the_band_and_the_price() -> None:
    scale = verdict_on(2000, (90, 1000), (45, 1500)).scale
    assert scale is not None
    assert (scale.low.minor, scale.high.minor) == (1000, 2000)
    assert 0 < scale.band_x < scale.band_x + scale.band_width < scale.at_x < scale.width
    below = verdict_on(500, (90, 1000)).scale
    assert below is not None
    assert below.at_x < below.band_x
    alone = verdict_on(1000, (90, 1000)).scale
    assert alone is not None
    assert alone.at_x == alone.width / 2


def test_days_without_a_price_are_left_out() -> None:
    assert daily_prices([], 1, 5) == []
    assert daily_prices([(9, 5)], 1, 5) == []
    assert daily_prices([(2, 7), (4, None), (5, 8)], 1, 6) == [7, 7, 8, 8]
