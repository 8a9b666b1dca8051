"""Text -> terms, once for both engines: they store and look up what comes out of here.

One analysis in one place is why the engines agree. Words are folded and lightly stemmed in their
language, German compounds split, measures written one way (`1,5 l` -> `1.5l`), model numbers found
however their pieces are joined (`WW80-T`, `ww80t`). Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from indexer import compounds
from indexer.denials import (
    MARK,
    denied_in,
    denying,
    is_article,
    said_in_one,
    thing_denied,
    together,
)
from indexer.folding import fold
from indexer.stemming import stem
from indexer.stop_words import is_stop_word
from kernel.gtin import read_gtin

LANGUAGES = ("fr", "de", "en")
OTHER = "xx"
"""Fields for texts in any other language: folded only."""

MAX_WORDS = 16
"""Words of a query that count; the rest is left out."""

_NAME = 3
"""Letters and digits of the longest name that is never taken apart."""
_CHUNK = re.compile(r"\w+(?:[-./,+&_]+\w+)*")
_JOINTS = re.compile(r"[-./,+&_]+")
_INCHES = re.compile(r"(?<=\d)\s?(?:\"|''|-?zoll\b|-?inch(?:es)?\b|pouces?\b)")
# `8-kg-Waschmaschine`, `2-Personen-Zelt`; a number such as `12-AB-34` stays in one.
_COUNTED = re.compile(r"(?<![\w-])(\d+(?:[.,]\d+)?)-([a-z]+)-(?=[a-z]{4,}\b)")
_ELISION = re.compile(r"\b(?:[ldjmtsnc]|qu|jusqu|lorsqu|puisqu)'(?=\w)")
_POSSESSIVE = re.compile(r"(?<=\w)'s\b")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_MEASURE = re.compile(r"(\d+(?:[.,]\d+)?)-?([a-z]+)")
_RUNS = re.compile(r"[a-z]+|\d+")
_SHOWN = re.compile(r"[^\W_]{2,40}")
_NOT_CODE = re.compile(r"[\W_]+")
_DIGIT = re.compile(r"\d")
_UNITS = {
    "inch": "inch", "kb": "kb", "mb": "mb", "gb": "gb", "tb": "tb",
    "mm": "mm", "cm": "cm", "m": "m", "meter": "m", "metre": "m", "metres": "m", "km": "km",
    "mg": "mg", "g": "g", "gr": "g", "gramm": "g", "grammes": "g", "kg": "kg", "kilo": "kg",
    "ml": "ml", "cl": "cl", "l": "l", "liter": "l", "litre": "l", "litres": "l", "liters": "l",
    "w": "w", "watt": "w", "watts": "w", "kw": "kw", "kwh": "kwh", "wh": "wh", "v": "v",
    "volt": "v", "ah": "ah", "mah": "mah", "hz": "hz", "khz": "khz", "mhz": "mhz", "ghz": "ghz",
    "mp": "mp", "mpx": "mp", "megapixel": "mp", "db": "db", "rpm": "rpm",
    "mbps": "mbps", "gbps": "gbps", "lm": "lm", "lumen": "lm", "lumens": "lm",
    "giga": "gb", "gigas": "gb", "gigabyte": "gb", "gigabytes": "gb", "gigaoctets": "gb",
    "megabyte": "mb", "megabytes": "mb", "terabyte": "tb", "terabytes": "tb", "teraoctets": "tb",
    "kilos": "kg", "kilogramm": "kg", "kilogrammes": "kg", "kilogram": "kg", "kilograms": "kg",
    "gram": "g", "grams": "g", "ltr": "l", "litern": "l", "milliliter": "ml", "millilitres": "ml",
    "meters": "m", "metern": "m", "zentimeter": "cm", "centimeters": "cm", "centimetres": "cm",
    "millimeter": "mm", "millimeters": "mm", "millimetres": "mm", "volts": "v",
    "megapixels": "mp", "hertz": "hz", "decibels": "db", "dezibel": "db",
}  # fmt: skip
# Octets: English `2 to 4 players` is no measure.
_FRENCH_UNITS = {"ko": "kb", "mo": "mb", "go": "gb", "to": "tb"}


@dataclass(frozen=True, slots=True)
class Alternative:
    """Terms that all have to be in one field, and how much they are worth (1 as typed).

    `is_bare`: the number of a measure without its unit, believed where all words are there alone.
    """

    terms: tuple[str, ...]
    weight: float = 1.0
    is_bare: bool = False


@dataclass(frozen=True, slots=True)
class QueryWord:
    """A word of a query: what stands for it in the fields of each language, and as a code."""

    text: str
    alternatives: dict[str, tuple[Alternative, ...]] = field(default_factory=dict)
    codes: tuple[str, ...] = ()
    denied: str = ""
    """What the thing asked for is to be without; `text` has the word that says so as well."""


def index_terms(text: str, language: str) -> list[str]:
    """Terms of a text in the order of its words; `language` is one of LANGUAGES or OTHER."""
    terms: list[str] = []
    if not text:
        return terms
    number, denies = "", denying(language)
    is_denied = False
    for raw in _CHUNK.findall(_spelled_out(text, language)):
        chunk = _read_chunk(raw, language)
        if is_denied and not is_article(raw):
            is_denied = False
            if raw.isalpha():
                terms += [MARK + term for term in chunk.terms]
                continue
        is_denied = is_denied or raw in denies
        if number:
            if chunk.unit:
                terms += _chunk_terms(number + chunk.unit, language)
                number = ""
                continue
            terms.append(number)
        number = chunk.number
        terms += chunk.terms
    if number:
        terms.append(number)
    return terms


@lru_cache(maxsize=1_000)
def query_words(text: str, language: str) -> tuple[QueryWord, ...]:
    """Words of a query without stop words (unless there is nothing else), at most MAX_WORDS.

    Every stage of one search asks for them.
    """
    chunks = list(together(list(_chunks(text, language)), language))[: 2 * MAX_WORDS]
    telling = [chunk for chunk in chunks if not is_stop_word(chunk, language)]
    chunks = (telling or chunks)[:MAX_WORDS]
    words = []
    for place, chunk in enumerate(chunks):
        pairs = pairwise(chunks[max(place - 1, 0) : place + 2])
        joined = [(before, after) for before, after in pairs if _joins(before, after)]
        words.append(
            QueryWord(
                chunk,
                {name: _alternatives(chunk, tuple(joined), name) for name in (*LANGUAGES, OTHER)},
                tuple(
                    dict.fromkeys([*_codes(chunk), *(before + after for before, after in joined)])
                ),
                thing_denied(chunk),
            )
        )
    return tuple(words)


def readings(text: str, weight: float) -> dict[str, tuple[Alternative, ...]]:
    """Another text for a word of a query: by language, its terms as if they had been typed."""
    return {
        language: (Alternative(tuple(terms), weight),)
        for language in (*LANGUAGES, OTHER)
        if (terms := _first_terms(text, language))
    }


def _first_terms(text: str, language: str) -> list[str]:
    chunks = list(together(list(_chunks(text, language)), language))[:MAX_WORDS]
    return [
        term
        for chunk in chunks
        for term in (_denied_terms(thing_denied(chunk), language) or _chunk_terms(chunk, language))[
            :1
        ]
    ]


def shown_words(text: str) -> list[str]:
    """Words of a text as people see them, folded only: for spelling and completion."""
    return _SHOWN.findall(fold(text))


def code_term(code: str) -> str:
    """A model, article or merchant's number as it is compared: letters and digits alone."""
    return _NOT_CODE.sub("", fold(code))[:64]


def code_prefixes(code: str) -> list[str]:
    """Beginnings of a model number by which people look for it."""
    whole = code_term(code)
    return [whole[:end] for end in range(4, len(whole))] if _DIGIT.search(whole) else []


def is_unit(folded: str, language: str) -> bool:
    """Whether a folded word is a unit of measure, as it is written or spoken (`l`, `litres`)."""
    return _unit(folded, language) is not None


def is_measure(word: str) -> bool:
    """Whether a word of a question is a number with its unit: `1.5kg`."""
    found = _MEASURE.fullmatch(word)
    return found is not None and found[2] in _UNITS


def plain_measure(text: str, language: str) -> str:
    """A number with its unit as terms have it (`1,5 Liter` -> `1.5l`); other text as it is."""
    return "".join(_chunks(text, language))


def _spelled_out(text: str, language: str) -> str:
    """Folded, inches as a unit, without what apostrophes join to a word."""
    folded = fold(text)
    # Five looks for a piece cost a tenth of one for the pattern.
    if '"' in folded or "''" in folded or "zoll" in folded or "inch" in folded or "pouce" in folded:
        folded = _INCHES.sub("inch ", folded)
    if folded.count("-") > 1:
        folded = _COUNTED.sub(_one_by_one, folded)
    if "'" in folded:
        if language == "fr":
            return _ELISION.sub("", folded)
        if language == "en":
            return _POSSESSIVE.sub("", folded)
    return folded


def _one_by_one(counted: re.Match[str]) -> str:
    """A number, what it counts and the thing, where the middle is a unit or a word."""
    number, what = counted.groups()
    return f"{number} {what} " if what in _UNITS or len(what) > _NAME else counted[0]


def _chunks(text: str, language: str) -> Iterator[str]:
    """Words, codes and measures in one spelling each."""
    number = ""
    for raw in _CHUNK.findall(_spelled_out(text, language)):
        chunk = _read_chunk(raw, language)
        if number and chunk.unit:
            yield number + chunk.unit
            number = ""
            continue
        if number:
            yield number
        number = chunk.number
        if chunk.text:
            yield chunk.text
    if number:
        yield number


class _Chunk(NamedTuple):
    """A piece of text between blanks. One that is a number waits for its unit and has no text."""

    text: str
    number: str
    unit: str | None
    terms: tuple[str, ...]


@lru_cache(maxsize=100_000)
def _read_chunk(raw: str, language: str) -> _Chunk:
    """What a chunk says by itself."""
    chunk = raw.strip("_")[:64]
    if _NUMBER.fullmatch(chunk):
        return _Chunk("", _plain_number(chunk), None, ())
    plain = _plain_measure(chunk, language)
    terms = _chunk_terms(plain, language) if plain else ()
    return _Chunk(plain, "", _unit(chunk, language), terms)


def _unit(chunk: str, language: str) -> str | None:
    return _UNITS.get(chunk) or (_FRENCH_UNITS.get(chunk) if language in ("fr", OTHER) else None)


def _plain_number(text: str) -> str:
    """`1,50` -> `1.5`; a code such as `007` stays."""
    whole, _, decimals = text.replace(",", ".").partition(".")
    decimals = decimals.rstrip("0")
    return f"{whole}.{decimals}" if decimals else whole


def _plain_measure(chunk: str, language: str) -> str:
    measure = _MEASURE.fullmatch(chunk)
    unit = measure and _unit(measure[2], language)
    return f"{_plain_number(measure[1])}{unit}" if measure and unit else chunk


def _chunk_terms(chunk: str, language: str) -> tuple[str, ...]:
    """What a chunk puts into the index: itself in its plainest form, then its parts."""
    measure = _MEASURE.fullmatch(chunk)
    if measure and measure[2] in _UNITS:
        return (chunk, measure[1])
    pieces = _pieces(chunk, language)
    if len(pieces) > 1:
        # Stemmed as if it had been typed in one: `OLED-Fernseher` and `oledfernseher` meet.
        return (_word_term("".join(_JOINTS.split(chunk)), language), *pieces)
    return (pieces[0], *_parts(chunk, language)) if pieces else ()


def _denied_terms(thing: str, language: str) -> tuple[str, ...]:
    """What is said to be absent, as a term of its own and by its parts."""
    terms = (_word_term(thing, language), *_parts(thing, language)) if thing else ()
    return tuple(MARK + term for term in terms)


def _pieces(chunk: str, language: str) -> tuple[str, ...]:
    if _NUMBER.fullmatch(chunk):
        return (chunk,)
    return tuple(_word_term(piece, language) for piece in _JOINTS.split(chunk) if piece)


def _word_term(word: str, language: str) -> str:
    return word if _DIGIT.search(word) else stem(fold(word, language), language)


def _parts(chunk: str, language: str) -> tuple[str, ...]:
    return compounds.split(fold(chunk, "de")) if language == "de" and chunk.isalpha() else ()


@lru_cache(maxsize=20_000)
def _alternatives(
    chunk: str, joined: tuple[tuple[str, str], ...], language: str
) -> tuple[Alternative, ...]:
    denied = _denied_terms(thing_denied(chunk) or denied_in(chunk, language), language)
    if thing_denied(chunk):
        by_parts = [Alternative(denied[1:], 0.8)] if denied[1:] else []
        in_one = [
            Alternative((_word_term(word, language),), 0.9)
            for word in said_in_one(thing_denied(chunk), language)
        ]
        return (Alternative(denied[:1]), *by_parts, *in_one)
    found = dict.fromkeys([Alternative(_chunk_terms(chunk, language)[:1])])
    if denied:
        found[Alternative(denied[:1], 0.9)] = None
    measure = _MEASURE.fullmatch(chunk)
    if measure and measure[2] in _UNITS:
        found[Alternative((measure[1],), 0.4, is_bare=True)] = None
    else:
        pieces = _pieces(chunk, language)
        parts = _parts(chunk, language)
        runs = _runs(chunk)
        for terms, weight in ((pieces, 0.9), (parts, 0.8), (runs, 0.7)):
            if len(terms) > 1:
                found.setdefault(Alternative(terms, weight))
    for before, after in joined:
        # Only words are stemmed: `galaxy s` must not become `galaxy`.
        is_word = min(len(before), len(after)) >= 3
        both = before + after
        found.setdefault(Alternative((_word_term(both, language) if is_word else both,)))
    return tuple(alternative for alternative in found if alternative.terms)


def _runs(chunk: str) -> tuple[str, ...]:
    """`gtx1080` -> `gtx 1080`. A name as short as `ps5` stays: a PS/2 cable of 5 m has its runs."""
    if not _DIGIT.search(chunk) or "." in chunk:
        return ()
    runs = tuple(_RUNS.findall(chunk))
    return runs if len(chunk) > _NAME or len(runs) != 2 else ()


def _codes(chunk: str) -> list[str]:
    code = code_term(chunk)
    reading = read_gtin(code)
    return [code, reading.gtin] if reading.gtin else [code]


def _joins(before: str, after: str) -> bool:
    """Whether two words next to each other may be one elsewhere (`galaxy s 24`, `smart phone`)."""
    if not (before.isalnum() and after.isalnum()):
        return False
    # `q 9` is a name, `q t` are two letters.
    shortest = 2 if before.isalpha() != after.isalpha() else 3
    return shortest <= len(before) + len(after) <= 24
