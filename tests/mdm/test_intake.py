"""Intake: the same feed twice and a broken feed change nothing; every refusal is told."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from kernel.db import Database
from kernel.errors import DomainError
from mdm import intake
from mdm.catalogue import head
from mdm.offer_rows import offer_id_of
from mdm.offers import price_history, read_offer
from mdm.quarantine import list_quarantine
from mdm.raw_offer import RawOffer, Refusal
from tests.conftest import fresh_database
from tests.mdm.offers_at_hand import load, merchants, products, raw, snapshot


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    opened = Database(fresh_database(postgres_url))
    merchants(opened, "alpha", "beta")
    yield opened
    opened.close()


def _shelf(count: int = 20, price: int = 10) -> list[RawOffer]:
    return [raw(f"s{n}", f"Kettle model KX{n:03d}Q steel", f"{price + n}.00") for n in range(count)]


def test_the_same_feed_twice_writes_nothing_but_the_run(database: Database) -> None:
    first = load(database, "alpha", _shelf())
    before = snapshot(database)
    shuffled = _shelf()
    random.Random(4).shuffle(shuffled)
    second = load(database, "alpha", shuffled)
    assert (first.landed, first.unchanged, first.state) == (20, 0, "closed")
    assert (second.landed, second.unchanged, second.withdrawn) == (0, 20, 0)
    assert snapshot(database) == before
    with database.platform() as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM mdm.landing").scalar_one() == 0


def test_the_order_of_a_feed_plays_no_part(database: Database, postgres_url: str) -> None:
    other = Database(fresh_database(postgres_url))
    merchants(other, "alpha", "beta")
    offers = _shelf()
    reordered = offers[::-1]
    for each, feed in ((database, offers), (other, reordered)):
        load(each, "alpha", feed, match=False)
        load(each, "beta", feed)
    assert snapshot(database) == snapshot(other)
    other.close()


def test_a_changed_price_lands_keeps_its_product_and_is_remembered(database: Database) -> None:
    load(database, "alpha", _shelf())
    placed = products(database)
    changed = [replace(each, price="9.50") if each.sku == "s3" else each for each in _shelf()]
    with database.platform() as tx:
        position = head(tx)
    summary = load(database, "alpha", changed)
    assert (summary.landed, summary.unchanged) == (1, 19)
    assert products(database) == placed
    offer_id = offer_id_of("alpha", "s3")
    with database.platform() as tx:
        offer = read_offer(tx, offer_id)
        assert offer is not None
        assert offer.price is not None
        assert offer.price.minor == 950
        assert [p.price.minor for p in price_history(tx, offer_id) if p.price] == [1300, 950]
        assert head(tx) == position + 1


def test_offers_no_longer_listed_are_withdrawn_and_come_back(database: Database) -> None:
    load(database, "alpha", _shelf())
    placed = products(database)
    assert load(database, "alpha", _shelf()[:18]).withdrawn == 2
    assert set(placed) - set(products(database)) == {"alpha/s18", "alpha/s19"}
    assert load(database, "alpha", _shelf()).landed == 2
    assert products(database) == placed


@pytest.mark.parametrize(
    ("feed", "reason"),
    [
        (_shelf()[:10], "10 of 20 offers vanished"),
        ([], "20 of 20 offers vanished"),
        ([replace(each, price=f"{each.price}"[:-3] + "00") for each in _shelf()], "median price"),
        ([replace(each, price="5.00") for each in _shelf()], "median price"),
    ],
)
def test_a_bad_feed_is_parked_and_changes_nothing(
    database: Database, feed: list[RawOffer], reason: str
) -> None:
    load(database, "alpha", _shelf())
    before = snapshot(database)
    summary = load(database, "alpha", feed)
    assert summary.state == "parked"
    assert reason in (summary.reason or "")
    assert snapshot(database) == before


def test_a_parked_run_is_released_or_discarded_by_a_person(database: Database) -> None:
    load(database, "alpha", _shelf())
    parked = load(database, "alpha", _shelf()[:10])
    with database.platform() as tx:
        assert intake.discard_run(tx, parked.run_id).state == "discarded"
    parked = load(database, "alpha", _shelf()[:10])
    with database.platform() as tx:
        released = intake.release_run(tx, parked.run_id)
    assert (released.state, released.withdrawn) == ("closed", 10)
    load(database, "beta", [])
    assert len(products(database)) == 10


def test_limits_can_be_set_for_a_merchant(database: Database) -> None:
    merchants(database, "alpha", source={"max_vanished_percent": 80, "max_price_percent": 5})
    load(database, "alpha", _shelf())
    assert load(database, "alpha", _shelf()[:10]).state == "closed"
    dearer = [replace(each, price="30.00") for each in _shelf()[:10]]
    assert load(database, "alpha", dearer).state == "parked"


def test_pushed_changes_count_at_once_and_withdraw_nothing(database: Database) -> None:
    load(database, "alpha", _shelf())
    with database.platform() as tx:
        run = intake.open_run(tx, "alpha", "push", complete=False)
        landing = intake.submit(
            tx, run, [raw("s1", "Kettle model KX001Q steel", "12.00"), raw("new", "Toaster T9000X")]
        )
    assert (landing.landed, landing.unchanged) == (2, 0)
    load(database, "beta", [])
    assert len(products(database)) == 21


def test_pushed_prices_that_leap_are_parked(database: Database) -> None:
    load(database, "alpha", _shelf())
    before = snapshot(database)
    leap = [replace(each, price=f"{10 + n}00.00") for n, each in enumerate(_shelf())]
    assert load(database, "alpha", leap, complete=False).state == "parked"
    assert snapshot(database) == before


def test_a_key_that_comes_twice(database: Database) -> None:
    one, other = raw("k", "Kettle one"), raw("k", "Kettle two")
    with database.platform() as tx:
        run = intake.open_run(tx, "alpha", "feed", complete=True)
        landing = intake.submit(tx, run, [one, one, other])
        again = intake.submit(tx, run, [one, other])
        intake.close_run(tx, run)
        assert (landing.landed, landing.unchanged, landing.refused) == (1, 1, 1)
        assert (again.landed, again.unchanged, again.refused) == (0, 1, 1)
        assert [each.code for each in list_quarantine(tx, "alpha")] == ["duplicate_sku"]
        run = intake.open_run(tx, "beta", "push", complete=False)
        intake.submit(tx, run, [one, other])
        title = "SELECT raw->>'title' FROM mdm.raw_offer WHERE source_id = 'beta'"
        assert tx.exec_driver_sql(title).scalar_one() == "Kettle two"


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (raw("", "Kettle"), "sku"),
        (raw("x" * 201, "Kettle"), "sku"),
        (raw("a\x00b", "Kettle"), "sku"),
        (raw("a", " <b></b> "), "title_missing"),
        (raw("a", "Kettle", None), "price_missing"),
        (raw("a", "Kettle", "0"), "price_placeholder"),
        (raw("a", "Kettle", "1.299"), "price_too_precise"),
        (raw("a", "Kettle", currency="QQQ"), "currency_unknown"),
        (raw("a", "Kettle", attributes=(("x" * 99_000, "y" * 9_000),)), "record_too_large"),
        (
            Refusal("broken_record", "the record ends early", 7, excerpt="<item\x1b"),
            "broken_record",
        ),
    ],
)
def test_refused_records_are_kept_with_their_reason(
    database: Database, record: RawOffer | Refusal, code: str
) -> None:
    for _ in range(2):
        with database.platform() as tx:
            run = intake.open_run(tx, "alpha", "feed", complete=True)
            assert intake.submit(tx, run, [record, raw("ok", "Toaster")]).refused == 1
            intake.close_run(tx, run)
            (listed,) = list_quarantine(tx, "alpha")
    assert listed.code == code
    assert listed.reason
    assert len(listed.excerpt) <= 400
    assert listed.excerpt.isprintable()
    with database.platform() as tx:
        run = intake.open_run(tx, "alpha", "feed", complete=True)
        intake.submit(tx, run, [raw("ok", "Toaster")])
        intake.close_run(tx, run)
        assert list_quarantine(tx, "alpha") == []


def test_text_that_postgresql_cannot_store_is_cleaned(database: Database) -> None:
    odd = raw("n", "Ket\x00tle \ud800 two\u202e", description="a\x00b")
    assert load(database, "alpha", [odd]).landed == 1
    assert load(database, "alpha", [odd]).unchanged == 1
    with database.platform() as tx:
        offer = read_offer(tx, offer_id_of("alpha", "n"))
        assert offer is not None
        assert offer.title == "Kettle two"


def test_a_source_may_speak_for_sellers(database: Database) -> None:
    merchants(database, "portal", source={"prices": "optional"})
    offers = [
        raw("1", "Kettle KX9000", None, seller="Ärger & Söhne"),
        raw("2", "Kettle KX9000", None, seller="Beta"),
    ]
    load(database, "portal", offers)
    with database.platform() as tx:
        rows = tx.exec_driver_sql("SELECT DISTINCT merchant_id FROM mdm.offer ORDER BY 1").scalars()
        assert list(rows) == ["portal/arger-sohne", "portal/beta"]
        offer = read_offer(tx, offer_id_of("portal", "1"))
        assert offer is not None
        assert (offer.merchant_name, offer.price) == ("Ärger & Söhne", None)
    assert len(set(products(database).values())) == 1


def test_runs_keep_their_states(database: Database) -> None:
    with database.platform() as tx:
        first = intake.open_run(tx, "alpha", "feed", complete=True)
        intake.submit(tx, first, _shelf())
        second = intake.open_run(tx, "alpha", "feed", complete=True)
        assert intake.read_run(tx, first).state == "discarded"
        with pytest.raises(DomainError, match="discarded"):
            intake.submit(tx, first, _shelf())
        assert [each.run_id for each in intake.list_runs(tx, "alpha")] == [second, first]
        with pytest.raises(DomainError, match="no intake run"):
            intake.close_run(tx, 10_000)
        with pytest.raises(DomainError, match="No merchant"):
            intake.open_run(tx, "nobody", "feed", complete=True)
