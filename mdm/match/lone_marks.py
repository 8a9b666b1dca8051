"""What one title has more, and what makes another model of the thing: `7590 AX`, `j7+`. Pure.

Shops leave out what a thing is, for whom and in which colour, but seldom the word that parts a
model from its sisters. Where no code is shared that only one model can have, a person looks at two
titles of which one alone has such a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mdm.match.features import Features
from mdm.match.generations import generations
from mdm.match.model_codes import written_in_two_ways
from mdm.match.sisters import LONG
from mdm.normalise.vocabulary import MARKS

_LINE = re.compile(r"[a-z]{4,}\d{1,2}")
"""A line and its number written together: `hero11`."""
# So seldom left out by a shop that a shared code does not make up for it.
_ALWAYS = frozenset(
    (
        *("exclusive", "generation", "heatsink", "long", "nonvr", "runflat", "short", "silent"),
        *("tester", "wifi"),
    )
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
    if not found <= _ALWAYS and _is_named(one, other, shared):
        found &= _ALWAYS
    if not found:
        return None
    mark = min(found)
    named = {"lens": "only one names a lens", "generation": "only one names a generation"}
    return named.get(mark, f"only one says {mark}")


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
    if "lens_range" in one.attributes and "lens_range" not in other.attributes:
        yield "lens"
    if generations(one.reading.text) and not generations(other.reading.text):
        yield "generation"


def _marks(offer: Features) -> frozenset[str]:
    """Marks of a title; a sign behind a model counts as the word."""
    text = offer.reading.text
    found = offer.reading.tokens & MARKS
    if found and _SCREEN.search(text):
        found &= frozenset(_WORD.findall(_SCREEN.sub(" ", text)))
    return found | {"plus"} if _PLUS.search(text) else found
