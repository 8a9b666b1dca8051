"""What a product is worth: robust, monotone in grade, honest where little is known."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.db import Database
from kernel.money import Money
from kernel.offer_terms import Grade
from mdm.argus.observations import HALF_LIFE_DAYS, Course, Sale, Voice, voices
from mdm.argus.reading import argus_of, main_currency
from mdm.argus.sales import SoldArticle, record_sales, take_back_sales
from mdm.argus.value import SCALE, Value, decreasing, values, weighted_quantile
from mdm.offer_rows import offer_id_of
from tests.mdm.offers_at_hand import load, merchants, products, raw

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def _voice(minor: int, merchant: str = "m", weight: float = 1.0, *, sale: bool = False) -> Voice:
    return Voice(merchant, sale, ((minor, weight),))


def _asked(*prices: int) -> list[Voice]:
    return [_voice(price, f"m{n}") for n, price in enumerate(prices)]


def _value(found: Value | None) -> Value:
    assert found is not None
    return found


def test_the_value_is_the_middle_with_an_interval_and_its_sample() -> None:
    said = {Grade.NEW: [*_asked(9000, 9900, 10000, 10100, 11000), _voice(10000, "m0", sale=True)]}
    found = _value(values(said)[Grade.NEW])
    assert found == Value(10000, 9000, 11000, offers=5, sales=1)
    many = {Grade.NEW: _asked(*range(9000, 11001, 20))}
    wide, narrow = found, _value(values(many)[Grade.NEW])
    assert narrow.high_minor - narrow.low_minor < wide.high_minor - wide.low_minor


@pytest.mark.parametrize(
    "said",
    [
        [],
        _asked(100, 200),
        [_voice(100, "one"), _voice(110, "one"), _voice(120, "one")],
        [_voice(100, f"m{n}", 0.01) for n in range(5)],
    ],
    ids=["nobody", "two", "one merchant", "long ago"],
)
def test_where_little_is_known_the_answer_is_unknown(said: list[Voice]) -> None:
    assert values({Grade.GOOD: said})[Grade.GOOD] is None


def test_three_sales_of_one_merchant_are_enough() -> None:
    sold = [_voice(price, "one", sale=True) for price in (100, 110, 120)]
    assert _value(values({Grade.GOOD: sold})[Grade.GOOD]).minor == 110


def test_grades_against_the_scale_are_pooled_and_say_so() -> None:
    said = {Grade.NEW: _asked(*[10000] * 5), Grade.GOOD: _asked(*[6000] * 5),
            Grade.ACCEPTABLE: _asked(*[7000] * 5)}  # fmt: skip
    found = values(said)
    good, acceptable = _value(found[Grade.GOOD]), _value(found[Grade.ACCEPTABLE])
    assert good.minor == acceptable.minor == 6500
    assert good.pooled
    assert not _value(found[Grade.NEW]).pooled
    assert good.low_minor <= 6500 <= good.high_minor


def test_goods_of_unknown_grade_stand_apart() -> None:
    said = {Grade.NEW: _asked(*[5000] * 4), Grade.UNKNOWN: _asked(*[6000] * 4)}
    found = values(said)
    assert _value(found[Grade.NEW]).minor == 5000
    assert _value(found[Grade.UNKNOWN]).minor == 6000


_prices = st.integers(1, 10_000_000)
_said = st.dictionaries(
    st.sampled_from([*SCALE, Grade.UNKNOWN]),
    st.lists(
        st.builds(
            Voice,
            merchant_id=st.sampled_from(["a", "b", "c"]),
            is_sale=st.booleans(),
            shares=st.lists(st.tuples(_prices, st.floats(1e-6, 2.0)), min_size=1, max_size=3).map(
                tuple
            ),
        ),
        max_size=12,
    ),
)


@settings(max_examples=200, deadline=None)
@given(_said)
def test_every_answer_is_monotone_and_inside_its_interval_and_its_data(
    said: dict[Grade, list[Voice]],
) -> None:
    found = values(said)
    assert set(found) == {*SCALE, Grade.UNKNOWN}
    chain = [value.minor for grade in SCALE if (value := found[grade]) is not None]
    assert chain == sorted(chain, reverse=True)
    stated = [price for each in said.values() for voice in each for price, _ in voice.shares]
    for grade, value in found.items():
        if value is not None:
            assert value.low_minor <= value.minor <= value.high_minor
            assert min(stated) <= value.low_minor
            assert value.high_minor <= max(stated)
            assert 3 <= value.offers + value.sales <= len(said[grade])


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(9_000, 11_000), min_size=8, max_size=40),
    st.data(),
)
def test_a_fifth_of_nonsense_moves_the_value_by_little(
    clean: list[int], data: st.DataObject
) -> None:
    wrong = data.draw(st.lists(_prices, max_size=len(clean) // 4))
    found = _value(values({Grade.NEW: _asked(*clean, *wrong)})[Grade.NEW])
    assert min(clean) <= found.minor <= max(clean)


@given(st.lists(st.tuples(_prices, st.floats(0.01, 100)), max_size=8))
def test_pooling_never_leaves_the_data_and_keeps_what_is_in_order(
    points: list[tuple[int, float]],
) -> None:
    found = decreasing(points)
    assert len(found) == len(points)
    assert found == sorted(found, reverse=True)
    levels = [level for level, _ in points]
    if levels == sorted(levels, reverse=True):
        assert found == levels
    if levels:
        assert min(levels) <= min(found)
        assert max(found) <= max(levels)


@given(st.lists(st.tuples(_prices, st.floats(0.01, 10)), min_size=1, max_size=9), st.randoms())
def test_a_quantile_is_one_of_the_values(
    prices: list[tuple[int, float]], chance: random.Random
) -> None:
    share = chance.random()
    assert weighted_quantile(sorted(prices), share) in {price for price, _ in prices}


def _course(merchant: str, *points: tuple[int, int | None], until: int = 0) -> Course:
    """Points are (days ago, price)."""
    return Course(
        f"off_{merchant}", merchant, Grade.NEW,
        tuple((NOW - timedelta(days=ago), price) for ago, price in points),
        NOW - timedelta(days=until),
    )  # fmt: skip


def test_an_offer_is_one_voice_shared_by_how_long_each_price_stood() -> None:
    course = _course("a", (60, 1000), (10, 900))
    (voice,) = voices([course], [], NOW)[Grade.NEW]
    assert voice.weight == pytest.approx(1.0)
    shares = dict(voice.shares)
    assert shares[1000] > shares[900] > 0
    same = voices([_course("a", (60, 900), (30, 900))], [], NOW)[Grade.NEW]
    assert same[0].shares == ((900, pytest.approx(1.0)),)


def test_what_ended_fades_and_what_could_not_be_bought_says_nothing() -> None:
    ended = _course("a", (2 * HALF_LIFE_DAYS, 1000), until=HALF_LIFE_DAYS)
    (voice,) = voices([ended], [], NOW)[Grade.NEW]
    assert voice.weight == pytest.approx(0.5)
    assert voices([_course("a", (10, None))], [], NOW) == {}
    assert voices([_course("a", (800, 1000), until=500)], [], NOW) == {}
    later = Sale("a", Grade.GOOD, 500, NOW + timedelta(days=1))
    assert voices([], [later], NOW) == {}
    now = _course("a", (0, 1000))
    assert voices([now], [], NOW)[Grade.NEW][0].weight == pytest.approx(1.0)


def test_from_offers_and_sales_in_the_database(database: Database) -> None:
    shops = ("alpha", "beta", "gamma", "attic")
    merchants(database, *shops)
    phone = "Norvalis Lumen 6 Smartphone 128 GB black"
    code = ("4006381333931",)
    for number, shop in enumerate(shops[:3]):
        load(database, shop, [raw("1", phone, f"{500 + number}.00", gtins=code)])
    with database.platform() as tx:
        now = datetime.now(UTC) + timedelta(seconds=1)
        (product_id,) = set(products(database).values())
        assert main_currency(tx, product_id) == "EUR"
        argus = argus_of(tx, product_id, "EUR", now)
        assert _value(argus.values[Grade.NEW]) == Value(50100, 50000, 50200, 3, 0)
        assert argus.values[Grade.GOOD] is None
        assert argus_of(tx, product_id, "USD", now).values[Grade.NEW] is None
        sold = [
            SoldArticle(f"leg{n}/1", offer_id_of("alpha", "1"), Money(48000, "EUR"), now)
            for n in range(3)
        ]
        gone = SoldArticle("leg9/1", "off_unknown", Money(48000, "EUR"), now)
        gift = SoldArticle("leg8/1", offer_id_of("alpha", "1"), Money(0, "EUR"), now)
        assert record_sales(tx, [*sold, gone, gift]) == 3
        assert record_sales(tx, sold) == 0, "the same sales again"
        after = _value(
            argus_of(tx, product_id, "EUR", now + timedelta(seconds=1)).values[Grade.NEW]
        )
        assert (after.minor, after.offers, after.sales) == (48000, 3, 3)
        assert take_back_sales(tx, ["leg0", "leg1", "leg2", "leg"]) == 3
        again = argus_of(tx, product_id, "EUR", now).values[Grade.NEW]
        assert _value(again).sales == 0


def test_two_of_three_that_nearly_agree_do_not_silence_the_third() -> None:
    found = _value(values({Grade.NEW: _asked(51_999, 52_999, 61_999)})[Grade.NEW])
    assert (found.minor, found.low_minor, found.high_minor) == (52_999, 51_999, 61_999)
    assert found.offers == 3


def test_the_middle_of_an_even_number_is_halfway() -> None:
    assert _value(values({Grade.NEW: _asked(100, 104, 106, 110)})[Grade.NEW]).minor == 105


def test_what_is_left_out_is_no_part_of_the_sample() -> None:
    found = _value(values({Grade.NEW: _asked(1, 520, 525, 530, 535)})[Grade.NEW])
    assert found.offers == 4
    assert found.low_minor >= 520
    assert values({Grade.NEW: _asked(1, 520, 530)})[Grade.NEW] is None
