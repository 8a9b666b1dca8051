"""Words of the trade of several languages meet in one."""

from __future__ import annotations

import pytest

from mdm.match.evidence import evidence
from mdm.match.rarity import Rarity
from mdm.normalise.attributes import colour_of, from_title
from mdm.normalise.text import folded
from mdm.normalise.trade_words import ENGLISH_OF
from mdm.normalise.vocabulary import MODEL_WORDS
from tests.mdm.offers_at_hand import title_features

RARITY = Rarity(0, lambda _: 0)


@pytest.mark.parametrize(
    ("title", "other"),
    [
        ("Norvalis Herrenschuhe Leder Schwarz", "Norvalis Herrenschuhe pelle nero"),
        ("Kühlschrank Norvalis weiß", "Lodówka Norvalis biała"),
        ("Montre homme Ostmark acier", "Reloj hombre Ostmark acero"),
        ("Kabellose Maus Torvald rot", "kabellose ratón Torvald rojo"),
    ],
)
def test_titles_of_two_languages_meet(title: str, other: str) -> None:
    one, two = (title_features(each) for each in (title, other))
    row = evidence(one, two, 0.5, RARITY)
    assert row.words_contained > 0.6
    assert row.same_colour >= 0


def test_words_are_folded_and_lead_to_one_english_word() -> None:
    for word, english in ENGLISH_OF.items():
        assert word == folded(word)
        assert ENGLISH_OF.get(english, english) == english
        assert len(word) >= 2
        assert word not in MODEL_WORDS


@pytest.mark.parametrize(
    ("text", "colour"),
    [
        ("zapatos negros", "black"),
        ("biały / złoty", "gold/white"),
        ("scarpe nero", "black"),
        ("koelkast zwart", "black"),
        ("Blu telefono nero", "black"),
        ("rød", None),
    ],
)
def test_colours_of_other_languages(text: str, colour: str | None) -> None:
    assert colour_of(folded(text)) == colour


def test_packs_and_screens_of_other_languages() -> None:
    assert from_title("Batterie AA 12 pezzi")["pack_count"] == "12"
    assert from_title("Baterie AA 4 szt")["pack_count"] == "4"
    assert from_title("Televisor 55 pulgadas")["screen_size"] == "55 in"
