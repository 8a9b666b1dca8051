"""Evidence of the matcher in words: what each code says, whichever side it speaks for. Pure.

The texts are English message ids; pages translate them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WORDS = {
    "words_contained": "Words of one title found in the other",
    "words_in_common": "Words that both titles share",
    "words_alike": "Words of the titles, rare ones above all",
    "pieces_alike": "Titles alike piece by piece",
    "meaning": "Meaning of the titles",
    "rarest_whole_code_shared": "A rare model code that both write alike",
    "rarest_code_shared": "The rarest model code that both state",
    "codes_shared": "Model codes that both state",
    "longest_code_shared": "The longest model code that both state",
    "code_beginning_shared": "Model codes that begin alike",
    "code_ending_shared": "Model codes that end alike",
    "code_unmatched_on_both_sides": "Each states a model code that the other does not",
    "code_unmatched_on_one_side": "A model code stated on one side only",
    "unmatched_codes_alike": "Model codes that differ in a few signs",
    "codes_on_both_sides": "Both titles state model codes",
    "same_model_code": "The same rare model code",
    "same_title": "Word for word the same title",
    "other_short_name": "Another short name of a model",
    "other_card": "Another kind of memory card",
    "other_generation": "Another generation of the model",
    "other_lead": "Titles that lead with different makers",
    "code_in_pieces": "The same model code, written in pieces by one",
    "other_market": "The same model, with the letters of a market",
    "without_letters": "The same model, without the letters that it begins with",
    "numbers_differ": "Numbers that differ",
    "numbers_in_common": "Numbers in common",
    "numbers_unmatched": "Numbers on one side only",
    "rarest_number_differs": "A rare number that differs",
    "figures_in_common": "Figures in common",
    "quantities_equal": "Measures that are equal",
    "quantities_unequal": "Measures that differ",
    "model_words_differ": "Model words that differ",
    "model_words_shared": "Model words in common",
    "same_first_word": "The first word of the titles",
    "same_manufacturer": "The manufacturer",
    "manufacturer_in_title": "The manufacturer in the other title",
    "same_colour": "The colour",
    "same_capacity": "The capacity",
    "packs_differ": "The number in a pack",
    "bundle_differs": "One is sold with something else",
    "accessory_differs": "One is an accessory",
    "letters_alike": "Titles alike letter by letter",
    "letters_in_order": "Order of the words",
    "beginnings_alike": "Beginnings of the titles",
    "described_in_common": "Descriptions in common",
    "code_in_description": "A model code in the other's description",
    "words_left_over_less": "Words left over in the shorter title",
    "words_left_over_more": "Words left over in the longer title",
    "rarest_left_over_less": "The rarest word left over in the shorter title",
    "rarest_left_over_more": "The rarest word left over in the longer title",
    "shorter_title": "How much the shorter title says",
    "lengths_alike": "Length of the titles",
    "same_gtin": "The same GTIN",
    "shared_gtin": "A GTIN that names several things",
    "other_gtin": "Another GTIN",
    "same_part_number": "The same part number",
    "other_part_number": "Another part number",
    "said_part_number": "The part number of one in the other's title",
    "larger_one": "The same model in a larger size",
    "was_there_before": "The offer belonged to this product before",
}

_SHARES = {
    "words_contained", "words_in_common", "words_alike", "pieces_alike", "meaning",
    "letters_alike", "letters_in_order", "beginnings_alike", "described_in_common",
    "lengths_alike", "words_left_over_less", "words_left_over_more", "unmatched_codes_alike",
    "numbers_in_common", "figures_in_common",
}  # fmt: skip

_YES_OR_NO = {
    "same_first_word", "packs_differ", "bundle_differs", "accessory_differs", "codes_on_both_sides",
}  # fmt: skip
# How rare the rarest of them is among all offers, 0 where there is none.
_RARE = {
    "rarest_whole_code_shared", "rarest_code_shared", "code_unmatched_on_both_sides",
    "code_unmatched_on_one_side", "rarest_number_differs", "code_in_description",
    "rarest_left_over_less", "rarest_left_over_more",
}  # fmt: skip
# Ten signs are 1.
_LENGTHS = {"longest_code_shared", "code_beginning_shared", "code_ending_shared"}
# Below zero they contradict each other; elsewhere a side says nothing.
_AGREEMENTS = {"same_manufacturer", "same_colour", "same_capacity"}

MOST_TOLD = 6
"""Pieces of evidence for each side; the rest moves little."""


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of evidence: its text, what was read, and its weight against the heaviest.

    `measure` is a message id for the number `n` that was measured, empty where none was.
    """

    text: str
    read: str
    measure: str
    n: int
    log_odds: float
    percent_of_heaviest: int


def told(evidence: Mapping[str, Any]) -> tuple[list[Said], list[Said]]:
    """(for, against), heaviest first, in one scale."""
    sides = [
        sorted(map(_piece, evidence.get(side, ())), key=lambda row: -abs(row[2]))
        for side in ("for", "against")
    ]
    heaviest = max((abs(by) for side in sides for _, _, by in side), default=0.0) or 1.0
    first, second = (
        [_said(code, values, by, heaviest) for code, values, by in side[:MOST_TOLD]]
        for side in sides
    )
    return first, second


def _piece(piece: Sequence[Any]) -> tuple[str, Sequence[Any], float]:
    """[code, values, log odds], or [text, log odds] as earlier releases kept it."""
    code, values, by = (piece[0], (), piece[1]) if len(piece) == 2 else piece[:3]
    return str(code).replace(" ", "_"), values, float(by)


def _said(code: str, values: Sequence[Any], by: float, heaviest: float) -> Said:
    is_measured = len(values) == 1 and isinstance(values[0], float | int)
    measure, n = _measure(code, float(values[0])) if is_measured else ("", 0)
    return Said(
        text=WORDS.get(code) or code.replace("_", " ").capitalize(),
        read=", ".join(each for each in values if isinstance(each, str)),
        measure=measure,
        n=n,
        log_odds=by,
        percent_of_heaviest=max(round(100 * abs(by) / heaviest), 2),
    )


def _measure(code: str, value: float) -> tuple[str, int]:
    """(message id, number) of what was measured."""
    percent = round(value * 100)
    if code in _AGREEMENTS:
        return ("not stated" if not value else "alike" if value > 0 else "different"), 0
    if value < 0:
        return "not stated", 0
    if code in _SHARES:
        return "%(n)s%%", percent
    if code in _YES_OR_NO:
        return ("yes" if value else "no"), 0
    if not value:
        return "none", 0
    if code in _RARE:
        return "%(n)s%% rare", percent
    if code in _LENGTHS:
        return "%(n)s signs", round(value * 10)
    return "%(n)s", round(value)


def lines(evidence: Mapping[str, Any]) -> Iterator[str]:
    """The evidence in English, a line each, for the command line."""
    for side, pieces in zip(("for", "against"), told(evidence), strict=True):
        for each in pieces:
            measured = each.read or each.measure % {"n": each.n}
            said = f" ({measured})" if measured else ""
            yield f"  {side:8} {each.log_odds:+6.2f}  {each.text}{said}"
