"""What one title has more, and what makes another model of the thing: `7590 AX`, `j7+`. Pure.

Shops leave out what a thing is, for whom and in which colour, but seldom the word that parts a
model from its sisters. Where no code is shared that only one model can have, a person looks at two
titles of which one alone has such a word. `TABLE` has a row for each kind of these words: how a
title says them, what they mean, and where they are no sign.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

from mdm.match.features import Features
from mdm.match.generations import generations
from mdm.match.model_codes import written_in_two_ways
from mdm.match.sisters import LONG
from mdm.normalise.vocabulary import MODEL_WORDS, PARTS, REPLACEMENTS, USUALLY_WITHOUT

Said = Callable[[Features], frozenset[str]]
_NOTHING: frozenset[str] = frozenset()

_LINE = re.compile(r"[a-z]{4,}\d{1,2}")
"""A line and its number written together: `hero11`."""
# German joins them: `Staubschutzhaube`.
_PART = re.compile(rf"({'|'.join(sorted(PARTS, key=len, reverse=True))})s?$")
_ALONG = re.compile(r"\b(?:with|mit|avec|inkl|incl|inclus|con|met|and|und|et|plus)\b|[+&,(]")
_WITHOUT = re.compile(r"\b(?:without|ohne|sans|senza|sin|zonder|bez)\s([a-z]{3,})")
_WORD = re.compile(r"[^\W_]+")
# How sharp and bright a screen is, in words that name models elsewhere.
_SCREEN = re.compile(
    r"\b(?:(?:ultra|super)[ -]?(?:u?hd|[48]k|high|wide|amoled|retina|slim)|[48]k ultra)\b"
)


class Mark(NamedTuple):
    """A row. `said` is what a title says of it, in the words that a person is told.

    `is_always_said`: so seldom left out by a shop that a shared code does not make up for it.
    `unless_both_state` names an attribute that tells the same more exactly. `is_fact`: whoever
    says anything of it has said it; else a word counts as said in whatever form the other title,
    its description or its codes have it. `usual` is no sign, because most things are so.
    """

    means: str
    said: Said
    is_always_said: bool = False
    unless_both_state: str | None = None
    is_fact: bool = False
    usual: frozenset[str] = _NOTHING
    told: str = "only one says {}"


def _words(text: str) -> Said:
    """These, as whole words of a title."""
    words = frozenset(text.split())

    def said(offer: Features) -> frozenset[str]:
        found = offer.reading.tokens & words
        return found & _unlike_a_screen(offer.reading.text, found) if found else found

    return said


def _written(pattern: str, name: str) -> Said:
    """A name for what a folded title says in such a form."""
    search, named = re.compile(pattern).search, frozenset((name,))
    return lambda offer: named if search(offer.reading.text) else _NOTHING


def _either(one: Said, other: Said) -> Said:
    return lambda offer: one(offer) | other(offer)


def _unlike_a_screen(text: str, found: frozenset[str]) -> frozenset[str]:
    """Of these words those that a folded title says of something else than its screen."""
    if not _SCREEN.search(text):
        return found
    return found.intersection(_WORD.findall(_SCREEN.sub(" ", text)))


def _parts(offer: Features) -> frozenset[str]:
    """Nouns of parts, but for what comes along with the thing."""
    return _parts_of(offer.reading.text)


@lru_cache(maxsize=50_000)
def _parts_of(text: str) -> frozenset[str]:
    words = _WORD.findall(_ALONG.split(text, maxsplit=1)[0])
    return frozenset(found[1] for found in map(_PART.search, words) if found)


def _lacks(offer: Features) -> frozenset[str]:
    return frozenset(f"without {each}" for each in _WITHOUT.findall(offer.reading.text))


def _lens(offer: Features) -> frozenset[str]:
    return frozenset(("lens",)) if "lens_range" in offer.attributes else _NOTHING


def _generation(offer: Features) -> frozenset[str]:
    return frozenset(("generation",)) if generations(offer.reading.text) else _NOTHING


# A compact thing is a kind of thing too, and a zoom a lens.
_SISTERS = " ".join(
    (
        *sorted(MODEL_WORDS - {"compact", "zoom"}),
        *("advanced", "ambiance", "ax", "basic", "creator", "evo", "fe", "home", "intense", "mid"),
        *("music", "night", "senior", "slim", "special", "supreme", "ultimate"),
    )
)
_REPLACING = (
    r"\b(?:ersatz[a-z]*|ersetzt|remplace|replaces|vervang[a-z]*"
    rf"|{'|'.join(sorted(REPLACEMENTS))})\b"
)
# Without saying how many.
_SEVERAL = (
    r"\b(?:multi|value|combo|vorteils?|spar|family|familien)[ -]?(?:pack|packung)\b"
    r"|\b(?:[2-9]|\d\d)[ -]?colou?r\b"
)
_PLUS_SIGN = r"(?<![a-z0-9])(?=[a-z0-9]*[a-z])[a-z0-9]{2,}\+(?![a-z0-9+])"

TABLE = (
    Mark("another of its line", _either(_words(_SISTERS), _written(_PLUS_SIGN, "plus"))),
    Mark("an edition", _words("collector collectors deluxe edition extended")),
    Mark("what it is made for", _words("5g cellular ps3 ps4 ps5 travel xbox")),
    Mark("what it can do", _words("color dimmable dimmbar solar")),
    Mark("several things in one box", _words("doppelzoom duo twin")),
    Mark("a camera and a lens", _words("kit zoom"), unless_both_state="lens_range"),
    Mark("how it is built", _words("heatsink long nonvr runflat short silent wifi"), True),
    Mark("how it is sold", _words("combo exclusive tester"), True),
    Mark("several things as one", _written(_SEVERAL, "multipack"), True),
    Mark("a part of it, or what protects it", _parts, True),
    Mark("what stands in for it", _written(_REPLACING, "replacement"), True),
    Mark(
        "that it lacks something",
        _lacks,
        is_always_said=True,
        is_fact=True,
        usual=frozenset(f"without {each}" for each in USUALLY_WITHOUT),
    ),
    Mark("which lens it comes with", _lens, is_fact=True, told="only one names a lens"),
    Mark("which generation", _generation, True, is_fact=True, told="only one names a generation"),
)


def lone_mark(one: Features, other: Features, shared: frozenset[str]) -> str | None:
    """Which of these only one title has, in words; `shared` are the codes of both."""
    found = {**dict(_more(one, other)), **dict(_more(other, one))}
    if not all(mark.is_always_said for mark in found.values()) and _is_named(one, other, shared):
        found = {word: mark for word, mark in found.items() if mark.is_always_said}
    return found[min(found)].told.format(min(found)) if found else None


def _is_named(one: Features, other: Features, shared: frozenset[str]) -> bool:
    """Whether both state one model code, written whole by one of them at least."""
    written = shared & (one.codes | other.codes)
    return any(map(_is_strong, written)) or written_in_two_ways(one, other)


def _is_strong(code: str) -> bool:
    return len(code) >= LONG and not _LINE.fullmatch(code)


def _more(one: Features, other: Features) -> Iterator[tuple[str, Mark]]:
    """What the first says more, each with its row."""
    for mark in TABLE:
        said = mark.said(one)
        if said and not _both_state(mark.unless_both_state, one, other):
            for word in said - mark.usual:
                if not (mark.said(other) if mark.is_fact else _is_said(word, mark, other)):
                    yield word, mark


def _both_state(attribute: str | None, one: Features, other: Features) -> bool:
    return attribute in one.attributes and attribute in other.attributes


def _is_said(word: str, mark: Mark, other: Features) -> bool:
    """In whatever form."""
    reading = other.reading
    return (
        word in reading.tokens
        or word in reading.described
        or word in mark.said(other)
        or any(word in code for code in other.all_codes)
    )
