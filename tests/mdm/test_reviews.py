"""The queue of questions: each pair once, most at stake first, answered ones never again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.db import Database
from mdm.match.decision import Review
from mdm.offer_rows import offer_id_of
from mdm.stewardship import reviews
from mdm.stewardship.decisions import couple, lift, rule, ruled_for, swap_force
from mdm.stewardship.stake import LEAST_UNCERTAIN, Traffic, stake, uncertainty
from mdm.stewardship.weighing import weigh_all
from tenants.query_log import LoggedQuery, QueryEvent, write_batch
from tests.conftest import fresh_database
from tests.mdm.offers_at_hand import load, merchants, products, raw

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
BAND = (0.3, 0.9)


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    """Three lamps of two merchants, each a product of its own."""
    opened = Database(fresh_database(postgres_url))
    merchants(opened, "alpha", "beta")
    load(opened, "alpha", [raw("a", "Lampe Torvald de table", "40.00")])
    load(
        opened,
        "beta",
        [raw("b", "Perceuse Bohrwick 18", "90.00"), raw("c", "Horloge Ostmark", "41.00")],
    )
    yield opened
    opened.close()


def off(merchant: str, sku: str) -> str:
    return offer_id_of(merchant, sku)


A, B, C = off("alpha", "a"), off("beta", "b"), off("beta", "c")


def review(one: str, other: str, probability: float = 0.6, product: str | None = None) -> Review:
    return Review(one, other, product, probability, {"for": [["same words", 1.2]]})


def asked(database: Database) -> list[tuple[str, str]]:
    with database.platform() as tx:
        return [(each.offer_id, each.against) for each in reviews.queue(tx, 50)]


def act(database: Database) -> int:
    with database.platform() as tx:
        return int(
            tx.exec_driver_sql(
                "INSERT INTO mdm.stewardship_act (kind, who, at, asked) "
                "VALUES ('merge', 'Ann', now(), '{}') RETURNING act_id"
            ).scalar_one()
        )


def test_what_costs_more_is_asked_first(database: Database) -> None:
    with database.platform() as tx:
        assert reviews.put_reviews(tx, [review(A, C), review(A, B)], NOW) == 2
    # 40 and 90 euros differ by more than 40 and 41.
    assert asked(database) == [(A, B), (A, C)]


def test_a_pair_is_one_question_whichever_side_it_is_put_from(database: Database) -> None:
    with database.platform() as tx:
        reviews.put_reviews(tx, [review(A, C), review(C, A, 0.7)], NOW)
        reviews.put_reviews(tx, [review(C, A, 0.4)], NOW)
        (found,) = reviews.queue(tx, 50)
    assert (found.offer_id, found.probability) == (C, pytest.approx(0.4))


def test_one_question_for_an_offer_and_a_product_and_a_few_for_an_offer(database: Database) -> None:
    many = [review(A, f"off_{n}", 0.5 + n / 100, f"prd_{n}") for n in range(9)]
    with database.platform() as tx:
        reviews.put_reviews(tx, [review(A, B, 0.5, "prd"), review(A, C, 0.6, "prd")], NOW)
        assert [each.against for each in reviews.queue(tx, 9)] == [C]
        reviews.put_reviews(tx, many, NOW)
        stored = tx.exec_driver_sql("SELECT count(*) FROM mdm.review").scalar_one()
    assert stored == 1 + reviews.MOST_PER_OFFER


def test_a_question_lapses_with_its_offer_and_comes_again(database: Database) -> None:
    with database.platform() as tx:
        reviews.put_reviews(tx, [review(A, C)], NOW)
        assert reviews.drop_reviews(tx, [C]) == 1
    assert asked(database) == []
    with database.platform() as tx:
        reviews.put_reviews(tx, [review(A, C)], NOW)
    assert asked(database) == [(A, C)]


def test_what_was_said_of_a_pair_is_told_and_not_asked_again(database: Database) -> None:
    number = act(database)
    with database.platform() as tx:
        assert len(rule(tx, number, [couple(C, A)], "different")) == 1
        assert rule(tx, number, [couple(A, C)], "different") == []
        assert reviews.put_reviews(tx, [review(A, C)], NOW) == 0
        ruled = ruled_for(tx, [A])
        assert (ruled.apart, ruled.together) == (frozenset({couple(A, C)}), frozenset())
        assert ruled_for(tx, [B]).apart == frozenset()


def test_a_newer_word_stands_until_it_is_taken_back(database: Database) -> None:
    number = act(database)
    with database.platform() as tx:
        first = rule(tx, number, [couple(A, C)], "different")
        ended = lift(tx, [couple(A, C)])
        begun = rule(tx, number, [couple(A, C)], "same")
        assert ended == first
        assert ruled_for(tx, [C]).together == {couple(A, C)}
        swap_force(tx, begun, ended)
        assert ruled_for(tx, [C]).apart == {couple(A, C)}
        # Brought back once more, where a newer word stands by now: that one stays.
        lift(tx, [couple(A, C)])
        assert len(rule(tx, number, [couple(A, C)], "same")) == 1
        swap_force(tx, [], first)
        assert ruled_for(tx, [C]).together == {couple(A, C)}


def test_traffic_brings_a_question_forward_and_old_traffic_does_not(database: Database) -> None:
    places = products(database)
    lamp, clock = places["alpha/a"], places["beta/c"]
    with database.platform() as tx:
        reviews.put_reviews(tx, [review(A, B), review(B, C)], NOW)
        assert [each.against for each in reviews.queue(tx, 9)] == [B, C]
        assert weigh_all(tx, NOW) == 0
    with database.brand("mirabelle") as tx:
        write_batch(tx, [_met("q1", clock, NOW - timedelta(days=3))], [_went_on("q1", clock)])
        write_batch(tx, [_met("q2", lamp, NOW - timedelta(days=40))], [])
    with database.platform() as tx:
        assert weigh_all(tx, NOW) == 1
        assert weigh_all(tx, NOW) == 0
        assert [each.against for each in reviews.queue(tx, 9)] == [C, B]


def _met(query_id: str, product_id: str, asked_at: datetime) -> LoggedQuery:
    return LoggedQuery(
        brand_id="mirabelle",
        query_id=query_id,
        asked_at=asked_at,
        door="page",
        language="fr",
        words="horloge",
        filters={},
        sort="relevance",
        first_position=1,
        products=(product_id,),
        total=1,
        relaxation=None,
        ranking_version=1,
    )


def _went_on(query_id: str, product_id: str) -> QueryEvent:
    return QueryEvent("mirabelle", query_id, "click", product_id, 1, NOW - timedelta(days=3))


def test_the_queue_is_read_on_from_where_one_is(database: Database) -> None:
    with database.platform() as tx:
        reviews.put_reviews(tx, [review(A, B), review(A, C), review(B, C)], NOW)
        all_of_them = reviews.queue(tx, 9)
        first, second, third = all_of_them
        assert reviews.queue(tx, 1, (first.stake, first.review_id)) == [second]
        assert reviews.before(tx, third) == second
        assert reviews.before(tx, first) is None
        assert reviews.counts(tx) == {"open": 3, "decided": 0, "lapsed": 0}


PRICES = st.one_of(st.none(), st.integers(min_value=0, max_value=10**9))
TRAFFIC = st.builds(Traffic, st.integers(0, 10**6), st.integers(0, 10**5))


@given(TRAFFIC, st.tuples(PRICES, PRICES), st.floats(0, 1))
def test_a_stake_is_positive_and_does_not_depend_on_the_sides(
    traffic: Traffic, lowest: tuple[int | None, int | None], probability: float
) -> None:
    found = stake(traffic, lowest, probability, BAND)
    assert found > 0
    assert found == stake(traffic, (lowest[1], lowest[0]), probability, BAND)


@given(TRAFFIC, st.tuples(PRICES, PRICES), st.floats(0, 1), st.integers(1, 1000))
def test_a_stake_grows_with_traffic_and_with_the_spread(
    traffic: Traffic, lowest: tuple[int | None, int | None], probability: float, more: int
) -> None:
    found = stake(traffic, lowest, probability, BAND)
    assert stake(traffic + Traffic(more, 0), lowest, probability, BAND) > found
    assert stake(traffic + Traffic(0, 1), lowest, probability, BAND) > stake(
        traffic + Traffic(1, 0), lowest, probability, BAND
    )
    one, other = lowest
    if one is not None and other is not None:
        wider = (min(one, other), max(one, other) + more)
        assert stake(traffic, wider, probability, BAND) >= found


def test_uncertainty_is_greatest_in_the_middle_of_the_band() -> None:
    assert uncertainty(0.6, BAND) == pytest.approx(1.0)
    assert uncertainty(0.45, BAND) == pytest.approx(uncertainty(0.75, BAND)) == pytest.approx(0.5)
    assert uncertainty(0.3, BAND) == uncertainty(0.0, BAND) == LEAST_UNCERTAIN
