"""The pure matcher: features, evidence, vetoes, and decisions that order cannot sway."""

from __future__ import annotations

import random
from typing import Any

import pytest

from mdm.match.decide import decide
from mdm.match.decision import NOTHING_RULED, Contender, Decision, Group, Judge, Pair, Ruled
from mdm.match.features import Features, is_code, is_quantity, offer_features, title_parts
from mdm.match.vetoes import veto


def features(title: str, **facts: Any) -> Features:
    return offer_features(title, facts)


@pytest.mark.parametrize(
    "token", ["kgn36vl35g", "4770k", "ue75nu8000", "56404w90", "12345", "i78700k"]
)
def test_codes(token: str) -> None:
    assert is_code(token)


@pytest.mark.parametrize(
    "token", ["64gb", "1080p", "55in", "4k", "2019", "s9", "plus", "60x85", "12mb", "3.5ghz"]
)
def test_what_is_no_code(token: str) -> None:
    assert not is_code(token)


def test_quantities() -> None:
    assert is_quantity("64gb")
    assert is_quantity("60x85")
    assert not is_quantity("kgn36")


@pytest.mark.parametrize("title", ["Torvald pot 8 Quart", "Torvald pot 8-Quart", "Torvald 8qt pot"])
def test_an_amount_is_one_however_its_unit_is_written(title: str) -> None:
    one = features(title)
    assert one.reading.quantities == {"qt": {8.0}}
    assert not one.codes


def test_split_codes_are_read_joined() -> None:
    assert "kd65xe9305" in title_parts("Sony KD 65XE9305 TV").joined
    assert "i74770k" in title_parts("Intel Core i7-4770K").joined


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        ({"colour": "black"}, {"colour": "white"}, None),
        ({"capacity": "64 GB"}, {"capacity": "128 GB"}, "capacity"),
        ({"capacity": "64 GB"}, {}, None),
        ({"pack_count": "2"}, {}, "packs"),
        ({"screen_size": "65 in"}, {"screen_size": "64.5 in"}, None),
        ({"screen_size": "13 in"}, {"screen_size": "13.6 in"}, None),
        ({"screen_size": "13.3 in"}, {"screen_size": "14 in"}, "screen size"),
        ({"screen_size": "1 in"}, {"screen_size": "1.9 in"}, "screen size"),
        ({"screen_size": "65 in"}, {"screen_size": "55 in"}, "screen size"),
        ({"screen_size": "big"}, {"screen_size": "65 in"}, "screen size"),
        ({"content": "250 g"}, {"content": "250 ml"}, "content"),
    ],
)
def test_vetoes(one: dict[str, str], other: dict[str, str], reason: str | None) -> None:
    found = veto(features("lamp a", attributes=one), features("lamp b", attributes=other))
    assert (found is None) if reason is None else (found or "").startswith(reason)


@pytest.mark.parametrize(
    ("colour", "other", "parts"),
    [
        ("black", "grey", False),
        ("silver", "grey/blue", False),
        ("black", "white", True),
        ("red", "blue/green", True),
    ],
)
def test_two_colours_under_one_gtin_part_unless_shops_mix_them_up(
    colour: str, other: str, parts: bool
) -> None:
    one, two = (
        features("lamp", attributes={"colour": each}, gtins=["1"]) for each in (colour, other)
    )
    assert (veto(one, two) is not None) is parts
    assert (veto(two, one) is not None) is parts


def test_two_parts_for_one_thing_are_called_parts_in_one_word_or_two() -> None:
    one = features("Bosch Akku 36V für Rotak", is_accessory=True)
    assert veto(one, features("Bosch 36V Ersatzakku")) is None
    assert veto(one, features("Bosch Rotak 36V Rasenmäher")) == "one of them is an accessory"


def _contender(name: str, title: str, product: str | None = None, merchant: str = "") -> Contender:
    return Contender(name, merchant or f"shop-{name}", "new", features(title), product)


def _decision(contenders: list[Contender], ruled: Ruled = NOTHING_RULED) -> Decision:
    places = range(len(contenders))
    pairs = [
        Pair(a, b, _alike(contenders[a], contenders[b])) for a in places for b in places if a < b
    ]
    judge = Judge(
        lambda pairs: [_alike(*pair) for pair in pairs],
        lambda *_: None,
        lambda *_: None,
        lambda *_: [("alike", (1.0,), 1.0)],
    )
    return decide(contenders, pairs, [], judge, ruled)


def _decide(contenders: list[Contender]) -> list[Group]:
    return _decision(contenders).groups


def _alike(one: Contender, other: Contender) -> float:
    words = one.features.words, other.features.words
    return len(words[0] & words[1]) / len(words[0] | words[1])


def _members(groups: list[Group]) -> set[frozenset[str]]:
    return {frozenset(each.offer_id for each in group.members) for group in groups}


def test_decisions_do_not_depend_on_order() -> None:
    contenders = [
        _contender(f"off_{n}", title)
        for n, title in enumerate(
            ["ab cd ef", "ab cd ef gh", "cd ef gh", "zz yy", "zz yy xx", "ab"]
        )
    ]
    expected = _members(_decide(contenders))
    for seed in range(10):
        shuffled = contenders[:]
        random.Random(seed).shuffle(shuffled)
        assert _members(_decide(shuffled)) == expected


def test_who_fits_two_variants_is_put_before_a_person() -> None:
    boxed = _contender("off_boxed", "ab cd ef boxed")
    loose = _contender("off_loose", "ab cd ef loose")
    plain = _contender("off_plain", "ab cd ef")
    judge = Judge(
        lambda pairs: [0.9 for _ in pairs],
        lambda one, other: "box" if {one, other} == {boxed, loose} else None,
        lambda *_: None,
        lambda *_: [],
    )
    both = decide([boxed, loose, plain], [Pair(0, 2, 0.9), Pair(1, 2, 0.9)], [], judge)
    assert [len(group.members) for group in both.groups] == [1, 1, 1]
    assert {each.offer_id for each in both.reviews} >= {"off_plain"} or {
        each.against for each in both.reviews
    } >= {"off_plain"}
    told = [group.evidence["off_plain"] for group in both.groups if "off_plain" in group.evidence]
    assert "as well (box)" in told[0]["kept_apart"][0]
    assert all("as well (box)" in each.evidence["held_back"] for each in both.reviews)
    alone = decide([boxed, plain], [Pair(0, 1, 0.9)], [], judge)
    assert [len(group.members) for group in alone.groups] == [2]


def _groups_of_two_silent(**facts: Any) -> list[set[str]]:
    """Two offers that do not say whether they are boxed, beside a boxed and a loose one: which
    offers come together. The silent ones are of two merchants, and nearest to each other."""
    boxed = _contender("off_boxed", "ab cd ef boxed")
    loose = _contender("off_loose", "ab cd ef loose")
    silent = [
        Contender(f"off_{name}", name, "new", features("ab cd ef", **facts)) for name in ("x", "y")
    ]
    judge = Judge(
        lambda pairs: [0.9 for _ in pairs],
        lambda one, other: "box" if {one, other} == {boxed, loose} else None,
        lambda *_: None,
        lambda *_: [],
    )
    likely = [Pair(2, 3, 0.99), Pair(0, 2, 0.6), Pair(1, 2, 0.6), Pair(0, 3, 0.6), Pair(1, 3, 0.6)]
    found = decide([boxed, loose, *silent], likely, [], judge)
    return [{each.offer_id for each in group.members} for group in found.groups]


def test_two_that_fit_both_variants_are_not_merged_with_each_other() -> None:
    assert {"off_x", "off_y"} not in _groups_of_two_silent()
    assert {"off_x", "off_y"} in _groups_of_two_silent(gtins=["4006381333931"])


def test_living_products_are_merged_where_nothing_parts_them() -> None:
    one = Contender("off_1", "a", "new", features("ab cd"), "prd_2", since=1.0)
    other = Contender("off_2", "b", "new", features("ab cd"), "prd_1", since=2.0)
    newcomer = _contender("off_3", "ab cd")
    (joined,) = _decide([one, other, newcomer])
    assert (joined.product_id, joined.merged) == ("prd_2", ("prd_1",))
    assert joined.evidence["off_3"]["decision"] == "joined"
    assert "off_1" not in joined.evidence


def test_stewards_are_obeyed() -> None:
    contenders = [
        _contender("off_1", "ab cd"),
        _contender("off_2", "ab cd"),
        _contender("off_3", "zz"),
    ]
    apart = _decision(contenders, Ruled(apart=frozenset({("off_1", "off_2")})))
    assert len(apart.groups) == 3
    assert "a steward keeps them apart" in str([group.evidence for group in apart.groups])
    assert not apart.reviews
    together = _decision(contenders, Ruled(together=frozenset({("off_1", "off_3")})))
    # What a person added does not drive away what is like the rest.
    (group,) = together.groups
    assert {each.offer_id for each in group.members} == {"off_1", "off_2", "off_3"}
    assert group.evidence["off_3"]["decision"] == "ruled"


def test_what_is_neither_clear_nor_unlikely_is_asked_once() -> None:
    decision = _decision(
        [_contender("off_1", "ab cd ef gh ij mn op"), _contender("off_2", "ab cd ef gh ij mn kl")]
    )
    assert len(decision.groups) == 2
    (review,) = decision.reviews
    assert (review.offer_id, review.against, review.product_id) == ("off_1", "off_2", None)
    assert review.probability == pytest.approx(0.75)
    assert review.evidence["for"] == [["alike", [1.0], 1.0]]
    assert len(decision.proposed) == 1


def test_one_merchant_is_in_a_product_once() -> None:
    twins = [_contender("off_1", "ab cd", merchant="m"), _contender("off_2", "ab cd", merchant="m")]
    assert len(_decide(twins)) == 2


def test_a_chain_of_lookalikes_is_no_product() -> None:
    titles = ["aa bb cc", "aa bb cc dd", "bb cc dd ee", "cc dd ee ff", "dd ee ff gg", "ee ff gg hh"]
    groups = _decision([_contender(f"off_{n}", title) for n, title in enumerate(titles)]).proposed
    assert max(map(len, groups)) < len(titles)
