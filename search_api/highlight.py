"""Words of a question found again in a title: plain text in parts, never HTML. Pure.

By the analysis that both engines store with, so that what is marked is what was matched: another
form of the word, a part of a compound, a model number however it is joined.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from indexer.analysis import LANGUAGES, OTHER, index_terms, query_words
from indexer.engine import Expansion
from search_api.answer import TextPart

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


def highlighted(
    title: str,
    text: str,
    language: str,
    expansions: Mapping[int, Sequence[Expansion]] | None = None,
) -> tuple[TextPart, ...]:
    """The title in parts, those that the question matches marked; joined they are the title."""
    wanted = set(terms_of(text, language)) if text else set()
    for readings in (expansions or {}).values():
        for reading in readings:
            wanted |= terms_of(reading.text, language)
    if not wanted:
        return (TextPart(text=title, matched=False),)
    parts: list[TextPart] = []
    end = 0
    for match in _PIECE.finditer(title[:_LONGEST]):
        start, stop = match.span()
        if not wanted.isdisjoint(_piece_terms(match[0], language)):
            _add(parts, title[end:start], matched=False)
            _add(parts, title[start:stop], matched=True)
            end = stop
    _add(parts, title[end:], matched=False)
    return tuple(parts) or (TextPart(text=title, matched=False),)


@lru_cache(maxsize=50_000)
def _piece_terms(piece: str, language: str) -> frozenset[str]:
    """Terms of a piece of a title; the same pieces stand in many titles."""
    own = language if language in LANGUAGES else OTHER
    terms = {*index_terms(piece, own), *index_terms(piece, OTHER)}
    if piece[:1].isdigit():
        # Of a measure the number alone says nothing: `8 kg` is not found again in `8 GB`.
        terms = {term for term in terms if not term.isdigit() or piece.strip().isdigit()}
    return frozenset(terms)


def _add(parts: list[TextPart], text: str, *, matched: bool) -> None:
    if not text:
        return
    if parts and parts[-1].matched is matched:
        parts[-1] = TextPart(text=parts[-1].text + text, matched=matched)
    else:
        parts.append(TextPart(text=text, matched=matched))
