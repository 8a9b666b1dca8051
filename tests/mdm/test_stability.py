"""What matching keeps and undoes: orders, changes, corrections, what stewards have said."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernel.db import Database
from kernel.gtin import check_digit
from mdm import pipeline
from mdm.catalogue import resolve
from mdm.match.decision import Review
from mdm.offer_rows import offer_id_of
from mdm.raw_offer import RawOffer
from mdm.stewardship.decisions import couple
from mdm.stewardship.reviews import put_reviews, queue
from tests.mdm.offers_at_hand import WordEncoder, load, merchants, opened, products, raw, snapshot

SHOPS = ("alpha", "beta", "gamma", "delta")


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    yield from opened(postgres_url, *SHOPS)


def gtin(number: int) -> str:
    body = f"9520007{number:05d}"
    return body + check_digit(body)


def _fridge(shop: str, number: int, **stated: object) -> RawOffer:
    """Fridge `number` in the words of a shop."""
    words = {
        "alpha": f"Norvalis Kaltron KX{number:03d}Q fridge freezer white",
        "beta": f"NORVALIS KX{number:03d}Q Kaltron fridge",
        "gamma": f"Fridge freezer Norvalis Kaltron KX{number:03d}Q",
        "delta": f"Kaltron KX {number:03d}Q, Norvalis fridge white",
    }
    return raw(f"f{number}", words[shop], **stated)


def _groups(database: Database) -> set[frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for offer, product in products(database).items():
        found[product].add(offer)
    return {frozenset(each) for each in found.values()}


def _feeds(numbers: Sequence[int]) -> dict[str, list[RawOffer]]:
    return {shop: [_fridge(shop, number) for number in numbers] for shop in SHOPS}


NUMBERS = [214, 375, 611, 848, 902]


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    order=st.permutations([(shop, half) for shop in SHOPS for half in (0, 1)]),
    seed=st.integers(0, 1000),
    at_once=st.booleans(),
)
def test_any_order_gives_the_same_products(
    postgres_url: str, order: Sequence[tuple[str, int]], seed: int, at_once: bool
) -> None:
    """Feeds shuffled, halved and interleaved, matched one by one or all at once."""
    for database in opened(postgres_url, *SHOPS):
        feeds = _feeds(NUMBERS)
        for shop, half in order:
            offers = feeds[shop][half::2]
            random.Random(seed).shuffle(offers)
            load(database, shop, offers, complete=False, match=not at_once)
        pipeline.match_landed(database, WordEncoder())
        expected = {frozenset(f"{shop}/f{number}" for shop in SHOPS) for number in NUMBERS}
        assert _groups(database) == expected
        before = snapshot(database)
        for shop, _ in order:
            load(database, shop, feeds[shop])
        assert snapshot(database) == before


def test_the_same_offers_in_any_order_have_the_same_ids(postgres_url: str) -> None:
    """Identified products are called after what identifies them, whoever comes first."""
    found = []
    for order in (SHOPS, SHOPS[::-1]):
        for database in opened(postgres_url, *SHOPS):
            for shop in order:
                feed = [_fridge(shop, each, gtins=(gtin(each),)) for each in NUMBERS]
                load(database, shop, feed)
            found.append(products(database))
    assert found[0] == found[1]


BRIDGES = [f"bridge{number}" for number in range(5)]


def _bridges(database: Database, *gtins: str) -> None:
    """More shops sell fridge 214, under these GTINs."""
    for shop in BRIDGES:
        offer = raw("f214", "Fridge freezer Norvalis Kaltron KX214Q", gtins=gtins)
        load(database, shop, [offer], match=False)
    pipeline.match_landed(database, WordEncoder())


def _bridged(database: Database) -> tuple[dict[str, str], dict[str, str]]:
    """Two products, and what they are once more offers name the GTINs of both."""
    merchants(database, *BRIDGES)
    load(database, "alpha", [_fridge("alpha", 214, gtins=(gtin(1),))])
    load(database, "beta", [raw("f214", "Fridge freezer white Norvalis", gtins=(gtin(2),))])
    apart = products(database)
    _bridges(database, gtin(1), gtin(2))
    return apart, products(database)


def test_living_products_are_merged_when_evidence_comes(database: Database) -> None:
    apart, together = _bridged(database)
    assert apart["alpha/f214"] != apart["beta/f214"]
    assert len(set(together.values())) == 1
    assert together["alpha/f214"] == apart["alpha/f214"], "the oldest id stays"
    with database.platform() as tx:
        assert resolve(tx, apart["beta/f214"]) == apart["alpha/f214"]


def test_a_corrected_gtin_undoes_the_merge_that_it_caused(database: Database) -> None:
    apart, together = _bridged(database)
    _bridges(database, gtin(1))
    corrected = products(database)
    assert {each: corrected[each] for each in apart} == apart, "ids are what they were"
    assert {corrected[f"{shop}/f214"] for shop in BRIDGES} == {together["alpha/f214"]}
    with database.platform() as tx:
        assert resolve(tx, apart["beta/f214"]) == apart["beta/f214"]


def test_what_a_wrong_gtin_took_away_has_its_own_id_again(database: Database) -> None:
    """Corrected to another GTIN than none, after which a new product would be named."""
    watch = "Norvalis Pulse 2 watch 45 mm"
    phone = raw("phone", "Norvalis Lumen 6 phone 128 GB black", gtins=("4006381333931",))
    load(database, "alpha", [phone])
    load(database, "beta", [raw("watch", watch)])
    before = products(database)
    assert before["alpha/phone"] != before["beta/watch"]
    load(database, "beta", [raw("watch", watch, gtins=("4006381333931",))])
    assert len(set(products(database).values())) == 1
    load(database, "beta", [raw("watch", watch, gtins=("9521886179266",))])
    assert products(database) == before
    with database.platform() as tx:
        led = tx.exec_driver_sql("SELECT count(*) FROM mdm.product_redirect").scalar_one()
    assert led == 0


def test_a_changed_title_moves_nobody_else(database: Database) -> None:
    for shop, feed in _feeds(NUMBERS).items():
        load(database, shop, feed)
    before = products(database)
    load(database, "alpha", [_fridge("alpha", each, description="New") for each in NUMBERS])
    changed = [raw(f"f{each}", f"Kaltron KX{each:03d}Q by Norvalis") for each in NUMBERS]
    load(database, "alpha", changed)
    assert products(database) == before


def test_a_vanished_offer_moves_nobody_else(database: Database) -> None:
    for shop, feed in _feeds(NUMBERS).items():
        load(database, shop, feed)
    before = products(database)
    load(database, "alpha", _feeds(NUMBERS)["alpha"][:-1])
    left = products(database)
    assert left == {each: before[each] for each in left}
    load(database, "delta", [*_feeds(NUMBERS)["delta"], _fridge("delta", 777)])
    assert products(database).items() >= left.items()
    load(database, "alpha", _feeds(NUMBERS)["alpha"])
    assert products(database).items() >= before.items()


def _say(database: Database, one: str, other: str, verdict: str) -> None:
    low, high = couple(one, other)
    with database.platform() as tx:
        tx.exec_driver_sql(
            "WITH act AS (INSERT INTO mdm.stewardship_act (kind, who, at, asked) "
            "VALUES ('accept', 'test', now(), '{}') RETURNING act_id) "
            "INSERT INTO mdm.match_decision (low_id, high_id, verdict, act_id) "
            "SELECT %s, %s, %s, act_id FROM act",
            (low, high, verdict),
        )


def test_stewards_are_obeyed_in_every_run(database: Database) -> None:
    kept = offer_id_of("alpha", "f214"), offer_id_of("beta", "f214")
    joined = offer_id_of("alpha", "f375"), offer_id_of("beta", "t1")
    _say(database, *kept, "different")
    _say(database, *joined, "same")
    for _ in range(2):
        load(database, "alpha", [_fridge("alpha", 214), _fridge("alpha", 375)])
        load(database, "beta", [_fridge("beta", 214), raw("t1", "Toaster TT1 steel")])
        found = products(database)
        assert found["alpha/f214"] != found["beta/f214"]
        assert found["alpha/f375"] == found["beta/t1"]
        load(database, "beta", [])


def test_questions_lapse_with_their_offers(database: Database) -> None:
    load(database, "alpha", [_fridge("alpha", 214)])
    load(database, "beta", [_fridge("beta", 375)])
    ids = offer_id_of("alpha", "f214"), offer_id_of("beta", "f375")
    with database.platform() as tx:
        put_reviews(tx, [Review(*ids, None, 0.5, {})], datetime.now(UTC))
        assert [each.offer_id for each in queue(tx, 9)] == [ids[0]]
    load(database, "beta", [raw("f375", "Toaster TT1 steel")])
    with database.platform() as tx:
        assert queue(tx, 9) == []


def test_what_lies_between_the_thresholds_is_asked(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mdm.match.decide.MERGE", 0.9999999)
    load(database, "alpha", [_fridge("alpha", 214)])
    load(database, "beta", [_fridge("beta", 214)])
    assert len(_groups(database)) == 2
    with database.platform() as tx:
        (question,) = queue(tx, 9)
    assert {question.offer_id, question.against} == {
        offer_id_of("alpha", "f214"),
        offer_id_of("beta", "f214"),
    }


def test_processes_share_a_folder(database: Database, tmp_path: Path) -> None:
    """What one process has matched, another finds, whoever wrote the folder."""
    folders: Mapping[int, Path] = {0: tmp_path / "one", 1: tmp_path / "other"}
    for turn, shop in enumerate(SHOPS):
        load(database, shop, [_fridge(shop, each) for each in NUMBERS], match=False)
        pipeline.match_landed(database, WordEncoder(), folder=folders[turn % 2])
    expected = {frozenset(f"{shop}/f{number}" for shop in SHOPS) for number in NUMBERS}
    assert _groups(database) == expected
