"""A thing for a thing: `ear pads for Sony WH-1000XM4` beside the headphones themselves. Pure.

What such a title shares with the thing's own stands behind a preposition. Words that only spare
parts and other makers' goods say leave no doubt; without one a person looks, because
`machine for capsules XN1001` is written as well.
"""

from __future__ import annotations

import re
from functools import lru_cache

from mdm.match.features import Features
from mdm.match.shared_codes import shared_codes
from mdm.normalise.trade_words import ENGLISH_OF
from mdm.normalise.vocabulary import ACCESSORIES, SPARES

_FOR = re.compile(
    r"\b(?:for|fits?|fur|pour|per|para|voor|dla|do|til|till|passend|kompatib[a-z]+|compatib[a-z]+)\b"
    # Whom a thing is for is no other thing.
    r"(?! (?:adult|bambin|boy|child|dame|donn|enfant|femme|frau|girl|gutt|herr|homb|homme|junge"
    r"|kid|kind|ladies|madchen|manner|men|mujer|nin|uomo|wom))"
)
_WORD = re.compile(r"[^\W\d_]{4,}")
# What shops put between the pieces of a code.
_BETWEEN = str.maketrans("", "", " -/._")
_NEAR = 40
"""Letters between the preposition and the name of what the thing is for."""


def made_for(one: Features, other: Features) -> bool:
    """Whether all codes that both state name, in one title alone, what the thing is for."""
    shared = shared_codes(one, other)
    return bool(shared) and (_is_for(one, other, shared) or _is_for(other, one, shared))


def is_spare(one: Features, other: Features) -> bool:
    """The same, of a thing that says of itself that it is an accessory or a replacement."""
    shared = shared_codes(one, other)
    return bool(shared) and (
        (_is_for(one, other, shared) and _says_so(one, other))
        or (_is_for(other, one, shared) and _says_so(other, one))
    )


def _is_for(part: Features, whole: Features, shared: frozenset[str]) -> bool:
    before, behind = _split(part.reading.text)
    if not behind or any(code in before for code in shared):
        return False
    # Of some codes a part is written in another language: `305xl noir`.
    named = [code for code in shared if 0 <= behind.find(code) <= _NEAR]
    own = _split(whole.reading.text)[0]
    return any(code in own for code in named) and not _are_of_one_kind(part, whole)


def _are_of_one_kind(part: Features, whole: Features) -> bool:
    """Whether what the part is called by, before its preposition and beside its maker, is said of
    the other too: more than half of it, for a `saw chain` is no saw."""
    found = _FOR.search(part.reading.text)
    called = _WORD.findall(part.reading.text[: found.start()]) if found else []
    makers = {part.manufacturer, whole.manufacturer, whole.lead}
    kinds = [word for word in called if word not in makers]
    said = whole.reading.tokens | whole.reading.described
    alike = [word for word in kinds if _is_said(word, said)]
    return 2 * len(alike) > len(kinds)


def _is_said(word: str, said: frozenset[str]) -> bool:
    """As it is, in English, or as a part of a longer word."""
    return (
        word in said
        or ENGLISH_OF.get(word) in said
        or any(each.startswith(word) or each.endswith(word) for each in said)
    )


def _says_so(part: Features, whole: Features) -> bool:
    """In words that the other does not say."""
    mine, its = (_words(each.reading.text) for each in (part, whole))
    if its & (ACCESSORIES | SPARES):
        return False
    return bool(mine & (ACCESSORIES | SPARES)) or any(word.startswith("ersatz") for word in mine)


@lru_cache(maxsize=50_000)
def _split(text: str) -> tuple[str, str]:
    """A folded title before its first preposition, and behind it, without what lies between the
    pieces of a code; nothing behind where there is none."""
    found = _FOR.search(text)
    if found is None:
        return text.translate(_BETWEEN), ""
    return text[: found.start()].translate(_BETWEEN), text[found.end() :].translate(_BETWEEN)


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text))
