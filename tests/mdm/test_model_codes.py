"""Model codes that two titles write in different ways, and codes of sisters that look like it."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from mdm.match.features import Features, offer_features
from mdm.match.model_codes import of_another_market, written_in_pieces
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
        ("Norvalis 123456789", "Norvalis 123 456 789", None),
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


def test_a_code_written_otherwise_counts_and_leaves_no_doubt() -> None:
    whole, pieces = _features("Norvalis DSR15B1K"), _features("Norvalis DSR 15B1 K")
    assert title_evidence(whole, pieces, RARE) == [("code_in_pieces", ("dsr15b1k",), 1.25)]
    assert doubt(whole, pieces, RARE) is None
    here, there = _features("Norvalis UE49NU7100KXXU"), _features("Norvalis UE49NU7100UXXU")
    assert title_evidence(here, there, RARE) == [("other_market", ("ue49nu7100",), 2.5)]
    assert doubt(here, there, RARE) is None
    sister = _features("Norvalis UE49NU7300UXXU")
    assert title_evidence(here, sister, RARE) == []
    assert doubt(here, sister, RARE) == "model codes agree in parts only"


def test_a_code_that_many_carry_is_no_model() -> None:
    here, there = _features("Norvalis UE49NU7100KXXU"), _features("Norvalis UE49NU7100")
    assert title_evidence(here, there, Rarity(100_000, lambda _: 5_000)) == []
