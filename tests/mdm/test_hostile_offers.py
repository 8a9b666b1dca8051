"""Offers that would break a matcher: one GTIN on everything, one title on everything, odd texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernel.db import Database
from kernel.gtin import check_digit
from mdm.match.candidates import MOST, Candidates
from mdm.match.decide import MAX_OFFERS
from mdm.match.decision import Contender
from mdm.match.features import offer_features
from mdm.match.living_catalogue import EmptyCatalogue
from mdm.match.newcomers import Newcomer, match_newcomers
from mdm.match.recent_offers import RecentOffers
from mdm.offer_rows import offer_id_of
from mdm.offers import match_evidence
from mdm.quarantine import list_quarantine
from tests.conftest import fresh_database
from tests.mdm.offers_at_hand import WordEncoder, load, merchants, products, raw

ENCODER = WordEncoder()
GTIN = "952000800000" + check_digit("952000800000")


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    opened = Database(fresh_database(postgres_url))
    merchants(opened, "alpha", "beta")
    yield opened
    opened.close()


def _sizes(newcomers: Sequence[Newcomer]) -> list[int]:
    """Offers of each product, the largest first."""
    vectors = ENCODER.encode([each.title for each in newcomers])
    decision = match_newcomers(EmptyCatalogue(), newcomers, vectors)
    return sorted((len(group.members) for group in decision.groups), reverse=True)


def test_one_gtin_on_everything_of_a_merchant_makes_no_cluster() -> None:
    things = ["kettle", "toaster", "drill", "lamp", "sofa", "bicycle", "tent", "piano"]
    newcomers = [
        Newcomer(f"off_{n}", f"shop-{n % 3}", "new", f"{things[n % 8]} {n}", {"gtins": [GTIN]})
        for n in range(300)
    ]
    assert _sizes(newcomers)[0] <= 3


def test_one_gtin_of_many_merchants_is_bounded() -> None:
    newcomers = [
        Newcomer(f"off_{n:04d}", f"shop-{n}", "new", "Norvalis kettle KX214Q", {"gtins": [GTIN]})
        for n in range(MAX_OFFERS + 50)
    ]
    sizes = _sizes(newcomers)
    assert sizes[0] <= MAX_OFFERS
    assert sum(sizes) == MAX_OFFERS + 50


def test_one_gtin_on_everything_of_everybody_makes_no_cluster(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mdm.match.candidates.MAX_OFFERS", 60)
    things = ["kettle", "toaster", "drill", "lamp", "sofa", "bicycle", "tent", "piano"]
    newcomers = [
        Newcomer(f"off_{n}", f"s{n}", "new", f"{things[n % 8]} model {n}", {"gtins": [GTIN]})
        for n in range(120)
    ]
    assert _sizes(newcomers)[0] <= 15


def test_identical_titles_of_one_merchant_stay_apart_with_a_reason(database: Database) -> None:
    load(database, "alpha", [raw(f"a{n}", "Norvalis kettle KX214Q") for n in range(60)])
    load(database, "beta", [raw("b", "Norvalis kettle KX214Q")])
    load(database, "beta", [raw("b", "Norvalis kettle KX214Q"), raw("c", "Kettle KX214Q Norvalis")])
    placed = products(database)
    assert max(Counter(placed.values()).values()) <= 2
    assert placed["beta/b"] != placed["beta/c"]
    assert "several things under this title" in _kept_apart(database, "alpha", "a7")[-1]


def test_a_title_that_everybody_carries_makes_no_cluster_and_says_so() -> None:
    newcomers = [
        Newcomer(f"off_{n}", f"shop-{n}", "new", "Norvalis kettle", {}) for n in range(300)
    ]
    vectors = ENCODER.encode([each.title for each in newcomers])
    decision = match_newcomers(EmptyCatalogue(), newcomers, vectors)
    assert max(len(group.members) for group in decision.groups) == 1
    told = decision.groups[0].evidence[decision.groups[0].members[0].offer_id]
    assert "300 new offers carry this title" in told["kept_apart"][-1]


def test_a_dozen_merchants_with_one_title_have_one_product() -> None:
    title = "Norvalis walnut chopping board large 40 cm"
    newcomers = [Newcomer(f"off_{n}", f"shop-{n}", "new", title, {}) for n in range(12)]
    assert _sizes(newcomers) == [12]


def test_a_gtin_on_several_things_of_a_merchant_is_told(database: Database) -> None:
    things = ["kettle steel", "lamp brass", "drill 18 V"]
    load(database, "alpha", [raw(each, each, gtins=(GTIN,)) for each in things])
    load(database, "alpha", [raw("late", "red sofa", gtins=(GTIN,))], complete=False)
    assert len(set(products(database).values())) == 4
    for each in (things[0], "late"):
        assert "is on several things" in _kept_apart(database, "alpha", each)[-1]


def _kept_apart(database: Database, merchant: str, sku: str) -> list[str]:
    with database.platform() as tx:
        evidence = match_evidence(tx, offer_id_of(merchant, sku))
    assert evidence is not None
    reasons: list[str] = evidence["kept_apart"]
    return reasons


def test_what_is_kept_apart_says_why(database: Database) -> None:
    load(database, "alpha", [raw("a", "Norvalis kettle KX214Q", gtins=(GTIN,))])
    load(database, "beta", [raw("b", "Norvalis kettle KX214Q pack of 12", gtins=(GTIN,))])
    assert offer_id_of("alpha", "a") in _kept_apart(database, "beta", "b")[0]


def test_offers_without_a_title_are_refused_with_a_reason(database: Database) -> None:
    load(database, "alpha", [raw("a", ""), raw("b", " \t "), raw("c", "Kettle")])
    assert [*products(database)] == ["alpha/c"]
    with database.platform() as tx:
        assert {each.sku: each.code for each in list_quarantine(tx, "alpha", limit=9)} == {
            "a": "title_missing",
            "b": "title_missing",
        }


LONG = "Norvalis " + " ".join(f"word{n}x" for n in range(1_500))


@pytest.mark.parametrize(
    "title",
    [
        "x" * 10_000,
        LONG[:10_000],
        " ".join(f"word{n * 7919}x" for n in range(1_500))[:10_000],
        "1" * 10_000,
        "a1" * 5_000,
        "冷蔵庫 ノルヴァリス KX214Q",
        "Холодильник Норвалис KX214Q белый",
        "ثلاجة نورفاليس",
        "\u202eQ412XK\u202c kettle",
        "é" * 3_000,
        "🧊" * 500,
        "-",
        "(%s)",
        "g:1 s:alpha|new v:0000 @",
    ],
    ids=lambda title: repr(title[:12]),
)
def test_any_title_is_bounded(title: str) -> None:
    features = offer_features(title, {"gtins": [], "mpn": title, "manufacturer": title})
    assert len(features.pieces) < 400
    assert all(len(each) <= 10_100 for each in features.pieces)
    one, other = (Contender(f"off_{n}", f"shop-{n}", "new", features) for n in range(2))
    found = Candidates(RecentOffers(), [one, other], ENCODER.encode([title, title]))
    assert len(found.of(0)[0]) <= MOST


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    titles=st.lists(st.text(max_size=60), min_size=1, max_size=12),
    facts=st.fixed_dictionaries(
        {},
        optional={
            "gtins": st.lists(st.sampled_from([GTIN, "", "0", "1" * 400]), max_size=3),
            "mpn": st.text(max_size=40),
            "manufacturer": st.text(max_size=40),
            "description": st.text(max_size=200),
            "attributes": st.dictionaries(
                st.sampled_from(["capacity", "colour", "size", "pack_count", "screen_size"]),
                st.text(max_size=12),
                max_size=3,
            ),
        },
    ),
)
def test_every_field_may_be_hostile(titles: list[str], facts: dict[str, object]) -> None:
    """Nothing is raised, every offer is placed once, no merchant is twice in a product."""
    newcomers = [
        Newcomer(f"off_{n}", f"shop-{n % 3}", "new", title, facts) for n, title in enumerate(titles)
    ]
    vectors = ENCODER.encode(titles)
    decision = match_newcomers(EmptyCatalogue(), newcomers, vectors)
    placed = [each.offer_id for group in decision.groups for each in group.members]
    assert sorted(placed) == sorted(each.offer_id for each in newcomers)
    for group in decision.groups:
        sellers = [each.merchant_id for each in group.members]
        assert len(sellers) == len(set(sellers))
