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
from mdm.match.model_codes import of_another_market, without_its_letters, written_in_pieces
from mdm.match.sisters import LONG
from mdm.normalise.trade_words import ENGLISH_OF
from mdm.normalise.vocabulary import MARKS

_LINE = re.compile(r"[a-z]{4,}\d{1,2}")
"""A line and its number written together: `hero11`."""
# So seldom left out by a shop that a shared code does not make up for it.
_ALWAYS = frozenset(("exclusive", "long", "short", "silent", "wifi"))
_PLUS = re.compile(r"(?<![a-z0-9])(?=[a-z0-9]*[a-z])[a-z0-9]{2,}\+(?![a-z0-9+])")
_WORD = re.compile(r"[^\W_]+")
_KINDS = frozenset(ENGLISH_OF.values())
# How sharp and bright a screen is.
_SCREEN = re.compile(
    r"\b(?:(?:ultra|super)[ -]?(?:u?hd|[48]k|high|wide|amoled|retina|slim)|[48]k ultra)\b"
)


def lone_mark(one: Features, other: Features, shared: frozenset[str]) -> str | None:
    """The first word of that kind that only one title has; `shared` are the codes of both."""
    found = {*_more(one, other), *_more(other, one)}
    always, found = found & _ALWAYS, found - _ALWAYS or {*_one_word_more(one, other)}
    if found and not _is_named(one, other, shared):
        return min(found)
    return min(always, default=None)


def _one_word_more(one: Features, other: Features) -> Iterator[str]:
    """The only word by which two titles differ, where it is neither a kind, a colour, an amount
    nor the maker in front."""
    here, there = one.reading.tokens, other.reading.tokens
    longer, shorter = (one, other) if here > there else (other, one)
    more = here ^ there
    if len(more) == 1 and (here > there or here < there):
        for word in _unsaid(more & longer.words, shorter):
            if word not in _KINDS | longer.codes and not word.isdigit() and word != longer.lead:
                yield word


def _is_named(one: Features, other: Features, shared: frozenset[str]) -> bool:
    """Whether both state one model code, written whole by one of them at least."""
    written = shared & (one.codes | other.codes)
    return any(map(_is_strong, written)) or any(
        same(one, other) for same in (of_another_market, written_in_pieces, without_its_letters)
    )


def _is_strong(code: str) -> bool:
    return len(code) >= LONG and not _LINE.fullmatch(code)


def _more(one: Features, other: Features) -> Iterator[str]:
    """Marks of the first that the other has in no form."""
    yield from _unsaid(_marks(one), other)
    if "lens_range" in one.attributes and "lens_range" not in other.attributes:
        yield "a lens"
    if generations(one.reading.text) and not generations(other.reading.text):
        yield "a generation"


def _unsaid(words: frozenset[str], other: Features) -> Iterator[str]:
    for word in words - _marks(other) - other.reading.tokens - other.reading.described:
        if not any(word in code for code in other.all_codes):
            yield word


def _marks(offer: Features) -> frozenset[str]:
    """Marks of a title; a sign behind a model counts as the word."""
    text = offer.reading.text
    found = offer.reading.tokens & MARKS
    if found and _SCREEN.search(text):
        found &= frozenset(_WORD.findall(_SCREEN.sub(" ", text)))
    return found | {"plus"} if _PLUS.search(text) else found
