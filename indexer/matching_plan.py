"""A query as clauses, before any engine: for each word, the terms that may stand for it and where.

Both engines turn the same plan into their own query: per word a dis_max over its clauses, then all
words or half of them. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

from indexer.analysis import LANGUAGES, OTHER, Alternative, QueryWord, query_words
from indexer.engine import Match, Words
from indexer.index_fields import (
    BOOSTS,
    CODE_BOOST,
    CODE_PREFIXES,
    CODES,
    NEUTRAL_BOOSTS,
    OTHER_LANGUAGE,
    PREFIX_BOOST,
)


@dataclass(frozen=True, slots=True)
class Clause:
    """All `terms` in `field`, worth `boost` times the engine's score."""

    field: str
    terms: tuple[str, ...]
    boost: float


@dataclass(frozen=True, slots=True)
class MatchingPlan:
    """`words[i]` are the clauses of one word; `required` of the words must match."""

    words: tuple[tuple[Clause, ...], ...]
    required: int

    @property
    def is_partial(self) -> bool:
        """Whether fewer than all words are enough."""
        return self.required < len(self.words)


def matching_plan(words: Words) -> MatchingPlan:
    """The plan of a query; no words at all (punctuation only) gives an empty plan."""
    clauses = tuple(
        _clauses(word, words.language) for word in query_words(words.text, words.language)
    )
    required = len(clauses) if words.match is Match.ALL else (len(clauses) + 1) // 2
    return MatchingPlan(clauses, required)


def _clauses(word: QueryWord, language: str) -> tuple[Clause, ...]:
    clauses = []
    for name, boost in BOOSTS.items():
        for field_language in (*LANGUAGES, OTHER):
            own = field_language == language
            # Descriptions in a language the reader does not read match by accident.
            if name == "description" and not own:
                continue
            share = boost if own else boost * OTHER_LANGUAGE
            field = f"{name}_{field_language}"
            clauses += _of(word.alternatives[field_language], field, share)
    for field, boost in NEUTRAL_BOOSTS.items():
        clauses += _of(word.alternatives[OTHER], field, boost)
    for code in word.codes:
        clauses.append(Clause(CODES, (code,), CODE_BOOST))
        if len(code) >= 4:
            clauses.append(Clause(CODE_PREFIXES, (code,), PREFIX_BOOST))
    return tuple(clauses)


def _of(alternatives: tuple[Alternative, ...], field: str, boost: float) -> list[Clause]:
    return [
        Clause(field, alternative.terms, boost * alternative.weight) for alternative in alternatives
    ]
