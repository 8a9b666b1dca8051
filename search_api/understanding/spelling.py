"""Spelling by the words that the index shows: what exists is right, whatever a dictionary says.

Words that exist (in any form or language), names of categories, units, words with digits and short
ones are never touched; the nearest frequent word within one or two slips replaces the others. Pure,
given the snapshot.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

from indexer import compounds
from indexer.analysis import OTHER, is_stop_word, is_unit, shown_words
from indexer.folding import fold
from kernel.categories import categories
from search_api.understanding.snapshot import Snapshot
from search_api.understanding.written import as_written

SHORTEST = 3
_SHORT = 3
"""Letters up to which a word says too little to be put right by another of its length."""
_LONG = 6
"""Letters from which on two slips are believed."""
_MOST = 6
"""Words of one question that are corrected."""
_REMEMBERED = 5_000
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Correction:
    """The text with its unknown words replaced; `replaced` are (as typed, as corrected)."""

    text: str
    replaced: tuple[tuple[str, str], ...]


def corrected(text: str, language: str, snapshot: Snapshot) -> Correction | None:
    """The corrected text, or None where every word is known or nothing is near."""
    if not snapshot.words:
        return None
    replaced: list[tuple[str, str]] = []

    def mended(match: re.Match[str]) -> str:
        better = None if len(replaced) >= _MOST else nearest(match[0], language, snapshot)
        if better is None:
            return match[0]
        replaced.append((match[0], better))
        return better

    result = _WORD.sub(mended, text)
    return Correction(result, tuple(replaced)) if replaced else None


def nearest(word: str, language: str, snapshot: Snapshot) -> str | None:
    """The word that was probably meant, as it is written; None for one that stands as it is."""
    folded = fold(word)
    if len(folded) < SHORTEST or not folded.isalpha() or snapshot.knows(folded):
        return None
    if folded in _category_words() or is_unit(folded, language) or is_stop_word(folded, language):
        return None
    asked = folded, language
    if asked not in snapshot.nearest:
        if len(snapshot.nearest) >= _REMEMBERED:
            snapshot.nearest.clear()
        is_compound = language == "de" and compounds.split(fold(word, "de"))
        found = None if is_compound else _search(folded, language, snapshot)
        if found is not None:
            found = as_written(found, snapshot.written.get(language, {}))
        snapshot.nearest[asked] = found
    return snapshot.nearest[asked]


@lru_cache(maxsize=1)
def _category_words() -> frozenset[str]:
    """Words by which categories are called, in every language: right though no product has them."""
    phrases = [
        phrase for row in categories().values() for phrase in (*row.names.values(), *row.words)
    ]
    return frozenset(word for phrase in phrases for word in shown_words(phrase))


def _search(folded: str, language: str, snapshot: Snapshot) -> str | None:
    slips = 2 if len(folded) >= _LONG else 1
    best: tuple[float, str] | None = None
    for name in (language, OTHER):
        for length in range(max(SHORTEST, len(folded) - slips), len(folded) + slips + 1):
            for candidate, distance, _ in process.extract(
                folded,
                snapshot.by_length.get((name, length), ()),
                scorer=OSA.distance,
                processor=None,
                score_cutoff=slips,
                limit=20,
            ):
                if not _is_likely(folded, candidate):
                    continue
                count = snapshot.words[name][candidate]
                score = _likelihood(folded, candidate, int(distance), count, name == OTHER)
                if best is None or score > best[0]:
                    best = (score, candidate)
    return best[1] if best else None


def _is_likely(typed: str, meant: str) -> bool:
    """Whether a hand slips so: the first letter is right, or has changed places with the second.

    Of three letters one may be missing, none be wrong: `pas` in `pas cher` is no `par`.
    """
    if typed[0] != meant[0] and typed[:2] != meant[1::-1]:
        return False
    return len(typed) > _SHORT or len(meant) > len(typed)


def _likelihood(typed: str, meant: str, slips: int, count: int, is_name: bool) -> float:
    """Frequent words are meant more often, and letters swapped more often than others."""
    score = math.log2(count + 1) - 6.0 * slips
    if sorted(typed) == sorted(meant):
        score += 1.0
    return score - (1.0 if is_name else 0.0)
