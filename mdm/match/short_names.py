"""Short names of models behind the word that they belong to: `iphone 8 plus`, `galaxy s9`. Pure.

Too short to be codes, they are all that parts one telephone from the next. Two titles that put
unlike short names behind the same word speak of two products, where no longer code says otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from mdm.match.reading import UNITS
from mdm.normalise.vocabulary import COLOUR_OF, STOP_WORDS


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


MAX_RUN = 3
_NAME = re.compile(r"[a-z]{0,2}\d{1,3}[a-z]{0,2}|[a-z]{1,2}")
_AMOUNT = re.compile(r"\d{2,3}[a-z]{1,2}|\d{1,3}[a-z]{2}")
_WRITTEN_TOGETHER = re.compile(r"([a-z]{4,})(\d{1,2}[a-z]?)")
_DIGIT = re.compile(r"\d")
_FAMILY = _words(
    "air compact edge flip fold lite max mini neo note play plus pro se ultra xl xr xs"
)
# Behind a number they count, and a number behind them is a norm.
_COUNTED = frozenset(UNITS) | _words(
    "amp amps bit core cup cups er fach ks kern pack pcs pezzi piece pieces polig ports st stk "
    "stuck szt thread"
)
_NORMS = _words("class clase classe klasse uhs ddr usb hdmi core cores")
_NO_NAMES = STOP_WORDS | _words("cl eu in nd pc rd sm st uk us v")
_NAMELESS = _NORMS | _FAMILY | STOP_WORDS | COLOUR_OF.keys()


class ShortName(NamedTuple):
    """`iphone 8 plus` has the name `8` and the family `plus`."""

    names: frozenset[str]
    family: frozenset[str]


Names = Mapping[str, ShortName]
"""Short names by the word that they stand behind."""


def short_names(tokens: Sequence[str]) -> Names:
    """Read the tokens of a title."""
    found: dict[str, ShortName] = {}
    following = [*tokens, ""]
    for place, token in enumerate(tokens):
        word, *run = _taken_apart(token)
        if not word:
            continue
        for each, beyond in pairwise(following[place + 1 : place + MAX_RUN + 2]):
            if not _goes_on(run, each, beyond):
                break
            run.append(each)
        if run:
            before = found.get(word, _NOTHING)
            names = before.names.union(each for each in run if each not in _FAMILY)
            found[word] = ShortName(names, before.family.union(_FAMILY.intersection(run)))
    return found


def unlike_names(
    one: Names, other: Names, tokens: frozenset[str], other_tokens: frozenset[str]
) -> str | None:
    """The first word behind which both titles put unlike names; a name that the other title has
    anywhere is not unlike."""
    for word in sorted(one.keys() & other.keys()):
        here, there = one[word], other[word]
        names = here.names | there.names
        if (
            here.names
            and there.names
            and any(map(_DIGIT.search, names))
            and not (here.names & there.names | here.names & other_tokens | there.names & tokens)
        ):
            return word
        if (here.family - there.family - other_tokens) | (there.family - here.family - tokens):
            return word
    return _family_of_one(one, other, other_tokens) or _family_of_one(other, one, tokens)


def _family_of_one(one: Names, other: Names, tokens: frozenset[str]) -> str | None:
    """`970 evo plus` where the other title says `evo` and nothing behind it."""
    lone = (word for word in one.keys() - other.keys() if one[word].family and word in tokens)
    return next((word for word in sorted(lone) if not one[word].family <= tokens), None)


_NOTHING = ShortName(frozenset(), frozenset())


@lru_cache(maxsize=200_000)
def _taken_apart(token: str) -> tuple[str, ...]:
    """A word that a name may stand behind, and the name written together with it: `fonix9`; an
    empty one for what has no names."""
    together = _WRITTEN_TOGETHER.fullmatch(token)
    word = together[1] if together else token
    if len(word) < 3 or not word.isalpha() or word in _NAMELESS:
        return ("",)
    return (word, together[2]) if together else (word,)


@lru_cache(maxsize=200_000)
def _is_name(token: str) -> bool:
    return (
        _NAME.fullmatch(token) is not None
        and _AMOUNT.fullmatch(token) is None
        and token not in _NO_NAMES
        and token not in _COUNTED
    )


def _goes_on(run: Sequence[str], token: str, beyond: str) -> bool:
    """Whether a token still belongs to the name that began so."""
    if token in _FAMILY:
        return not (token == "ultra" and beyond in ("hd", "high"))  # noqa: S105
    return (
        _is_name(token)
        and beyond not in _COUNTED
        and all(each in _FAMILY for each in run)
        and not (token == "x" and len(beyond) == 1)  # noqa: S105
    )
