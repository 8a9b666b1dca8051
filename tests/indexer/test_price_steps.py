"""The lowest price by day, checked against counting every day anew."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tenants
from indexer.document import ProductDocument
from indexer.price_steps import KEPT_DAYS, price_steps
from mdm.product_view import PriceDay, PriceTrail
from tenants.brand import Brand, brand_from, read_brand_file
from tests.indexer.documents import document


def _brand() -> Brand:
    folder = Path(tenants.__file__).parent / "bundled"
    return brand_from(read_brand_file(folder / "mirabelle.toml")[0])


BRAND = _brand()


def trail(*days: tuple[int, int | None, int | None], **changes: object) -> PriceTrail:
    values = {"merchant_id": "m", "condition": "new", "currency": "EUR", "ended_day": None}
    return PriceTrail(days=tuple(PriceDay(*day) for day in days), **(values | changes))  # type: ignore[arg-type]


def test_a_short_low_counts_for_its_day_alone() -> None:
    assert price_steps([trail((100, 25, 41), (110, 30, 30))], BRAND) == (
        (100, 25), (101, 41), (110, 30),
    )  # fmt: skip


def test_a_cheaper_offer_that_ends_gives_way() -> None:
    steps = price_steps([trail((100, 50, 50)), trail((105, 40, 40), ended_day=107)], BRAND)
    assert steps == ((100, 50), (105, 40), (108, 50))


def test_what_nobody_sells_has_no_price() -> None:
    assert price_steps([trail((100, 50, 50), (103, None, None))], BRAND) == (
        (100, 50), (104, None),
    )  # fmt: skip


@pytest.mark.parametrize("changes", [{"condition": "used"}, {"currency": "CHF"}])
def test_used_articles_and_other_currencies_are_no_part_of_it(changes: dict[str, str]) -> None:
    assert price_steps([trail((100, 50, 50), **changes)], BRAND) == ()


def test_only_the_last_days_are_kept() -> None:
    steps = price_steps([trail((0, 90, 90), (10, 80, 80), (200, 70, 70))], BRAND)
    assert steps == ((200 - KEPT_DAYS, 80), (200, 70))


prices = st.none() | st.integers(1, 99)
days = st.lists(
    st.tuples(st.integers(0, 60), prices, prices), min_size=1, max_size=6, unique_by=lambda d: d[0]
)


@settings(max_examples=60)
@given(st.lists(st.tuples(days, st.none() | st.integers(61, 80)), min_size=1, max_size=4))
def test_steps_agree_with_every_day_counted(
    offers: list[tuple[list[tuple[int, int | None, int | None]], int | None]],
) -> None:
    trails = [trail(*sorted(stated), ended_day=ended) for stated, ended in offers]
    steps = dict(price_steps(trails, BRAND))
    now: int | None = None
    for day in range(90):
        now = steps.get(day, now)
        assert now == min(
            (price for each in trails if (price := _of_day(each, day)) is not None), default=None
        ), day


def _of_day(trail: PriceTrail, day: int) -> int | None:
    """The slow and plain way."""
    if trail.ended_day is not None and day > trail.ended_day:
        return None
    before = [each for each in trail.days if each.day < day]
    today = [each for each in trail.days if each.day == day]
    known = [each.last_minor for each in before[-1:]] + [each.lowest_minor for each in today]
    return min((price for price in known if price is not None), default=None)


def test_a_document_carries_its_steps_through_json() -> None:
    import orjson

    shown = document("p", "Kettle", price_steps=((100, 50), (101, None)))
    assert ProductDocument.from_json(orjson.loads(orjson.dumps(shown.as_json()))) == shown
    earlier = {name: v for name, v in shown.as_json().items() if name != "price_steps"}
    assert ProductDocument.from_json(orjson.loads(orjson.dumps(earlier))).price_steps == ()
