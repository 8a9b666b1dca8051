"""Whom a thing is made for parts it from what is made for others."""

from __future__ import annotations

import pytest

from mdm.match.features import offer_features
from mdm.match.vetoes import veto
from mdm.normalise.attributes import attributes
from tests.mdm.offers_at_hand import title_features


@pytest.mark.parametrize(
    ("title", "audience"),
    [
        ("Pegaso 39 Damenlaufschuh schwarz", "women"),
        ("Pegaso 39 women's running shoes", "women"),
        ("Chaussures Pegaso 39 femme", "women"),
        ("Velora Herrenrad 28 Zoll", "men"),
        ("Velora men\u2019s bike", "men"),
        ("Eau de toilette Sauvo pour homme", "men"),
        ("Puma Junior evo enfant", "children"),
        ("Pegaso 39 boys", "children"),
        ("Pegaso 39 unisex men women", None),
        ("Pegaso 39 men and women", None),
        ("Kühlschrank mit Kindersicherung", None),
        ("Torvald KID60B16 dishwasher", None),
        ("Pegaso 39 schwarz", None),
    ],
)
def test_what_a_title_says(title: str, audience: str | None) -> None:
    assert attributes((), title, None).get("audience") == audience


@pytest.mark.parametrize(
    ("stated", "title", "audience"),
    [
        ((("gender", "female"),), "Pegaso 39", "women"),
        ((("Geschlecht", "Herren"),), "Pegaso 39", "men"),
        ((("gender", "unisex"),), "Pegaso 39", None),
        ((("gender", "female"), ("age_group", "kids")), "Pegaso 39", "children"),
        ((("age_group", "adult"), ("gender", "male")), "Pegaso 39", "men"),
        ((("gender", "female"),), "Pegaso 39 girls", "children"),
    ],
)
def test_what_a_merchant_states(
    stated: tuple[tuple[str, str], ...], title: str, audience: str | None
) -> None:
    assert attributes(stated, title, None).get("audience") == audience


@pytest.mark.parametrize(
    ("title", "other", "forbidden"),
    [
        ("Pegaso 39 Damen schwarz", "Pegaso 39 men's black", True),
        ("Pegaso 39 Damen schwarz", "Pegaso 39 kids black", True),
        ("Pegaso 39 Damen schwarz", "Pegaso 39 femme noir", False),
        ("Pegaso 39 Damen schwarz", "Pegaso 39 black", False),
        ("Pegaso 39 unisex", "Pegaso 39 men", False),
    ],
)
def test_two_audiences_are_two_things(title: str, other: str, forbidden: bool) -> None:
    one, two = (title_features(each) for each in (title, other))
    assert (veto(one, two) is not None) == (veto(two, one) is not None) == forbidden


def test_an_identifier_outweighs_a_careless_field() -> None:
    facts = {"gtins": ["4006381333931"]}
    one, two = (
        offer_features("Pegaso 39", {**facts, "attributes": {"audience": each}})
        for each in ("women", "men")
    )
    assert veto(one, two) is None
    other = offer_features("Pegaso 39", {"attributes": {"audience": "men"}})
    assert veto(one, other) == "audience women and men"
