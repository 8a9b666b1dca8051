"""One part number, as makers, dealers and other countries write it; colours stay apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm.match.evidence import evidence
from mdm.match.features import Features, offer_features
from mdm.match.part_numbers import are_sisters, part_numbers, said_number, sister_number
from mdm.match.rarity import Rarity
from mdm.match.score import (
    SAID_PART_NUMBER,
    SAID_PART_NUMBER_ALONE,
    SISTERS_NUMBER,
    identifier_evidence,
)


def features(title: str, **facts: str) -> Features:
    return offer_features(title, facts)


@pytest.mark.parametrize(
    ("stated", "maker", "forms"),
    [
        ("SSG-3100GB/ZA", "samsung", {"ssg3100gbza", "ssg3100gb"}),
        ("SHS3200/37", "philips", {"shs320037", "shs3200"}),
        ("CB337WN#140", "hp", {"cb337wn140", "cb337wn"}),
        # A country's box.
        ("WNR3700-100NAS", "netmar", {"wnr3700100nas", "wnr3700"}),
        ("WDX5000ABK-NESN", None, {"wdx5000abknesn", "wdx5000abk"}),
        ("FEL 9180301", "fellowes", {"fel9180301", "9180301"}),
        ("FEL9180301", None, {"fel9180301"}),
        ("FEL9180301", "torvald", {"fel9180301"}),
        # How much a module holds, a colour, letters that no country has: other parts.
        ("KF432C16BB1/16", "kingston", {"kf432c16bb116"}),
        ("MLY13D/A", "apple", {"mly13da"}),
        ("2A9F6EA#ABF", "hp", {"2a9f6eaabf"}),
        ("MDR-X10/BL", "sony", {"mdrx10bl"}),
        ("DSC-W530/B", "sony", {"dscw530b"}),
        ("MDR-ZX100/BLK", "sony", {"mdrzx100blk"}),
        # What is left has to name a part.
        ("A1/37", "philips", {"a137"}),
        ("BASIC/EU", "torvald", {"basiceu"}),
        ("99-77", None, {"9977"}),
        ("x", None, set()),
        ("", None, set()),
    ],
)
def test_forms_of_a_part_number(stated: str, maker: str | None, forms: set[str]) -> None:
    assert part_numbers(stated, maker) == forms


@given(st.text(max_size=70), st.one_of(st.none(), st.text(max_size=20)))
def test_any_text_has_few_forms(stated: str, maker: str | None) -> None:
    assert len(part_numbers(stated, maker)) <= 3


def test_a_part_sold_elsewhere_is_the_same_part() -> None:
    one = features("Active glasses", manufacturer="Samsung", mpn="SSG-3100GB/ZA")
    same = features("Active glasses", manufacturer="Samsung", mpn="SSG3100GB")
    assert identifier_evidence(one, same)[0][0] == "same_part_number"


@pytest.mark.parametrize(
    "title",
    [
        "Typora K380 keyboard",
        "Typora Funktastatur K380",
        "Typora K380 clavier",
        "Typora Book AZERTY",
    ],
)
def test_behind_the_number_of_a_thing_with_keys_stands_its_layout(title: str) -> None:
    french = features(title, manufacturer="Typora", mpn="920-007583/FR")
    german = features(title, manufacturer="Typora", mpn="920-007583/DE")
    again = features(title, manufacturer="Typora", mpn="920007583FR")
    assert identifier_evidence(french, german)[0][0] == "other_part_number"
    assert identifier_evidence(french, again)[0][0] == "same_part_number"
    mice = [features("Typora M185 mouse", mpn=f"910-002238/{land}") for land in ("FR", "DE")]
    assert identifier_evidence(*mice)[0][0] == "same_part_number"


def test_a_number_that_the_other_says_speaks_for_one_product() -> None:
    """A shop states the name of the model, another the number of the box."""
    one = features("Optaria NB-6L battery", manufacturer="Optaria", mpn="NB-6L")
    boxed = features("Optaria NB-6L battery", manufacturer="Optaria", mpn="2607B001")
    assert identifier_evidence(one, boxed) == [("said_part_number", ("nb6l",), SAID_PART_NUMBER)]
    other = features("Optaria NB-5L battery", manufacturer="Optaria", mpn="3153B001")
    assert identifier_evidence(one, other)[0][0] == "other_part_number"
    assert said_number(frozenset({"6", "2024"}), "optaria 6 of 2024") is None


def test_who_makes_it_may_stand_in_the_title() -> None:
    one = features("Torvald table saw, 15-amp", manufacturer="Torvald", mpn="TW745")
    named = features("TORVALD TW745 10-inch table saw")
    assert identifier_evidence(one, named) == [("said_part_number", ("tw745",), SAID_PART_NUMBER)]
    of_nobody = features("10-inch table saw TW745")
    ((_, _, moved),) = identifier_evidence(one, of_nobody)
    assert moved == SAID_PART_NUMBER_ALONE


@pytest.mark.parametrize(
    ("title", "mpn"),
    [
        # A maker's next thing: stated, or said in the title alone.
        ("Torvald label tape, black on clear", "45010"),
        ("Torvald label tape, black on clear (45010)", None),
    ],
)
def test_numbers_of_one_form_and_other_figures_are_of_sisters(title: str, mpn: str | None) -> None:
    one = features("Torvald label tape", manufacturer="Torvald", mpn="45013")
    other = features(title, **({"mpn": mpn} if mpn else {}))
    assert identifier_evidence(one, other) == [
        ("other_part_number", ("45013", "45010"), SISTERS_NUMBER)
    ]


def test_other_letters_may_be_a_countrys() -> None:
    assert are_sisters(frozenset({"mlpf3zda"}), frozenset({"mlpf4zda"}))
    assert not are_sisters(frozenset({"mlpf3zda"}), frozenset({"mlpf3qla"}))
    assert sister_number(frozenset({"45013"}), "tape 45013 12 mm") is None
    assert sister_number(frozenset({"2024"}), "torvald saw of 2023") is None


def test_a_maker_is_one_with_two_dots_and_without() -> None:
    one = features("Kärcher WD 3", manufacturer="Kärcher", mpn="1.628-101.0")
    same = features("Kaercher WD3", manufacturer="KAERCHER", mpn="16281010")
    assert one.manufacturer == same.manufacturer
    found = identifier_evidence(one, same)
    assert found[0][0] == "same_part_number"
    rarity = Rarity(0, lambda _: 0)
    assert evidence(one, same, 0.5, rarity).same_manufacturer == 1.0
    assert features("AEG L7", manufacturer="AEG").manufacturer == "aeg"
    named = features("Kärcher WD 3")
    assert evidence(named, same, 0.5, rarity).same_manufacturer == 0.5
