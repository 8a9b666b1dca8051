"""Spelling by the words that the index shows: what exists is right, whatever a dictionary says.

Words that exist (in any form or language), names of categories, units, words with digits and short
ones are never touched; the nearest frequent word within one or two slips replaces the others. Pure,
given the snapshot.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

from indexer import compounds
from indexer.analysis import OTHER, is_stop_word, is_unit, shown_words
from indexer.folding import fold
from kernel.categories import categories
from search_api.understanding.snapshot import Near, Snapshot
from search_api.understanding.written import as_written

SHORTEST = 3
_SHORT = 3
"""Letters up to which a word says too little to be put right by another of its length."""
_LONG = 6
"""Letters from which on two slips are believed."""
_MOST = 6
"""Words of one question that are corrected."""
_WAYS = 5
"""Words looked at in the place of one."""
_WRONG_FIRST, _ASKED_FOR = 3.0, 2.0
"""Bits."""
_REMEMBERED = 5_000
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Correction:
    """The text with its unknown words replaced; `replaced` are (as typed, as corrected).

    `slips` says in bits how unlikely a hand is to slip so, however often the words are meant.
    """

    text: str
    replaced: tuple[tuple[str, str], ...]
    slips: float = 0.0


def corrected(text: str, language: str, snapshot: Snapshot) -> Correction | None:
    """The corrected text, or None where every word is known or nothing is near."""
    return next(iter(corrections(text, language, snapshot)), None)


def corrections(text: str, language: str, snapshot: Snapshot) -> tuple[Correction, ...]:
    """Ways to correct the text, the likeliest first; they differ in the first word replaced."""
    if not snapshot.words:
        return ()
    found = [(match, near(match[0], language, snapshot)) for match in _WORD.finditer(text)]
    unknown = [(match, words) for match, words in found if words][:_MOST]
    if not unknown:
        return ()
    rest = [(match, words[0]) for match, words in unknown[1:]]
    first, words = unknown[0]
    return tuple(_replaced(text, [(first, word), *rest]) for word in words)


def likeliest(ways: Sequence[Correction], products: Callable[[str], int]) -> Correction | None:
    """Of several ways the one whose words most products have together.

    `gps wath` is a watch, whatever else `wath` may be by itself. Where no product has them
    together, another first letter is not believed: `couches taille 4` asks for no `maille`.
    """
    if not ways or " " not in ways[0].text.strip():
        return next(iter(ways), None)
    counted = [(products(way.text), way) for way in ways]
    if any(count for count, _ in counted):
        return max(counted, key=lambda row: math.log2(row[0] + 1) - row[1].slips)[1]
    return next((way for way in ways if _begins_right(*way.replaced[0])), None)


def _begins_right(typed: str, meant: str) -> bool:
    """Whether the first letter is right, or has only changed places with the second."""
    one, other = fold(typed), fold(meant)
    return one[:1] == other[:1] or one[:2] == other[1::-1]


def _replaced(text: str, words: Sequence[tuple[re.Match[str], Near]]) -> Correction:
    result = text
    for match, word in reversed(words):
        result = result[: match.start()] + word.written + result[match.end() :]
    pairs = tuple((match[0], word.written) for match, word in words)
    return Correction(result, pairs, sum(word.slips for _, word in words))


def near(word: str, language: str, snapshot: Snapshot) -> tuple[Near, ...]:
    """Words that were probably meant, the likeliest first; none for one that stands as it is."""
    folded = fold(word)
    if len(folded) < SHORTEST or not folded.isalpha() or snapshot.knows(folded):
        return ()
    if folded in _category_words() or is_unit(folded, language) or is_stop_word(folded, language):
        return ()
    asked = folded, language
    if asked not in snapshot.near:
        if len(snapshot.near) >= _REMEMBERED:
            snapshot.near.clear()
        is_compound = language == "de" and compounds.split(fold(word, "de"))
        snapshot.near[asked] = () if is_compound else _search(folded, language, snapshot)
    return snapshot.near[asked]


@lru_cache(maxsize=1)
def _category_words() -> frozenset[str]:
    """Words by which categories are called, in every language: right though no product has them."""
    phrases = [
        phrase for row in categories().values() for phrase in (*row.names.values(), *row.words)
    ]
    return frozenset(word for phrase in phrases for word in shown_words(phrase))


def _search(folded: str, language: str, snapshot: Snapshot) -> tuple[Near, ...]:
    most = 2 if len(folded) >= _LONG else 1
    found: dict[str, tuple[float, float]] = {}
    for name in (language, OTHER):
        for length in range(max(SHORTEST, len(folded) - most), len(folded) + most + 1):
            for candidate, distance, _ in process.extract(
                folded,
                snapshot.by_length.get((name, length), ()),
                scorer=OSA.distance,
                processor=None,
                score_cutoff=most,
                limit=20,
            ):
                if not _is_likely(folded, candidate, int(distance), language):
                    continue
                slips = _slips(folded, candidate, int(distance), snapshot)
                slips += 1.0 if name == OTHER else 0.0
                score = math.log2(snapshot.words[name][candidate] + 1) - slips
                found[candidate] = max(found.get(candidate, (score, slips)), (score, slips))
    best = sorted(found, key=lambda word: (-found[word][0], word))[:_WAYS]
    shown = snapshot.written.get(language, {})
    return tuple(Near(as_written(word, shown), found[word][1]) for word in best)


def _is_likely(typed: str, meant: str, slips: int, language: str) -> bool:
    """Nobody asks for a stop word. A wrong first letter is slip enough: `couches` are no `pouces`.
    Of three letters one may be missing, none be wrong: `pas` in `pas cher` is no `par`."""
    if is_stop_word(meant, language) or (slips > 1 and not _begins_right(typed, meant)):
        return False
    return len(typed) > _SHORT or len(meant) > len(typed)


def _slips(typed: str, meant: str, distance: int, snapshot: Snapshot) -> float:
    """How unlikely it is that a hand slips so and this is asked for, in bits: letters are swapped
    more often, the first one is seldom wrong, and kinds of things and makers are asked for most."""
    bits = 6.0 * distance
    if sorted(typed) == sorted(meant):
        bits -= 1.0
    if not _begins_right(typed, meant):
        bits += _WRONG_FIRST
    if meant in _category_words() or meant in snapshot.manufacturers:
        bits -= _ASKED_FOR
    return bits
