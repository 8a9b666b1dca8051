"""Light stemming of folded words (lower case, no accents): plurals and endings, never meanings.

Light on purpose: in a shop `imprimante` and `imprimeur` are two things. In and out: one word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping


def _english(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("s") and len(word) > 3 and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    # `case` and `cases`, `watch` and `watches` meet without their last e.
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


def _french(word: str) -> str:
    if len(word) < 4:
        return word
    if word.endswith("aux") and not word.endswith("eaux") and len(word) > 5:
        word = word[:-3] + "al"
    elif word[-1] in "sx":
        word = word[:-1]
    if word.endswith("e") and len(word) > 3:
        word = word[:-1]
    if len(word) > 4 and word[-1] == word[-2] and word[-1] in "nlts":
        word = word[:-1]
    return word


def _german(word: str) -> str:
    if len(word) < 4:
        return word
    for ending in ("ern", "em", "en", "er", "es"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    if word[-1] in "en" and len(word) > 4:
        return word[:-1]
    if word[-1] == "s" and word[-2] in "bdfghklmnrty" and len(word) > 4:
        return word[:-1]
    return word


def _other(word: str) -> str:
    return word[:-1] if len(word) > 3 and word[-1] == "s" and word[-2] != "s" else word


_STEMMERS: Mapping[str, Callable[[str], str]] = {"en": _english, "fr": _french, "de": _german}


def stem(word: str, language: str) -> str:
    """The stem in `fr`, `de`, `en`; in other languages only a plural s goes."""
    return _STEMMERS.get(language, _other)(word)
