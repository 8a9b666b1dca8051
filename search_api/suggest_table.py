"""What can be completed for one brand and language: phrases and single words, by their beginning.

Built in the background from the index's words, its makers and categories, and what is asked often.
Looking up never asks the engine. Pure once built.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from typing import Literal

from indexer.folding import fold

PhraseKind = Literal["query", "category", "manufacturer"]
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_MOST_KEPT = 12
_SHORT = 3
"""Beginnings of up to so many letters have their best words looked up beforehand."""
_LAST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Phrase:
    """Something that can be proposed whole; `value` is what a filter takes."""

    kind: PhraseKind
    text: str
    value: str
    weight: int


class SuggestTable:
    """Sorted keys: a beginning is a range found by bisection."""

    def __init__(self, phrases: Iterable[Phrase], words: Mapping[str, int], language: str) -> None:
        self._language = language
        keyed = sorted(
            ((key, phrase) for phrase in phrases for key in self._keys(phrase.text)),
            key=lambda row: (row[0], -row[1].weight),
        )
        self._phrase_keys = [key for key, _ in keyed]
        self._phrases = [phrase for _, phrase in keyed]
        self._words = sorted(words)
        self._counts = words
        self._best: dict[str, list[str]] = self._best_of_short()

    def phrases(self, typed: str, kind: PhraseKind, limit: int) -> list[Phrase]:
        """Phrases of which a word, and what follows it, begins like what is typed; best first."""
        wanted = fold(typed, self._language)
        start = bisect_left(self._phrase_keys, wanted)
        end = bisect_left(self._phrase_keys, wanted + _LAST, start)
        found: dict[str, Phrase] = {}
        for phrase in self._phrases[start : min(end, start + 5_000)]:
            if phrase.kind == kind:
                found.setdefault(phrase.value, phrase)
        return nlargest(limit, found.values(), key=lambda row: (row.weight, row.text))

    def words(self, beginning: str, limit: int) -> list[str]:
        """Words of the index that begin so, most frequent first."""
        if len(beginning) <= _SHORT:
            return self._best.get(beginning, [])[:limit]
        return self._frequent(self._range(beginning), limit)

    def corrected(self, word: str, *, is_beginning: bool) -> str | None:
        """The most frequent word (or beginning of one) that is one typing error away, if any."""
        found = self._one_error_away(word, is_beginning=is_beginning)
        weigh = self._most if is_beginning else self._counts.__getitem__
        return max(found, key=lambda text: (weigh(text), text), default=None)

    def _one_error_away(self, word: str, *, is_beginning: bool) -> set[str]:
        """Words (or beginnings) of the index one insertion, deletion, replacement or swap away.

        The first letter stays: people seldom mistype it. What precedes the error is a beginning
        that the index has; where it has none, no later error can help.
        """
        found: set[str] = set()
        low, high = 0, len(self._words)
        for place in range(1, len(word) + 1):
            head, tail = word[:place], word[place:]
            low = bisect_left(self._words, head, low, high)
            high = bisect_left(self._words, head + _LAST, low, high)
            if low == high:
                break
            for candidate in _with_error(head, tail):
                if is_beginning:
                    at = bisect_left(self._words, candidate, low, high)
                    is_known = at < high and self._words[at].startswith(candidate)
                else:
                    is_known = candidate in self._counts
                if is_known:
                    found.add(candidate)
        return found

    def knows(self, word: str, *, is_beginning: bool) -> bool:
        """Whether the index has the word, or one that begins so."""
        return self._begins(word) if is_beginning else word in self._counts

    def _begins(self, beginning: str) -> bool:
        place = bisect_left(self._words, beginning)
        return place < len(self._words) and self._words[place].startswith(beginning)

    def _most(self, beginning: str) -> int:
        """How often the most frequent word that begins so is shown."""
        if len(beginning) <= _SHORT:
            return self._counts[self._best[beginning][0]]
        return max(self._counts[word] for word in self._range(beginning))

    def _keys(self, text: str) -> list[str]:
        """The phrase from each of its words on."""
        parts = fold(text, self._language).split()
        return [" ".join(parts[start:]) for start in range(min(len(parts), 6))]

    def _range(self, beginning: str) -> Sequence[str]:
        start = bisect_left(self._words, beginning)
        return self._words[start : bisect_left(self._words, beginning + _LAST, start)]

    def _frequent(self, words: Iterable[str], limit: int) -> list[str]:
        return nlargest(limit, words, key=lambda word: (self._counts[word], word))

    def _best_of_short(self) -> dict[str, list[str]]:
        groups: dict[str, list[str]] = {}
        for word in self._words:
            for length in range(1, min(_SHORT, len(word)) + 1):
                groups.setdefault(word[:length], []).append(word)
        return {start: self._frequent(group, _MOST_KEPT) for start, group in groups.items()}


def _with_error(head: str, tail: str) -> Iterable[str]:
    """What stands right after the head was left out, added, mistyped or swapped."""
    if tail:
        yield head + tail[1:]
    if len(tail) > 1:
        yield head + tail[1] + tail[0] + tail[2:]
    for letter in _LETTERS:
        if tail and tail[0] != letter:
            yield head + letter + tail[1:]
        yield head + letter + tail
