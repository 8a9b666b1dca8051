"""A word that one title has more, and that makes another model of the thing, is looked at."""

from __future__ import annotations

import pytest

from mdm.match.features import offer_features
from mdm.match.vetoes import doubt
from tests.mdm.offers_at_hand import title_features


@pytest.mark.parametrize(
    ("title", "other", "says"),
    [
        ("Orbo Netbox 7590", "Orbo Netbox 7590 AX", "ax"),
        ("Orbo Roamer j7", "Orbo Roamer j7+", "plus"),
        ("Velora Hero12 black", "Velora Hero12 black creator edition", "creator"),
        ("Velora X-T30 body", "Velora X-T30 II body", "generation"),
        ("Velora D5600", "Velora D5600 18-55 mm VR", "lens"),
        ("Norvalis Note G54 5G 256GB", "Norvalis Note G54 Power 5G 256GB", "power"),
        ("Torvald LED E14 4 W 2700K", "Torvald LED E14 4 W 2700K dimmbar", "dimmable dimmbar"),
        ("Norvalis Elden quest", "Norvalis Elden quest PS4", "ps4"),
        # Not even a long code makes up for it.
        ("Torvald SN850X9 2TB", "Torvald SN850X9 2TB con dissipatore di calore", "heatsink"),
        ("Velora DSC-RX100B", "Velora DSC-RX100B II", "generation"),
        ("Velora U2723QX monitor", "Velora U2723QX ohne Standfuß", "standfuss"),
        ("Velora GA-2100-1A black", "Velora Ersatzarmband GA-2100-1A black", "armband"),
        ("Velora AT-LP60XC turntable", "Velora Staubschutzhaube AT-LP60XC", "haube"),
        ("Velora ES-65BX hood", "Orbo hood replaces ES-65BX", "replacement"),
        ("Encrivor PG-210XL black", "Encrivor PG-210XL / CL-211XL value pack", "multipack"),
        ("Encrivor PG-210XL black", "Encrivor PG-210XL combo with paper", "combo"),
        ("Strida Aire 07 white", "Strida Aire 07 Mid white", "mid"),
        ("Torvald B550M2 board PRO-VDH", "Torvald B550M2 PRO-VDH WiFi board", "wifi"),
    ],
)
def test_a_person_looks_where_one_alone_says_it(title: str, other: str, says: str) -> None:
    one, two = title_features(title), title_features(other)
    told = doubt(one, two)
    assert told is not None
    assert told.startswith("only one ")
    assert told.split()[-1] in says.split()
    assert doubt(two, one) == told


@pytest.mark.parametrize(
    ("title", "other"),
    [
        # What comes along, and what most of a kind do without.
        ("Velora GA-2100-1A black", "Velora GA-2100-1A black mit Armband"),
        ("Torvald VC9000X vacuum", "Torvald VC9000X aspirateur sans sac"),
        # A code that only one model has.
        ("Torvald SMV53M30 pro", "Torvald SMV53M30 dishwasher"),
        ("Torvald UE49NU7100 plus", "Torvald UE49NU7100KXXU"),
        # How sharp a screen is.
        ("Torvald Vista 4711 ultra HD", "Torvald Vista 4711 4k screen"),
        # Written in another way.
        ("Orbo Roamer j7+", "Orbo Roamer j7 Plus"),
        ("Orbo Roamer j7plus", "Orbo Roamer j7 plus"),
        # What a thing is, for whom, in which colour, how much of it, and who made it.
        ("Velora Hero12", "Velora Hero12 camera"),
        ("Velora Hero12", "Velora Hero12 black"),
        ("Hero12 64GB", "Velora Hero12 64GB"),
        # A class of energy and a number of years are no models.
        ("Torvald Frost 4711 A", "Torvald Frost 4711 A++"),
    ],
)
def test_what_shops_leave_out_is_no_sign_of_a_sister(title: str, other: str) -> None:
    one, two = title_features(title), title_features(other)
    assert doubt(one, two) is None
    assert doubt(two, one) is None


def test_an_identifier_of_both_settles_it() -> None:
    facts = {"attributes": {}, "mpn": "NB-7590"}
    one, two = (offer_features(each, facts) for each in ("Netbox 7590", "Netbox 7590 AX"))
    assert doubt(one, two) is None


@pytest.mark.parametrize(
    ("title", "other", "says"),
    [
        ("Norvalis RB21401 50-22", "Norvalis RB21401 54-18", "50-22 54-18"),
        ("Norvalis Megaboom 3 red", "Norvalis Wonderboom 3 red", "megaboom wonderboom"),
        ("Norvalis Boom 3 red", "Norvalis Megaboom 3 red", "boom megaboom"),
    ],
)
def test_sizes_and_longer_words_in_the_place_of_others(title: str, other: str, says: str) -> None:
    told = doubt(title_features(title), title_features(other))
    assert told is not None
    assert " ".join(sorted(told.split()[2::5])) == says
