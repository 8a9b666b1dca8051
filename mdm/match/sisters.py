"""Titles that differ as those of sisters do: a word for a word, a number for a number. Pure.

`MacBook Air 13 M2` and `MacBook Air 13 M3` say all the same but for what parts them. Where no long
code is shared a person has to look, however alike the rest is: of such pairs, likely enough to be
merged, half were one product (366 of a comparison site).
"""

from __future__ import annotations

import re

from rapidfuzz.distance import Indel

from mdm.match.features import Features, is_quantity
from mdm.match.reading import quantities
from mdm.normalise.vocabulary import COLOURS

LONG = 6
"""Letters of a shared code behind which other numbers are those of a data sheet."""
_MARK = re.compile(r"(?=.*\d)[a-z0-9]{1,4}")
_DIGIT = re.compile(r"\d")
# The size of a frame, the teeth of a cassette, the girth of a head.
_FROM_TO = re.compile(r"(?<![\w-])\d\d-\d\d(?![\w-])")
_YEAR = re.compile(r"(?:19|20)\d\d")
_SIZES = frozenset(("xxs", "xs", "s", "m", "l", "xl", "xxl", "xxxl"))
# What drives a watch; in the English that tokens are in.
OPPOSITES = (("automatic", "quartz"), ("quartz", "automatic"))
_MOST_ALIKE = 0.75
"""Two spellings of one word: `lavender`, `lavendel`."""


def unlike_marks(one: Features, other: Features, shared: frozenset[str]) -> tuple[str, str] | None:
    """What the first says where the other says something else; None where they may be one.

    `shared` are the codes of both.
    """
    for word, instead in OPPOSITES:
        says = one.reading.tokens - other.reading.tokens, other.reading.tokens - one.reading.tokens
        if word in says[0] and instead in says[1]:
            return word, instead
    frame, instead_of = (sorted(_FROM_TO.findall(each.reading.text)) for each in (one, other))
    if frame and instead_of and not set(frame) & set(instead_of):
        return frame[0], instead_of[0]
    here = one.reading.tokens - other.reading.tokens - other.reading.described
    there = other.reading.tokens - one.reading.tokens - one.reading.described
    if not here or not there:
        return None
    is_named = any(len(code) >= LONG for code in shared)
    if len(here) == len(there) == 1:
        (word,), (instead,) = here, there
        are_colours = word in COLOURS or instead in COLOURS
        are_of_a_kind = is_quantity(word) == is_quantity(instead)
        if are_of_a_kind and (are_colours or not is_named) and not _are_one_word(word, instead):
            return word, instead
    if is_named:
        return None
    marks, others = _marks(here, one, other), _marks(there, other, one)
    alike = sorted(marks.keys() & others.keys())
    return (marks[alike[0]], others[alike[0]]) if alike else None


def _marks(words: frozenset[str], one: Features, other: Features) -> dict[str, str]:
    """Short names and numbers among words that the other title has in no form, by their shape:
    `m2` and `m3` are of one, `l3` and `24` are not."""
    amounts = {amount for found in one.reading.quantities.values() for amount in found}
    return {
        _shape(word): word
        for word in sorted(words)
        if (word in _SIZES or _MARK.fullmatch(word))
        and not is_quantity(word)
        and not (word.isdigit() and float(word) in amounts)
        and not any(word in code for code in other.all_codes)
    }


def _shape(word: str) -> str:
    if word in _SIZES:
        return "size"
    return "year" if _YEAR.fullmatch(word) else _DIGIT.sub("0", word)


def _are_one_word(word: str, instead: str) -> bool:
    if word.startswith(instead) or instead.startswith(word):
        return not (word.isdigit() or instead.isdigit())
    if is_quantity(word) and is_quantity(instead):
        return quantities([word]) == quantities([instead])
    if any(map(str.isdigit, word + instead)):
        return False
    return Indel.normalized_similarity(word, instead) >= _MOST_ALIKE
