"""Who is heard: operators' priorities, consensus of merchants, recency; who else said what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.db import Database
from kernel.errors import DomainError
from mdm.catalogue import product_views
from mdm.curation import acts_on
from mdm.golden.members import Member, Priorities
from mdm.golden.pictures import MAX_IMAGES, same_picture
from mdm.golden.priorities import read_priorities, set_priority
from mdm.golden.record import golden_record
from mdm.products import rewrite
from tests.mdm.offers_at_hand import load, merchants, products, raw

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def _says(offer: str, merchant: str, days_ago: int = 0, **facts: Any) -> Member:
    condition = facts.pop("condition", "new")
    at = NOW - timedelta(days=days_ago)
    return Member(offer, merchant, "Lamp L1", "en", condition, facts, at)


def _power(watts: str) -> dict[str, Any]:
    return {"attributes": {"power": watts}}


def test_a_merchant_has_one_vote_however_many_offers_it_has() -> None:
    members = [
        *(_says(f"off_a{n}", "loud", **_power("15 W")) for n in range(5)),
        _says("off_b", "one", **_power("12 W")),
        _says("off_c", "two", **_power("12 W")),
    ]
    record = golden_record(members)
    assert record["attributes"] == {"power": "12 W"}
    assert record["provenance"]["attributes.power"] == "off_b"
    assert record["conflicts"] == {
        "attributes.power": [
            {
                "value": "15 W",
                "offers": [f"off_a{n}" for n in range(5)],
                "merchants": ["loud"],
            }
        ]
    }


@pytest.mark.parametrize(
    ("priorities", "chosen"),
    [
        ({}, "12 W"),
        ({("maker", "attributes.power"): 1}, "15 W"),
        ({("maker", "attributes.*"): 1}, "15 W"),
        ({("maker", "*"): 1}, "15 W"),
        ({("maker", "*"): 1, ("maker", "attributes.power"): 0}, "12 W"),
        ({("maker", "manufacturer"): 1}, "12 W"),
        ({("one", "*"): -1, ("two", "*"): -1}, "15 W"),
    ],
)
def test_priority_goes_before_consensus(priorities: Priorities, chosen: str) -> None:
    members = [
        _says("off_a", "maker", **_power("15 W")),
        _says("off_b", "one", **_power("12 W")),
        _says("off_c", "two", **_power("12 W")),
    ]
    record = golden_record(members, priorities)
    assert record["attributes"] == {"power": chosen}
    assert [each["value"] for each in record["conflicts"]["attributes.power"]] == [
        {"12 W": "15 W", "15 W": "12 W"}[chosen]
    ]


def test_a_seller_has_the_rank_of_the_source_that_speaks_for_it() -> None:
    members = [
        _says("off_a", "market/anna", **_power("15 W")),
        _says("off_b", "b", **_power("9 W")),
    ]
    assert golden_record(members, {("market", "*"): 1})["attributes"] == {"power": "15 W"}
    both: Priorities = {("market", "*"): 1, ("market/anna", "*"): -1}
    assert golden_record(members, both)["attributes"] == {"power": "9 W"}


def test_the_later_word_wins_a_tie_and_a_stale_one_counts_half() -> None:
    late, early = _says("off_b", "one", **_power("9 W")), _says("off_a", "two", 40, **_power("8 W"))
    assert golden_record([early, late])["attributes"] == {"power": "9 W"}
    # Less than a month apart plays no part: then the offer's id, so that reloads change nothing.
    near = _says("off_a", "two", 20, **_power("8 W"))
    assert golden_record([near, late])["attributes"] == {"power": "8 W"}
    stale = [_says(f"off_{n}", f"old{n}", 200, **_power("8 W")) for n in range(3)]
    fresh = [late, _says("off_z", "three", **_power("9 W"))]
    assert golden_record([*stale, *fresh])["attributes"] == {"power": "9 W"}


def test_a_certain_category_outweighs_a_guess() -> None:
    members = [
        _says("off_a", "a", category_id=267, category_percent=40),
        _says("off_b", "b", category_id=267, category_percent=40),
        _says("off_c", "c", category_id=404, category_percent=100, google_category_id=404),
    ]
    record = golden_record(members)
    assert (record["category_id"], record["google_category_id"]) == (404, 404)
    assert record["conflicts"]["category_id"][0]["value"] == 267


def test_a_unique_item_gives_neither_its_photos_nor_its_description() -> None:
    used = _says(
        "off_u", "attic", condition="used", description="Scratch on the lid, see photo.",
        image_urls=["https://attic.example/scratch.jpg"], manufacturer="Norvalis",
    )  # fmt: skip
    record = golden_record([used])
    assert (record["image_urls"], record["descriptions"]) == ([], {})
    assert record["manufacturer"] == "Norvalis"
    assert "image_urls" not in record["provenance"]
    renewed = _says(
        "off_r", "renew", condition="refurbished", description="As it left the factory.",
        image_urls=["https://renew.example/1.jpg"],
    )  # fmt: skip
    record = golden_record([used, renewed])
    assert record["image_urls"] == ["https://renew.example/1.jpg"]
    assert record["descriptions"] == {"en": "As it left the factory."}


def test_pictures_are_bounded_and_without_doubles() -> None:
    same = [
        "https://cdn.example/p/1.jpg?width=200",
        "http://www.cdn.example/p/1.jpg?width=800",
        "https://cdn.example/p/1.jpg",
    ]
    assert len({same_picture(url) for url in same}) == 1
    assert same_picture("https://a.example/1.jpg?id=1") != same_picture(
        "https://a.example/1.jpg?id=2"
    )
    many = [f"https://cdn.example/p/{n}.jpg" for n in range(2, 40)]
    blank = ["https://cdn.example/no-image.png", "https://cdn.example/placeholder.gif"]
    record = golden_record([_says("off_a", "a", image_urls=[*blank, *same, *many])])
    assert len(record["image_urls"]) == MAX_IMAGES
    assert record["image_urls"][:2] == [same[0], many[0]]
    plain = _says("off_a", "a", image_urls=["http://a.example/1.jpg", "https://a.example/2.jpg"])
    assert golden_record([plain])["image_urls"][0] == "https://a.example/2.jpg"


_facts = st.fixed_dictionaries(
    {},
    optional={
        "manufacturer": st.sampled_from(["Norvalis", "NORVALIS", "Orbex"]),
        "description": st.text(min_size=1, max_size=20),
        "category_id": st.sampled_from([267, 404]),
        "category_percent": st.integers(0, 100),
        "gtins": st.lists(st.sampled_from(["1", "2", "3"]), max_size=3),
        "attributes": st.dictionaries(
            st.sampled_from(["colour", "power", "size"]), st.sampled_from(["a", "B", "b", "c"])
        ),
        "image_urls": st.lists(st.sampled_from([f"https://x/{n}.jpg" for n in range(4)])),
        "group": st.sampled_from(["g1", "g2"]),
    },
)
_members = st.lists(
    st.builds(
        Member,
        offer_id=st.integers(0, 10**6).map(lambda n: f"off_{n}"),
        merchant_id=st.sampled_from(["m1", "m2", "m3", "m3/s"]),
        title=st.sampled_from(["Lamp L1", "LAMP L1 TOP", "Lampe L1 schwarz", "Tente"]),
        language=st.sampled_from(["fr", "de", "en", None]),
        condition=st.sampled_from(["new", "refurbished", "used"]),
        facts=_facts,
        described_at=st.one_of(
            st.none(), st.integers(0, 400).map(lambda days: NOW - timedelta(days=days))
        ),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda each: each.offer_id,
)
_ranks = st.dictionaries(
    st.tuples(
        st.sampled_from(["m1", "m2", "m3"]),
        st.sampled_from(["*", "manufacturer", "attributes.*", "titles.*"]),
    ),
    st.integers(-2, 2),
    max_size=3,
)


@settings(max_examples=150, deadline=None)
@given(_members, _ranks, st.randoms(use_true_random=False))
def test_any_order_gives_the_same_record_and_every_value_was_said(
    members: list[Member], ranks: Priorities, chance: Any
) -> None:
    record = golden_record(members, ranks)
    shuffled = members[:]
    chance.shuffle(shuffled)
    assert golden_record(shuffled, ranks) == record
    by_id = {each.offer_id: each for each in members}
    for field, offer in record["provenance"].items():
        assert offer in by_id
        name, _, key = field.partition(".")
        if name == "attributes":
            assert by_id[offer].facts["attributes"][key] == record["attributes"][key]
        elif name in ("manufacturer", "category_id"):
            assert by_id[offer].facts[name] == record[name]
    for field, others in record["conflicts"].items():
        name, _, key = field.partition(".")
        chosen = record[name][key] if key else record[name]
        assert chosen not in [each["value"] for each in others]
        assert all(each["offers"] and each["merchants"] for each in others)
    # Nothing that anybody states is lost.
    for each in members:
        for key, value in each.facts.get("attributes", {}).items():
            others = record["conflicts"].get(f"attributes.{key}", [])
            held = {record["attributes"][key].lower(), *(o["value"].lower() for o in others)}
            assert value.lower() in held


def test_an_operator_sets_a_priority_and_the_record_follows(database: Database) -> None:
    merchants(database, "alpha", "beta", "maker")
    lamp = "Norvalis Lamp L1 desk lamp"
    for shop in ("alpha", "beta"):
        stated = (("material", "wood"),)
        load(database, shop, [raw("1", lamp, gtins=("4006381333931",), attributes=stated)])
    stated = (("material", "steel"),)
    load(database, "maker", [raw("1", lamp, gtins=("4006381333931",), attributes=stated)])
    (product_id,) = set(products(database).values())
    with database.platform() as tx:
        (view,) = product_views(tx, [product_id])
        assert view.attributes["material"] == "wood"
        (other,) = view.conflicts["attributes.material"]
        assert (other.value, other.merchants) == ("steel", ("maker",))
        touched = set_priority(tx, "maker", "attributes.*", 5, "Vera", "The maker knows", NOW)
        assert touched == [product_id]
        rewrite(tx, touched, {}, NOW)
        (view,) = product_views(tx, [product_id])
        assert view.attributes["material"] == "steel"
        assert set_priority(tx, "maker", "attributes.*", 5, "Vera", "again", NOW) == []
        assert set_priority(tx, "maker", "attributes.*", None, "Vera", "", NOW) == [product_id]
        assert read_priorities(tx) == {}
        acts = acts_on(tx, "source_priority", key="maker attributes.*")
    assert [(act.before, act.after) for act in acts] == [
        ({"rank": 5}, None),
        ({"rank": 5}, {"rank": 5}),
        (None, {"rank": 5}),
    ]


@pytest.mark.parametrize(
    ("merchant", "field", "rank", "who", "code"),
    [
        ("maker", "price", 1, "Vera", "priority_field"),
        ("maker", "*", 101, "Vera", "priority_rank"),
        ("nobody", "*", 1, "Vera", "merchant_unknown"),
        ("maker", "*", 1, " ", "operator_name"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    database: Database, merchant: str, field: str, rank: int, who: str, code: str
) -> None:
    merchants(database, "maker")
    with pytest.raises(DomainError) as refused, database.platform() as tx:
        set_priority(tx, merchant, field, rank, who, "", NOW)
    assert refused.value.code == code
    with database.platform() as tx:
        assert ("maker", field) not in read_priorities(tx)
