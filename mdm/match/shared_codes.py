"""Codes that two titles share, without those that only look like one. Pure.

Neighbouring pieces are read as one code, because shops cut codes in pieces: `kd 65xe9305`. Of a
word and a number the same makes `iphone14`, which is the name of a line (`iPhone 14 Pro Max` has it
too), and of an amount `15kg`. Such a join counts where one of the two writes it together.
"""

from __future__ import annotations

import re
from functools import lru_cache

from mdm.match.features import Features, is_quantity

_SHORTEST_WORD = 4
_SHORTEST_JOINED = 7
_FEWEST_DIGITS = 3
_FIRST, _LAST = re.compile(r"^[a-z]+"), re.compile(r"[a-z]+$")


def shared_codes(one: Features, other: Features) -> frozenset[str]:
    """Codes of both, written whole by one of them or told apart from words by their shape."""
    shared = one.all_codes & other.all_codes
    if not shared:
        return shared
    written = one.codes | other.codes
    found = frozenset(
        each
        for each in shared
        if each in written or not _is_loose(each, one.reading.tokens & other.reading.tokens)
    )
    return found - _ends_of_others(found, one, other)


def _is_loose(joined: str, tokens: frozenset[str]) -> bool:
    """Whether it is joined from a word and a number, or is an amount."""
    words, says_little = _joined_words(joined)
    return says_little or any(word in tokens for word in words)


@lru_cache(maxsize=100_000)
def _joined_words(joined: str) -> tuple[tuple[str, ...], bool]:
    """Words that it can be joined from, and whether it says too little whatever they are."""
    found = (pattern.search(joined) for pattern in (_FIRST, _LAST))
    words = tuple(each[0] for each in found if each and len(each[0]) >= _SHORTEST_WORD)
    is_short = len(joined) < _SHORTEST_JOINED or sum(map(str.isdigit, joined)) < _FEWEST_DIGITS
    return words, is_short or is_quantity(joined)


def _ends_of_others(shared: frozenset[str], one: Features, other: Features) -> frozenset[str]:
    """What both write behind letters of their own: `1000xm4` of `WH-1000XM4` and `WF-1000XM4`."""
    return frozenset(
        code for code in shared if _longer(code, one, other) and _longer(code, other, one)
    )


def _longer(code: str, one: Features, other: Features) -> bool:
    """Whether the first writes it only as the end of a code that the other does not have."""
    return any(
        each != code and each.endswith(code) and each not in other.all_codes for each in one.codes
    )
