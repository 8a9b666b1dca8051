"""Words of a question found again in a title: plain text in parts, never HTML. Pure.

By the analysis that both engines store with, so that what is marked is what was matched: another
form of the word, a part of a compound, a model number however it is joined.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from functools import lru_cache

from indexer.analysis import LANGUAGES, OTHER, index_terms, query_words
from indexer.denials import MARK, denying
from indexer.engine import Expansion
from indexer.folding import fold
from search_api.product_card import TextPart

_PIECE = re.compile(r"\d+(?:[.,]\d+)?\s?(?:[^\W\d_]{1,6}\b|[\"”″])|\w+(?:[-./,+&]\w+)*")
_LONGEST = 500


@lru_cache(maxsize=256)
def terms_of(text: str, language: str) -> frozenset[str]:
    """Every term by which a word of the question may be found."""
    found: set[str] = set()
    for word in query_words(text, language):
        for name in (language, OTHER):
            for alternative in word.alternatives.get(name, ()):
                # The pieces of a code are no match by themselves: `WW80-T` does not mark every T.
                found.update(alternative.terms[:1] if len(alternative.terms) > 1 else ())
                if len(alternative.terms) == 1 and alternative.weight >= 0.5:
                    found.update(alternative.terms)
        found.update(word.codes)
    return frozenset(found)


def wanted_terms(
    text: str, language: str, expansions: Mapping[int, Sequence[Expansion]] | None = None
) -> Set[str]:
    """Terms of a question and of its other readings: what is marked in titles."""
    wanted = terms_of(text, language) if text else frozenset()
    for readings in (expansions or {}).values():
        for reading in readings:
            wanted |= terms_of(reading.text, language)
    return wanted


def highlighted(title: str, wanted: Set[str], language: str) -> tuple[TextPart, ...]:
    """The title in parts, those with a wanted term marked; joined they are the title."""
    marked: list[tuple[int, int]] = []
    for start, stop, terms in _pieces(title, language):
        if not wanted.isdisjoint(terms):
            joins = marked and marked[-1][1] == start
            marked.append((marked.pop()[0] if joins else start, stop))
    parts: list[TextPart] = []
    end = 0
    for start, stop in marked:
        if start > end:
            parts.append(TextPart(text=title[end:start], matched=False))
        parts.append(TextPart(text=title[start:stop], matched=True))
        end = stop
    if end < len(title) or not parts:
        parts.append(TextPart(text=title[end:], matched=False))
    return tuple(parts)


@lru_cache(maxsize=4_000)
def _pieces(title: str, language: str) -> tuple[tuple[int, int, frozenset[str]], ...]:
    """Where the pieces of a title stand, and the terms of each; titles come again and again."""
    pieces: list[tuple[int, int, frozenset[str]]] = []
    denied_from: int | None = None
    for match in _PIECE.finditer(title[:_LONGEST]):
        start, stop = match.span()
        terms = _piece_terms(match[0], language)
        if denied_from is not None:
            start, terms = denied_from, frozenset(MARK + term for term in terms)
        pieces.append((start, stop, terms))
        denies = denied_from is None and fold(match[0]) in denying(language)
        denied_from = match.start() if denies else None
    return tuple(pieces)


@lru_cache(maxsize=50_000)
def _piece_terms(piece: str, language: str) -> frozenset[str]:
    """Terms of a piece of a title; the same pieces stand in many titles."""
    own = language if language in LANGUAGES else OTHER
    terms = {*index_terms(piece, own), *index_terms(piece, OTHER)}
    if piece[:1].isdigit():
        # Of a measure the number alone says nothing: `8 kg` is not found again in `8 GB`.
        terms = {term for term in terms if not term.isdigit() or piece.strip().isdigit()}
    return frozenset(terms)
