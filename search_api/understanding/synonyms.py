"""A brand's synonyms as other readings of the words of a question. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from indexer.analysis import OTHER, QueryWord, query_words, shown_words
from indexer.engine import Expansion
from tenants.ranking.profile import Synonym

MOST = 8
"""Readings of one word."""


def expansions(
    text: str, language: str, synonyms: Sequence[Synonym]
) -> Mapping[int, tuple[Expansion, ...]]:
    """Place of a word (as `query_words` numbers them) -> what may stand for it.

    A phrase of several words may be replaced as a whole: each of its words gets the reading.
    """
    if not synonyms:
        return {}
    typed = [_term(word, language) for word in query_words(text, language)]
    found: dict[int, list[Expansion]] = {}
    for synonym in synonyms:
        for phrase, meant in _directions(synonym):
            wanted = [_term(word, language) for word in query_words(phrase, language)]
            for place in _places(typed, wanted):
                reading = Expansion(meant, synonym.weight)
                for each in range(place, place + len(wanted)):
                    readings = found.setdefault(each, [])
                    if reading not in readings and len(readings) < MOST:
                        readings.append(reading)
    return {place: tuple(readings) for place, readings in found.items()}


def words_of(synonyms: Sequence[Synonym]) -> Iterator[str]:
    """Words (folded) that a brand gave a meaning."""
    for synonym in synonyms:
        for phrase in (*synonym.words, *synonym.replacements):
            yield from shown_words(phrase)


def _directions(synonym: Synonym) -> Iterator[tuple[str, str]]:
    for word in synonym.words:
        for replacement in synonym.replacements:
            yield word, replacement
            if synonym.two_way:
                yield replacement, word


def _term(word: QueryWord, language: str) -> str:
    alternatives = word.alternatives.get(language) or word.alternatives[OTHER]
    return alternatives[0].terms[0] if alternatives else word.text


def _places(typed: Sequence[str], wanted: Sequence[str]) -> Iterator[int]:
    length = len(wanted)
    for place in range(len(typed) - length + 1) if length else ():
        if list(typed[place : place + length]) == list(wanted):
            yield place
