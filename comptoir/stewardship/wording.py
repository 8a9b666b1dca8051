"""Evidence of the matcher in words: what each code says, whichever side it speaks for. Pure.

The texts are English message ids; pages translate them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WORDS = {
    "words_contained": "Words of one title found in the other",
    "words_in_common": "Words that both titles share",
    "meaning": "Meaning of the titles",
    "pieces_alike": "Titles alike piece by piece",
    "rarest_code_shared": "The rarest model code that both state",
    "codes_shared": "Model codes that both state",
    "code_unmatched_on_both_sides": "Each states a model code that the other does not",
    "code_unmatched_on_one_side": "A model code stated on one side only",
    "codes_related": "One model code is part of the other",
    "longest_code_shared": "The longest model code that both state",
    "numbers_differ": "Numbers that differ",
    "numbers_in_common": "Numbers in common",
    "numbers_unmatched": "Numbers on one side only",
    "quantities_equal": "Measures that are equal",
    "quantities_unequal": "Measures that differ",
    "model_words_differ": "Model words that differ",
    "model_words_shared": "Model words in common",
    "same_first_word": "The first word of the titles",
    "same_manufacturer": "The manufacturer",
    "other_manufacturer": "Another manufacturer",
    "manufacturer_in_title": "The manufacturer in the other title",
    "same_colour": "The colour",
    "same_capacity": "The capacity",
    "lengths_alike": "Length of the titles",
    "letters_alike": "Titles alike letter by letter",
    "letters_in_order": "Order of the words",
    "beginnings_alike": "Beginnings of the titles",
    "part_alike": "One title is part of the other",
    "described_in_common": "Descriptions in common",
    "code_in_description": "A model code in the other's description",
    "words_left_over_less": "Words left over in the shorter title",
    "words_left_over_more": "Words left over in the longer title",
    "rarest_left_over_less": "The rarest word left over in the shorter title",
    "rarest_left_over_more": "The rarest word left over in the longer title",
    "shorter_title": "How much the shorter title says",
    "figures_in_common": "Figures in common",
    "same_gtin": "The same GTIN",
    "shared_gtin": "A GTIN that names several things",
    "other_gtin": "Another GTIN",
    "same_part_number": "The same part number",
    "other_part_number": "Another part number",
    "was_there_before": "The offer belonged to this product before",
    "shared_model_code": "Model codes that both state",
    "related_model_codes": "One model code is part of the other",
    "different_model_codes": "Model codes that differ",
    "model_code_on_one_side_only": "A model code stated on one side only",
    "words_of_the_shorter_title_found_in_the_other": "Words of one title found in the other",
    "meaning_of_the_titles": "Meaning of the titles",
    "different_numbers": "Numbers that differ",
    "different_model_words": "Model words that differ",
}

MOST_TOLD = 6
"""Pieces of evidence for each side; the rest moves little."""


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of evidence: its text, what it measured, and its weight against the heaviest."""

    text: str
    measured: str
    log_odds: float
    percent_of_heaviest: int


def told(evidence: Mapping[str, Any]) -> tuple[list[Said], list[Said]]:
    """(for, against), heaviest first, in one scale."""
    sides = [
        sorted((_read(each) for each in evidence.get(side, ())), key=lambda row: -abs(row[2]))
        for side in ("for", "against")
    ]
    heaviest = max((abs(by) for side in sides for _, _, by in side), default=0.0) or 1.0
    first, second = (
        [
            Said(text, measured, by, max(round(100 * abs(by) / heaviest), 2))
            for text, measured, by in side[:MOST_TOLD]
        ]
        for side in sides
    )
    return first, second


def _read(piece: Sequence[Any]) -> tuple[str, str, float]:
    """[code, values, log odds], or [text, log odds] as earlier releases kept it."""
    code, values, by = (piece[0], (), piece[1]) if len(piece) == 2 else piece[:3]
    known = WORDS.get(str(code).replace(" ", "_"))
    text = known or str(code).replace("_", " ").capitalize()
    return text, ", ".join(map(_measured, values)), float(by)


def _measured(value: Any) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
