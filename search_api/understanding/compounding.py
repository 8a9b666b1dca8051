"""Words taken apart by those that the index shows: `oledfernseher`, OLED-Fernseher.

In German any compound that no product shows; elsewhere what is no word at all was typed without
its blank (`wirelessmouse`).

The list of parts that indexing uses knows everyday nouns; makers' words and new ones are in the
catalogue alone.
Pure, given the snapshot.
"""

from __future__ import annotations

from collections.abc import Mapping

from indexer import compounds
from indexer.analysis import OTHER, query_words
from indexer.engine import Expansion
from indexer.folding import fold
from search_api.understanding.snapshot import Snapshot

WEIGHT = 0.8
_HEAD, _TAIL = 3, 5
"""Fewest letters of the part in front and of the one behind, which names the thing."""


def taken_apart(
    text: str, language: str, snapshot: Snapshot
) -> Mapping[int, tuple[Expansion, ...]]:
    """Place of a word -> its two parts, for words that nothing shows as they are."""
    found = {}
    for place, word in enumerate(query_words(text, language)):
        parts = _parts(word.text, language, snapshot)
        if parts:
            found[place] = (Expansion(" ".join(parts), WEIGHT),)
    return found


def _parts(word: str, language: str, snapshot: Snapshot) -> tuple[str, str] | None:
    """The longest part behind that is a word of its own, with a known word before it."""
    if not word.isalpha() or len(word) < _HEAD + _TAIL:
        return None
    if compounds.split(fold(word, "de")) if language == "de" else _stands(word, snapshot):
        return None
    known = [snapshot.words.get(name, {}) for name in (language, OTHER)]
    for start in range(_HEAD, len(word) - _TAIL + 1):
        head, tail = word[:start], word[start:]
        if any(tail in words for words in known[:1]) and any(head in words for words in known):
            return head, tail
    return None


def _stands(word: str, snapshot: Snapshot) -> bool:
    """Whether it is a word, of the index or of its language."""
    return snapshot.knows(word) or snapshot.is_word(word)
