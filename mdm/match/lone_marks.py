"""What one title has more, and what makes another model of the thing: `7590 AX`, `j7+`. Pure.

Shops leave out what a thing is, for whom and in which colour, but seldom the word that parts a
model from its sisters. Where no code is shared that only one model can have, a person looks at two
titles of which one alone has such a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from mdm.match.features import Features
from mdm.match.generations import generations
from mdm.match.model_codes import written_in_two_ways
from mdm.match.sisters import LONG
from mdm.normalise.vocabulary import MARKS, PARTS, REPLACEMENTS, USUALLY_WITHOUT

_LINE = re.compile(r"[a-z]{4,}\d{1,2}")
"""A line and its number written together: `hero11`."""
# So seldom left out by a shop that a shared code does not make up for it.
_ALWAYS = frozenset(
    (
        *("combo", "exclusive", "generation", "heatsink", "long", "multipack", "nonvr"),
        *("replacement", "runflat", "short", "silent", "tester", "wifi"),
    )
)
# German joins them: `Staubschutzhaube`.
_PART = re.compile(rf"({'|'.join(sorted(PARTS, key=len, reverse=True))})s?$")
_ALONG = re.compile(r"\b(?:with|mit|avec|inkl|incl|inclus|con|met|and|und|et|plus)\b|[+&,(]")
_REPLACEMENT = re.compile(
    r"\b(?:ersatz[a-z]*|ersetzt|remplace|replaces|vervang[a-z]*"
    rf"|{'|'.join(sorted(REPLACEMENTS))})\b"
)
_WITHOUT = re.compile(r"\b(?:without|ohne|sans|senza|sin|zonder|bez)\s([a-z]{3,})")
# Several things as one, without saying how many.
_SEVERAL = re.compile(
    r"\b(?:multi|value|combo|vorteils?|spar|family|familien)[ -]?(?:pack|packung)\b|"
    r"\b(?:[2-9]|\d\d)[ -]?colou?r\b"
)
# Which lens it is both say.
_WITH_LENS = frozenset(("kit", "zoom"))
_PLUS = re.compile(r"(?<![a-z0-9])(?=[a-z0-9]*[a-z])[a-z0-9]{2,}\+(?![a-z0-9+])")
_WORD = re.compile(r"[^\W_]+")
# How sharp and bright a screen is.
_SCREEN = re.compile(
    r"\b(?:(?:ultra|super)[ -]?(?:u?hd|[48]k|high|wide|amoled|retina|slim)|[48]k ultra)\b"
)


def lone_mark(one: Features, other: Features, shared: frozenset[str]) -> str | None:
    """Which of these only one title has, in words; `shared` are the codes of both."""
    found = {*_more(one, other), *_more(other, one)}
    if not all(map(_is_always_said, found)) and _is_named(one, other, shared):
        found = set(filter(_is_always_said, found))
    if not found:
        return None
    mark = min(found)
    named = {"lens": "only one names a lens", "generation": "only one names a generation"}
    return named.get(mark, f"only one says {mark}")


def _is_always_said(mark: str) -> bool:
    return mark in _ALWAYS or mark in PARTS or mark.startswith("without ")


def _is_named(one: Features, other: Features, shared: frozenset[str]) -> bool:
    """Whether both state one model code, written whole by one of them at least."""
    written = shared & (one.codes | other.codes)
    return any(map(_is_strong, written)) or written_in_two_ways(one, other)


def _is_strong(code: str) -> bool:
    return len(code) >= LONG and not _LINE.fullmatch(code)


def _more(one: Features, other: Features) -> Iterator[str]:
    """Marks of the first that the other has in no form."""
    with_lens = "lens_range" in one.attributes and "lens_range" in other.attributes
    for word in _marks(one) - _marks(other) - other.reading.tokens - other.reading.described:
        if with_lens and word in _WITH_LENS:
            continue
        if not any(word in code for code in other.all_codes):
            yield word
    lacks = {each for each in _WITHOUT.findall(one.reading.text) if each not in USUALLY_WITHOUT}
    if lacks and not _WITHOUT.search(other.reading.text):
        yield f"without {min(lacks)}"
    if "lens_range" in one.attributes and "lens_range" not in other.attributes:
        yield "lens"
    if generations(one.reading.text) and not generations(other.reading.text):
        yield "generation"


@lru_cache(maxsize=50_000)
def _parts(text: str) -> frozenset[str]:
    """Nouns of parts that a folded title says, but for what comes along with the thing."""
    words = _WORD.findall(_ALONG.split(text, maxsplit=1)[0])
    return frozenset(found[1] for found in map(_PART.search, words) if found)


def _marks(offer: Features) -> frozenset[str]:
    """Marks of a title; a sign behind a model counts as the word."""
    text = offer.reading.text
    found = offer.reading.tokens & MARKS
    if found and _SCREEN.search(text):
        found &= frozenset(_WORD.findall(_SCREEN.sub(" ", text)))
    if _REPLACEMENT.search(text):
        found |= {"replacement"}
    if _SEVERAL.search(text):
        found |= {"multipack"}
    found |= _parts(text)
    return found | {"plus"} if _PLUS.search(text) else found
