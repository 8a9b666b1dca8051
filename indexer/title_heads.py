"""Which words of a title say only what its thing is for: a `projector lamp` is no projector.

English names a thing by the last noun of a row of words; those before it tell one lamp from
another. The second stage compares them with the last word of the question, which is what is asked
for. French and German say it otherwise (`lampe pour projecteur`, `Projektorlampe`), and nothing is
read from them here. In: texts. Out: an integer, compared as columns. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from indexer import accessories
from indexer.folding import fold
from indexer.stemming import stem

LANGUAGE = "en"
_LANES, _BITS = 4, 15
"""Words kept of a title, and bits of each one's hash: together a positive signed 64-bit number."""
_MASK = (1 << _BITS) - 1
_PARTS = (
    "antenna belt bezel blade blank board bulb card column component connector cooler fan frame "
    "head heatsink hood hose housing knob lamp lens module motor nozzle panel pillow plate pole "
    "pump rail refill screen screw support valve"
)
"""What a thing is built of, works with or stands on, beside the kinds of accessory. Alone they name
things of their own, so they make no accessory; after the name of another thing they do."""
_COLLECTION = ("kit", "set")
"""A `camera kit` is a camera as well: the word right before says what is in it."""
_ENDS = frozenset(
    ("and", "by", "for", "from", "in", "incl", "of", "on", "or", "to", "with", "without")
)
_SIGNS = "\"'()[]{}.,;:!?*®"
_BEFORE, _BEHIND = frozenset("([{"), frozenset(")]},;:!?")
_PLAIN = re.compile(r"[^\W\d_]{2,}(?:['/-][^\W\d_]+)*")


def of_titles(titles: Mapping[str, str], maker: str) -> int:
    """The words before the head, of the English title; 0 where there are none."""
    packed = 0
    for word in reversed(before_head(titles.get(LANGUAGE, ""), maker)[:_LANES]):
        packed = packed << _BITS | _hash(word)
    return packed


def before_head(title: str, maker: str = "") -> tuple[str, ...]:
    """Stems of the words that say what a title's thing is for, those next to it first.

    A word that also stands where it names the thing itself is none; nor is its maker.
    """
    runs = _runs(fold(title[:500]))
    told: dict[str, None] = {}
    naming = {_stem(word) for word in fold(maker).split()}
    for run in runs:
        first = _first_of_name(run)
        naming.update(run[first:])
        told.update(dict.fromkeys(reversed(run[:first])))
    return tuple(word for word in told if word not in naming)


@lru_cache(maxsize=1_000)
def asked(text: str, language: str) -> int:
    """What a question asks for by its last word (before `for`, `with`); 0 where none is known."""
    if language != LANGUAGE:
        return 0
    runs = _runs(fold(text[:500]))
    return _hash(runs[0][-1]) if runs else 0


@lru_cache(maxsize=1_000)
def asked_kinds(text: str, language: str) -> int:
    """Kinds of accessory by the last word of a question that says what it is for, as bits.

    Of `printer paper` those of paper; a printer, which takes paper too, is none of them.
    """
    runs = _runs(fold(text[:500])) if language == LANGUAGE else []
    if not runs or len(runs[0]) == 1:
        return 0
    kinds = accessories.kinds_by_name(LANGUAGE)
    *_, before, last = runs[0]
    return kinds.get(last, 0) | kinds.get(f"{before} {last}", 0)


def is_for(before_heads: NDArray[np.int64], wanted: int) -> NDArray[np.bool_]:
    """Which products, by the numbers of their titles, are for what is asked rather than it."""
    found = np.zeros(len(before_heads), dtype=np.bool_)
    if wanted:
        for lane in range(_LANES):
            found |= (before_heads >> lane * _BITS & _MASK) == wanted
    return found


def _first_of_name(run: tuple[str, ...]) -> int:
    """Where the name of the thing begins: at its last word that names a kind, or at the start."""
    kinds = _kinds()
    for place in range(len(run) - 1, 0, -1):
        if f"{run[place - 1]} {run[place]}" in kinds:
            return place - 1
        if run[place] in kinds:
            first = place - (run[place] in _COLLECTION)
            while first and kinds[run[place]] & kinds.get(run[first - 1], 0):
                first -= 1
            return first
    return 0


def _runs(folded: str) -> list[tuple[str, ...]]:
    """Rows of plain words as stems, parted by numbers, signs and `for`, `with`, `and`."""
    runs: list[tuple[str, ...]] = []
    run: tuple[str, ...] = ()
    for token in accessories.whole_names(folded).split():
        words, begins, ends = _read(token)
        if begins and run:
            runs.append(run)
            run = ()
        run += words
        if ends and run:
            runs.append(run)
            run = ()
    return [*runs, run] if run else runs


@lru_cache(maxsize=100_000)
def _read(token: str) -> tuple[tuple[str, ...], bool, bool]:
    """The stems of what stands between blanks, whether a row begins with it, and ends."""
    word = token.strip(_SIGNS)
    if _PLAIN.fullmatch(word) is None or word in _ENDS:
        return (), True, True
    stems = tuple(_stem(each.rpartition("-")[2]) for each in word.split("/"))
    return stems, token[0] in _BEFORE, token[-1] in _BEHIND


@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    return stem(fold(word, LANGUAGE), LANGUAGE)


@lru_cache(maxsize=1)
def _kinds() -> Mapping[str, int]:
    """What names accessories and parts, in one word or two -> bits of their kinds."""
    found = dict(accessories.kinds_by_name(LANGUAGE))
    for word in (*_PARTS.split(), *_COLLECTION):
        found.setdefault(_stem(word), 1 << accessories.MOST_KINDS)
    return found


@lru_cache(maxsize=50_000)
def _hash(word: str) -> int:
    """1 to `_MASK`; 0 stands for no word."""
    return crc32(word.encode()) % _MASK + 1
