"""What a thing is said to be without: `sans fil`, `ohne Beutel`, `sugar-free`, `kabellos`.

What is denied is a term of its own (`-fil`), in products as in questions, so that `Kopfhörer ohne
Kabel` are found by those who ask for none and by nobody who asks for a cable. Words are folded.
Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

MARK = "-"
"""Before a term that is denied."""
_ALL = "xx"
_DENYING = {"fr": frozenset({"sans"}), "de": frozenset({"ohne"}), "en": frozenset({"without"})}
_ASKING = {
    "fr": frozenset({"pas", "sauf"}),
    "de": frozenset({"nicht", "kein", "keine", "keinen", "keiner", "keinem", "ausser"}),
    "en": frozenset({"not", "except"}),
}
"""In a question alone: a text that says `not` speaks of anything (`does not burn the coffee`)."""
_NO_THING = frozenset(
    ("cher", "chere", "chers", "cheres", "trop", "plus", "moins", "tres", "si", "que", "teuer",
     "teurer", "zu", "so", "mehr", "nur", "sehr", "als", "uber", "unter", "expensive", "too",
     "only", "very", "more", "less", "than", "over", "under", "in", "on")
)  # fmt: skip
"""`pas trop cher`, `nicht zu laut`, `not only`: what follows such a denial is no thing."""
_STEP = "pas"
"""Not and a step: a `compteur de pas étanche` is to keep the water out."""
_SO_ON = frozenset({"ni", "ou", "oder", "noch", "or", "nor"})
"""Between two things that are both denied: `sans sucre ni sel`."""
_ARTICLES = frozenset(
    ("le", "la", "les", "l", "un", "une", "de", "du", "des", "d", "der", "die", "das", "den", "dem",
     "ein", "eine", "einen", "einer", "a", "an", "the", "any")
)  # fmt: skip
_ENDINGS = {
    "de": re.compile(r"([a-z]{3,})(?:los|frei)(?:e[rsnm]?)?"),
    "en": re.compile(r"([a-z]{3,})less"),
}
_IN_ONE = {"de": ("los", "frei"), "en": ("less", "free")}
_FREE = frozenset({"free", "frei"})


_EVERY = frozenset().union(*_DENYING.values(), *_ASKING.values())


@lru_cache(maxsize=8)
def denying(language: str) -> frozenset[str]:
    """Words of a language that deny the one behind them; of any language where that is unknown."""
    return _DENYING.get(language) or frozenset().union(*_DENYING.values())


def is_article(word: str) -> bool:
    """Whether what is denied is still to come: `without a cable`."""
    return word in _ARTICLES


@lru_cache(maxsize=50_000)
def denied_in(word: str, language: str) -> str:
    """`kabellos` -> `kabel`, `sugar-free` -> `sugar`; empty for a word that denies nothing."""
    front, joint, end = word.rpartition("-")
    if joint and end in _FREE and front.isalpha():
        return front
    for name in (language,) if language in _DENYING else tuple(_ENDINGS):
        ending = _ENDINGS.get(name)
        found = ending.fullmatch(word) if ending else None
        if found:
            return found[1]
    return ""


def said_in_one(thing: str, language: str) -> tuple[str, ...]:
    """`kabel` -> `kabellos`, `kabelfrei`: how a language denies a thing in one word."""
    return tuple(thing + end for end in _IN_ONE.get(language, ()))


def together(words: Sequence[str], language: str) -> Iterator[str]:
    """Words of a question, each denial with what it denies as one: `sans fil`, `sans sel`."""
    denies, place = denying(language) | _ASKING.get(language, frozenset()), 0
    while place < len(words):
        word = words[place]
        place += 1
        is_counted = word == _STEP and place > 1 and words[place - 2] in _ARTICLES
        behind = _denied_behind(words, place, denies) if word in denies and not is_counted else None
        if behind is None:
            yield word
        while behind is not None:
            yield f"{word} {words[behind]}"
            place = behind + 1
            goes_on = place < len(words) and words[place] in _SO_ON
            behind = _denied_behind(words, place + 1, denies) if goes_on else None


def _denied_behind(words: Sequence[str], place: int, denies: frozenset[str]) -> int | None:
    """Where the thing stands that is denied; None where there is none."""
    while place < len(words) and is_article(words[place]):
        place += 1
    is_thing = place < len(words) and words[place].isalpha() and words[place] not in denies
    return place if is_thing and words[place] not in _NO_THING else None


def thing_denied(word: str) -> str:
    """Of `sans fil` the `fil`; empty for a word that is none of `together`'s denials."""
    first, _, thing = word.partition(" ")
    return thing if thing and first in _EVERY else ""
