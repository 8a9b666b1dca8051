"""Short names of models: what parts one telephone from the next, and what only looks like it."""

from __future__ import annotations

from itertools import permutations

import pytest

from mdm.match.decide import LIKELY
from mdm.match.evidence import evidence
from mdm.match.features import Features, offer_features
from mdm.match.rarity import Rarity
from mdm.match.score import probabilities, title_evidence
from mdm.match.short_names import unlike_names

RARITY = Rarity(0, lambda _: 0)


def _features(title: str) -> Features:
    return offer_features(title, {})


def _unlike(title: str, other: str) -> str | None:
    one, two = _features(title), _features(other)
    return unlike_names(one.short_names, two.short_names, one.reading.tokens, two.reading.tokens)


@pytest.mark.parametrize(
    ("title", "other", "word"),
    [
        ("Orbo Fonix 8 64GB silver", "Orbo Fonix X 64GB silver", "fonix"),
        ("Orbo Fonix 8 64GB", "Fonix 8 Plus 64 GB Orbo", "fonix"),
        ("Fonix9 black", "Fonix 8 black", "fonix"),
        ("Galax Note 5 lte", "Galax 5 lte", "galax"),
        ("Orbo Fonix 6s 32GB", "Orbo Fonix 6 32GB", "fonix"),
        ("Orbo Fonix 8 64GB silver", "Fonix 8 by Orbo silver 64 GB", None),
        ("Orbo Fonix 8", "Orbo Fonix 64 GB", None),
        ("Orbo Fonix 8", "Orbo Fonix smartphone 8", None),
        ("Speicherkarte ultra HD 32", "Speicherkarte 32", None),
        ("Kettle 2 pack", "Kettle 3 pack", None),
        ("Card class 10", "Card class 4", None),
        ("", "Fonix 8", None),
    ],
)
def test_unlike_names(title: str, other: str, word: str | None) -> None:
    for one, two in permutations((title, other)):
        assert _unlike(one, two) == word


def test_unlike_names_speak_against_unless_a_code_joins() -> None:
    eight, ten = _features("Orbo Fonix 8 64GB silver"), _features("Orbo Fonix X 64GB silver")
    known = title_evidence(eight, ten, RARITY)
    assert known == [("other_short_name", ("fonix",), -2.5)]
    row = evidence(eight, ten, 0.9, RARITY)
    assert probabilities([row], [known])[0] < LIKELY
    coded = [_features(f"Orbo Fonix {name} KX214QT silver") for name in ("8", "X")]
    assert "other_short_name" not in dict.fromkeys(
        code for code, *_ in title_evidence(*coded, RARITY)
    )
