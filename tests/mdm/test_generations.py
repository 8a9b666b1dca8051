"""Generations of a model: which numerals name one, and what two of them say."""

from __future__ import annotations

import pytest

from mdm.match.features import offer_features
from mdm.match.generations import generations
from mdm.match.rarity import Rarity
from mdm.match.score import title_evidence

RARITY = Rarity(0, lambda _: 0)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("optaria 5d mark iv body", {4}),
        ("optaria 5d mk3", {3}),
        ("optaria 5d mkii", {2}),
        ("optaria rx100 ii zoom", {2}),
        ("optaria zoom mark v", {5}),
        ("optaria 70-200 f2.8l is ii on rx100 iii", {2, 3}),
        ("card uhs-ii 64gb uhs iii", set()),
        ("xeon e5 1231 v3", set()),
        ("velora znane marki", set()),
        ("i love v and vi", {6}),
        ("optaria marketing iiii", set()),
    ],
)
def test_generations(text: str, found: set[int]) -> None:
    assert generations(text) == found


@pytest.mark.parametrize(
    ("title", "other", "is_another"),
    [
        ("Optaria 5D Mark IV camera", "Optaria 5D Mark III camera", True),
        ("Optaria RX100 II", "Optaria RX100 Mark 3", True),
        ("Optaria RX100 II", "Optaria RX100 Mark 2", False),
        # Shops leave the numeral out, or name the lens's as well.
        ("Optaria RX100 II", "Optaria RX100", False),
        ("Optaria 5D Mark IV 24-70 II", "Optaria 5D Mark IV", False),
        # One model code joins them.
        ("Optaria DSCRX100M2 II", "Optaria DSCRX100M2 III", False),
    ],
)
def test_another_generation_speaks_against(title: str, other: str, is_another: bool) -> None:
    one, two = offer_features(title, {}), offer_features(other, {})
    for pair in ((one, two), (two, one)):
        told = [code for code, *_ in title_evidence(*pair, RARITY)]
        assert ("other_generation" in told) is is_another
