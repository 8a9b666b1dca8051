"""What a title and its facts give the matcher: model codes, words, quantities, identifiers. Pure.

A model code is a piece of a title that hardly any other product carries (`kgn36vl35g`, `i7-4770k`).
Shops write it whole, split or joined, so neighbouring pieces are also read as one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import msgspec

from mdm.match.one_form import in_one_form, short_name
from mdm.match.part_numbers import compact, part_numbers
from mdm.match.reading import MAX_DESCRIBED, UNITS, Reading, read
from mdm.match.short_names import Names, short_names
from mdm.normalise.text import folded
from mdm.normalise.trade_words import ENGLISH_OF
from mdm.normalise.vocabulary import COLOUR_OF, MODEL_WORDS, STOP_WORDS

MAX_TOKENS = 40
MAX_DESCRIPTION = 3000

_TOKEN = re.compile(r"[^\W_]+(?:[.,]\d+)?")
_DIGIT = re.compile(r"\d")
_LETTER = re.compile(r"[^\W\d_]")
# Numbers with a unit say how much, not which. A single letter is a unit behind few digits only:
# 4k is a resolution, 4770k a processor.
_QUANTITY = re.compile(
    r"\d+(?:[.,]\d+)?(?:gb|go|tb|to|mb|mo|kb|gib|in|inch|zoll|cm|mm|kg|mg|ml|cl|kw|kwh|wh|mah|ah|hz|"
    r"mhz|ghz|khz|mp|mpx|px|nm|db|rpm|upm|min|er|btu|bar|lm|ppm|dpi|months?|years?|cores?|threads?|"
    r"pcs|stk|st|ltr|litre|liter|g?bit|mbs?|mbps|gbps|th|nd|rd|hp|ps|way|qt|oz|lbs?|ft|gal|yd)"
    r"|\d{1,4}[pw]|\d{1,2}k|\d{1,3}(?:[.,]\d+)?[mglvhsx]"
)
_DIMENSION = re.compile(r"\d+x\d+(?:x\d+)?(?:cm|mm|m|in|inch|px)?")
_HYPHENED = re.compile(r"(?<![a-z0-9])[a-z0-9]++(?:[-/][a-z0-9]++){1,5}")
_LONG_WORD = re.compile(r"[a-z]{6}")
# Between consonants: of `AEG` two letters would be left, which stand in half of all names.
_DIGRAPH = re.compile(r"(?<=[b-df-hj-np-tv-z])([aou])e(?=[b-df-hj-np-tv-z])")


class Features(msgspec.Struct, frozen=True, eq=False, array_like=True, gc=False):
    """What the matcher knows of one offer. Identifiers are normalised, words folded.

    `pieces` are all words, codes, parts and ends: what candidates are found by.
    """

    lead: str | None
    words: frozenset[str]
    codes: frozenset[str]
    joined: frozenset[str]
    all_codes: frozenset[str]
    numbers: frozenset[str]
    model_words: frozenset[str]
    gtins: frozenset[str]
    mpns: frozenset[str]
    manufacturer: str | None
    attributes: Mapping[str, str]
    reading: Reading
    pieces: frozenset[str]
    short_names: Names
    is_bundle: bool = False
    is_accessory: bool = False


def one_spelling(maker: str) -> str:
    """`kaercher` and `karcher`: of one maker where letters with two dots are written as two;
    of two names the short one."""
    return _DIGRAPH.sub(r"\1", short_name(maker))


def tokens(title: str, most: int = MAX_TOKENS) -> list[str]:
    """Folded pieces of a title, at most so many; `7.5` stays one piece."""
    return _pieces(folded(title), most)


def _pieces(text: str, most: int = MAX_TOKENS) -> list[str]:
    return _translated(_TOKEN.findall(in_one_form(text))[:most])


def _translated(pieces: list[str]) -> list[str]:
    """Words of the trade in one language, so that shops of two are compared."""
    return [ENGLISH_OF.get(piece, piece) for piece in pieces]


@lru_cache(maxsize=200_000)
def is_quantity(token: str) -> bool:
    """True for `64gb`, `55in`, `1080p`, `60x85`."""
    return bool(_QUANTITY.fullmatch(token) or _DIMENSION.fullmatch(token))


@lru_cache(maxsize=200_000)
def is_code(token: str) -> bool:
    """True for what can only be a model or part number by its shape."""
    if len(token) < 4 or is_quantity(token):
        return False
    if token.isdigit():
        return not (token.startswith("20") and len(token) == 4)
    return token.isalnum() and _DIGIT.search(token) is not None


@lru_cache(maxsize=200_000)
def _is_word(token: str) -> bool:
    """True for what says more of a thing than a filling word, a colour or an amount."""
    return token not in STOP_WORDS and token not in COLOUR_OF and not is_quantity(token)


@lru_cache(maxsize=200_000)
def _is_part_of_code(token: str) -> bool:
    return token.isalnum() and token not in STOP_WORDS and not is_quantity(token)


def joined_codes(pieces: list[str]) -> set[str]:
    """Neighbouring pieces read as one code: `kd 65xe9305` -> `kd65xe9305`."""
    joined = set()
    for left, right in pairwise(pieces):
        if not (_is_part_of_code(left) and _is_part_of_code(right)):
            continue
        pair = left + right
        if (
            4 <= len(pair) <= 24
            and (len(left) <= 4 or len(right) <= 4 or is_code(left))
            and _DIGIT.search(pair)
            and _LETTER.search(pair)
        ):
            joined.add(pair)
    return joined


def hyphened_codes(text: str) -> set[str]:
    """Codes that hyphens and slashes hold together in folded text, without these:
    `ws-c2960x-24ts-l`; of numbers alone where there are eight digits: `010-10723-00`."""
    return set(filter(None, map(_whole_code, _HYPHENED.findall(text))))


@lru_cache(maxsize=100_000)
def _whole_code(written: str) -> str | None:
    pieces = re.split("[-/]", written)
    whole = "".join(pieces)
    if whole.isdigit():
        return whole if 8 <= len(whole) <= 14 and "/" not in written else None
    if not 6 <= len(whole) <= 24 or not _DIGIT.search(whole) or _LONG_WORD.search(written):
        return None
    if any(map(is_quantity, pieces)) or (pieces[0].isdigit() and pieces[1] in UNITS):
        return None
    return whole


@dataclass(frozen=True, slots=True)
class TitleParts:
    """The parts of Features that come from the title. `lead` is its first word of weight."""

    lead: str | None
    words: frozenset[str]
    codes: frozenset[str]
    joined: frozenset[str]
    numbers: frozenset[str]
    model_words: frozenset[str]


def title_parts(title: str) -> TitleParts:
    """Read a title."""
    return _parts(folded(title), tokens(title))


def _parts(text: str, pieces: list[str]) -> TitleParts:
    codes = frozenset(filter(is_code, pieces)) | hyphened_codes(text)
    words = frozenset(filter(_is_word, pieces))
    return TitleParts(
        lead=next((piece for piece in pieces if piece in words and not piece.isdigit()), None),
        words=words,
        codes=codes,
        joined=frozenset(joined_codes(pieces)),
        numbers=frozenset(
            piece
            for piece in filter(_DIGIT.search, pieces)
            if piece not in codes and not is_quantity(piece)
        ),
        model_words=MODEL_WORDS.intersection(pieces),
    )


def _described(text: str) -> list[str]:
    pieces = _translated(_TOKEN.findall(text)[:MAX_DESCRIBED])
    return [*pieces, *sorted(hyphened_codes(text))]


def offer_features(title: str, facts: Mapping[str, Any]) -> Features:
    """Features of an offer from its title and stored facts."""
    text = folded(title)
    pieces = _pieces(text)
    parts = _parts(text, pieces)
    stated = facts.get("manufacturer")
    maker = one_spelling(compact(stated)) if stated else None
    codes = parts.codes | parts.joined
    description = facts.get("description")
    described = _described(folded(description[:MAX_DESCRIPTION])) if description else ()
    reading = read(text, pieces, codes, described)
    return Features(
        lead=parts.lead,
        words=parts.words,
        codes=parts.codes,
        joined=parts.joined,
        all_codes=codes,
        numbers=parts.numbers,
        model_words=parts.model_words,
        gtins=frozenset(facts.get("gtins", ())),
        mpns=part_numbers(facts.get("mpn") or "", maker, text),
        manufacturer=maker,
        attributes=facts.get("attributes", {}),
        reading=reading,
        pieces=reading.tokens | codes | reading.parts | reading.ends,
        short_names=short_names(pieces),
        is_bundle=facts.get("is_bundle", False),
        is_accessory=facts.get("is_accessory", False),
    )
