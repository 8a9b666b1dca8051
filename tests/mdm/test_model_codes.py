"""Model codes that two titles write in different ways, and codes of sisters that look like it."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from mdm.match.features import Features, offer_features
from mdm.match.model_codes import (
    larger_one,
    of_another_market,
    without_its_letters,
    written_in_pieces,
)
from mdm.match.rarity import Rarity
from mdm.match.score import title_evidence
from mdm.match.vetoes import doubt

RARE = Rarity(1_000, lambda _: 2)


def _features(title: str, **facts: Any) -> Features:
    return offer_features(title, facts)


@pytest.mark.parametrize(
    ("title", "other", "code"),
    [
        ("Norvalis DSR15B1K slimline", "Norvalis DSR 15B1 K slimline", "dsr15b1k"),
        ("Norvalis wic3c23pefuk", "Norvalis WIC 3C23 PEF-UK built in", "wic3c23pefuk"),
        # Another letter behind it: silver, not black.
        ("Norvalis DSR15B1K slimline", "Norvalis DSR 15B1 S slimline", None),
        ("Norvalis DSR15B1K slimline", "Norvalis DSR 15B1 Kompakt", None),
        # Both write it whole already.
        ("Norvalis DSR15B1K slimline", "Norvalis DSR15B1K", None),
        ("Norvalis 8701250", "Norvalis 87 01 250", "8701250"),
        ("Norvalis 123456", "Norvalis 12 34 56", None),
        ("", "Norvalis DSR 15B1 K", None),
    ],
)
def test_written_in_pieces(title: str, other: str, code: str | None) -> None:
    for one, two in permutations((_features(title), _features(other))):
        assert written_in_pieces(one, two) == code


@pytest.mark.parametrize(
    ("title", "other", "model"),
    [
        ("UE49NU7100KXXU TV", "UE49NU7100 49 inch TV", "ue49nu7100"),
        ("QE65Q7FNATXXU TV", "QE65Q7FNAXXU TV", "qe65q7fna"),
        ("49SK8000PLB", "49SK8000 TV", "49sk8000"),
        ("KD49XF7073BU", "KD 49XF7073 TV", "kd49xf7073"),
        # Colours, hinges and sisters.
        ("DFG15B1K", "DFG15B1", None),
        ("DFG15B1K", "DFG15B1S", None),
        ("K4316X7GB", "K4316X7", None),
        ("UE49NU7100KXXU", "UE55NU7100KXXU", None),
        ("UE49NU7100KXXU", "UE49NU7300", None),
        ("A1XXU", "A1", None),
    ],
)
def test_of_another_market(title: str, other: str, model: str | None) -> None:
    for one, two in permutations((_features(title), _features(other))):
        assert of_another_market(one, two) == model


@pytest.mark.parametrize(
    ("title", "other", "model"),
    [
        ("UE55NU7400 TV", "Norvalis 55 inch 55NU7400 TV", "ue55nu7400"),
        ("UE55NU7400UXXU TV", "55NU7400 TV", "ue55nu7400"),
        ("43LK5900PLA TV", "OLED43LK5900 TV", "oled43lk5900"),
        ("UE49NU7100 TV", "Norvalis 49 black NU7100 TV", "ue49nu7100"),
        ("UE49NU7100 TV", "Norvalis 49 inch NU7100 TV", "ue49nu7100"),
        # Another size, another series, none stated.
        ("UE55NU7400 TV", "Norvalis 49NU7400", None),
        ("UE55NU7400 TV", "Norvalis 55NU7300", None),
        ("UE49NU7100 TV", "Norvalis 55 black NU7100 TV", None),
        ("UE49NU7100 TV", "Norvalis NU7100 TV", None),
        # Other letters before it, in one piece and apart.
        ("UE55NU7400 TV", "QE55NU7400 TV", None),
        ("SFB68821AF1", "Norvalis SKB 68821AF1", None),
        ("SFB68821AF1", "Norvalis fridge 68821AF1", "sfb68821af1"),
        ("GV6801TVS", "GX 6801 TVS", None),
        # Too short to name a model by itself.
        ("KIR18V51", "KIL 18V51", None),
        ("UE55NU7400 TV", "", None),
    ],
)
def test_without_its_letters(title: str, other: str, model: str | None) -> None:
    screens = {"attributes": {"screen_size": "49 in"}} if "49 inch" in other else {}
    for one, two in permutations((_features(title), _features(other, **screens))):
        assert without_its_letters(one, two) == model


def test_a_code_written_otherwise_counts_and_leaves_no_doubt() -> None:
    whole, pieces = _features("Norvalis DSR15B1K"), _features("Norvalis DSR 15B1 K")
    assert title_evidence(whole, pieces, RARE) == [("code_in_pieces", ("dsr15b1k",), 1.25)]
    assert doubt(whole, pieces, RARE) is None
    here, there = _features("Norvalis UE49NU7100KXXU"), _features("Norvalis UE49NU7100UXXU")
    assert title_evidence(here, there, RARE) == [("other_market", ("ue49nu7100",), 2.5)]
    assert doubt(here, there, RARE) is None
    bare = _features("Norvalis 49 inch 49NU7100")
    assert title_evidence(here, bare, RARE) == [("without_letters", ("ue49nu7100",), 2.5)]
    assert doubt(here, bare, RARE) is None
    sister = _features("Norvalis UE49NU7300UXXU")
    assert title_evidence(here, sister, RARE) == []
    assert doubt(here, sister, RARE) == "model codes agree in parts only"


def test_a_code_that_many_carry_is_no_model() -> None:
    here = _features("Norvalis UE49NU7100KXXU")
    for there in (_features("Norvalis UE49NU7100"), _features("Norvalis 49NU7100")):
        assert title_evidence(here, there, Rarity(100_000, lambda _: 5_000)) == []


@pytest.mark.parametrize(
    ("title", "other", "larger"),
    [
        ("Inkora CL-211 colour ink", "Inkora CL-211XL colour ink", "cl211xl"),
        ("Inkora 564XL black", "Inkora 564 black", "564xl"),
        ("Inkora 564XL black", "Inkora 564 XL black", None),
        ("Inkora CL-211XL and CL-211", "Inkora CL-211", "cl211xl"),
        ("Inkora CL-211XL", "Inkora PG-210 ink", None),
    ],
)
def test_the_larger_one_is_another(title: str, other: str, larger: str | None) -> None:
    one, two = _features(title), _features(other)
    assert larger_one(one, two) == larger_one(two, one) == larger
