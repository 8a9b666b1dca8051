"""A part or another maker's goods for a thing are not the thing, however much they say of it."""

from __future__ import annotations

import pytest

from mdm.match.features import offer_features
from mdm.match.made_for import is_spare, made_for
from mdm.match.vetoes import doubt, veto
from tests.mdm.offers_at_hand import title_features

_HEADPHONES = "Velora WH-1000XN4 Over-ear Kopfhörer Bluetooth schwarz"


@pytest.mark.parametrize(
    ("part", "whole"),
    [
        ("Orbo Ersatz-Ohrpolster für Velora WH-1000XN4 Kopfhörer, schwarz", _HEADPHONES),
        ("Orbo coussinets de rechange pour casque Velora WH-1000XN4 noir", _HEADPHONES),
        ("Compatible ink for Torvald T1285X multipack", "Torvald T1285X ink multipack genuine"),
        ("Cartouche compatible Torvald 305XL noir", "Torvald 305XL black original ink"),
    ],
)
def test_a_spare_part_is_kept_from_the_thing(part: str, whole: str) -> None:
    one, two = title_features(part), title_features(whole)
    assert is_spare(one, two)
    assert veto(one, two) == veto(two, one) == "one of them is made for the other"


@pytest.mark.parametrize(
    ("part", "whole"),
    [
        ("Orbo light kit for Velora 75192 falcon", "Velora 75192 falcon bricks"),
        ("Orbo chaîne 50 maillons pour Torvald MS1805X", "Torvald MS1805X petrol saw 35 cm"),
        ("Chaîne tronçonneuse Orbo 50 pour Torvald MS1805X", "Tronçonneuse Torvald MS1805X"),
        ("Velora L-100 B Ständer für PX-1450 schwarz", "Piano numérique Velora PX-1450"),
    ],
)
def test_a_person_looks_where_it_is_only_likely(part: str, whole: str) -> None:
    one, two = title_features(part), title_features(whole)
    assert veto(one, two) is None
    assert doubt(one, two) == doubt(two, one) == "one may be made for the other"


@pytest.mark.parametrize(
    ("title", "other"),
    [
        # Both are called the same.
        ("Velora interface cable for players CDI2000", "Velora CDI2000 interface cable"),
        # The code is its own, whatever it is for.
        ("Velora GA-100B4 watch for men", "Velora GA-100B4"),
        ("Reloj para hombre Velora GA-100B4", "Velora GA-100B4 Herrenuhr"),
        ("Velora RN2120S storage for home", "Velora RN2120S"),
        # Two parts for one thing.
        ("Ohrpolster für Velora WH-1000XN4", "coussinets pour Velora WH-1000XN4"),
        ("Velora Toaster", "Orbo Toaster für Brot"),
    ],
)
def test_what_a_thing_is_good_for_makes_no_part_of_it(title: str, other: str) -> None:
    one, two = title_features(title), title_features(other)
    assert not made_for(one, two)
    assert not made_for(two, one)
    assert veto(one, two) is None


def test_one_number_of_both_says_more_than_their_words() -> None:
    facts = {"gtins": ["4006381333931"]}
    one = offer_features("Ersatz-Ohrpolster für Velora WH-1000XN4", facts)
    assert veto(one, offer_features(_HEADPHONES, facts)) is None
