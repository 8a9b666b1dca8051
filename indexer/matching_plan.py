"""A query as clauses, before any engine: for each word, the terms that may stand for it and where.

Both engines turn the same plan into their own query: per word a dis_max over its clauses, then all
words or half of them. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from indexer.analysis import (
    LANGUAGES,
    OTHER,
    Alternative,
    QueryWord,
    index_terms,
    query_words,
    readings,
)
from indexer.engine import Expansion, Match, Words
from indexer.index_fields import ATTRIBUTES, BY_LANGUAGE, CODE_PREFIXES, CODES, MANUFACTURER, MODEL
from tenants.ranking.profile import FieldWeights

NUMBER_ALONE = 3.0
"""A query that is one number names the product that carries it, whatever titles speak of it."""
_DEFAULT = FieldWeights()
_DIGIT = re.compile(r"\d")


class Clause(NamedTuple):
    """All `terms` in `field`, worth `boost` times the engine's score."""

    field: str
    terms: tuple[str, ...]
    boost: float


@dataclass(frozen=True, slots=True)
class MatchingPlan:
    """`words[i]` are the clauses of one word; `required` of the words must match.

    Where that is fewer than all, the `essential` words must be among them, and what a word denies
    is `refused` (by the word's place): who has it and does not match the word is left out. Words
    that deny are not counted among the `required`.
    """

    words: tuple[tuple[Clause, ...], ...]
    required: int
    essential: tuple[int, ...] = ()
    refused: Mapping[int, tuple[Clause, ...]] = field(default_factory=dict)

    @property
    def is_partial(self) -> bool:
        """Whether fewer than all words are enough."""
        return self.required < len(self.words)


def matching_plan(words: Words) -> MatchingPlan:
    """The plan of a query; no words at all (punctuation only) gives an empty plan."""
    weights = words.weights or _DEFAULT
    typed = query_words(words.text, words.language)
    if len(typed) == 1 and _DIGIT.search(typed[0].text):
        weights = replace(weights, codes=weights.codes * NUMBER_ALONE)
    required = _required(words, typed)
    if required < len(typed):
        typed = tuple(_as_stated(word) for word in typed)
    clauses = tuple(
        _clauses(word, words.expansions.get(place, ()), words.language, weights)
        for place, word in enumerate(typed)
    )
    is_partial = required < len(typed)
    essential = tuple(place for place in words.essential if place < len(typed) and is_partial)
    refused = {
        place: _refused(word, place, words)
        for place, word in enumerate(typed)
        if word.denied and is_partial
    }
    return MatchingPlan(clauses, max(required, len(essential)), essential, refused)


def _refused(word: QueryWord, place: int, words: Words) -> tuple[Clause, ...]:
    """What a title says of a thing that has what is denied, in the words of every language, and
    what its attributes say to the contrary.

    Where `sans sac` may stand for `ohne Beutel`, a `sac` in a French title is refused as well.
    """
    clauses = _having(word.denied, words.language, (*LANGUAGES, OTHER))
    for opposite in words.opposites.get(place, ()):
        clauses += _having(opposite, words.language, (*LANGUAGES, OTHER))
        clauses += [Clause(ATTRIBUTES, (term,), 1.0) for term in index_terms(opposite, OTHER)[:1]]
    for expansion in words.expansions.get(place, ()):
        for name in LANGUAGES:
            for other in query_words(expansion.text, name):
                clauses += _having(other.denied, name, (name,)) if other.denied else []
    return tuple(dict.fromkeys(clauses))


def _having(denied: str, language: str, languages: Sequence[str]) -> list[Clause]:
    return [
        Clause(f"title_{name}", alternative.terms, 1.0)
        for word in query_words(denied, language)
        for name in languages
        for alternative in word.alternatives.get(name, ())
    ]


def _as_stated(word: QueryWord) -> QueryWord:
    """Where fewer words are enough, `55 inch` alone must not find bicycles of 55 cm."""
    stated = {
        language: tuple(each for each in found if not each.is_bare)
        for language, found in word.alternatives.items()
    }
    return replace(word, alternatives=stated)


def _required(words: Words, typed: Sequence[QueryWord]) -> int:
    """How many words must match; where fewer than all are enough, none that denies has to."""
    count = sum(not word.denied for word in typed) or len(typed)
    if words.required is not None:
        enough = min(max(words.required, 1), count)
        return enough if enough < count or words.match is Match.HALF else len(typed)
    return len(typed) if words.match is Match.ALL else (count + 1) // 2


def _clauses(
    word: QueryWord, expansions: tuple[Expansion, ...], language: str, weights: FieldWeights
) -> tuple[Clause, ...]:
    """What may stand for a word; a field of weight 0 is not searched."""
    clauses = _by_language(word.alternatives, language, weights)
    for code in word.codes:
        clauses.append(Clause(CODES, (code,), weights.codes))
        if len(code) >= 4:
            clauses.append(Clause(CODE_PREFIXES, (code,), weights.code_prefixes))
    for expansion in expansions:
        read = readings(expansion.text, expansion.weight)
        clauses += _by_language(read, language, weights)
    return tuple(clause for clause in clauses if clause.boost > 0)


def _by_language(
    alternatives: Mapping[str, tuple[Alternative, ...]], language: str, weights: FieldWeights
) -> list[Clause]:
    clauses = []
    for name in BY_LANGUAGE:
        boost = getattr(weights, name)
        for field_language in (*LANGUAGES, OTHER):
            own = field_language == language
            # Descriptions in a language the reader does not read match by accident.
            if name == "description" and not own:
                continue
            share = boost if own else boost * weights.other_language
            clauses += _of(alternatives.get(field_language, ()), f"{name}_{field_language}", share)
    neutral = (
        (MANUFACTURER, weights.manufacturer),
        (MODEL, weights.model),
        (ATTRIBUTES, weights.attributes),
    )
    for name, boost in neutral:
        clauses += _of(alternatives.get(OTHER, ()), name, boost)
    return clauses


def _of(alternatives: tuple[Alternative, ...], field: str, boost: float) -> list[Clause]:
    return [
        Clause(field, alternative.terms, boost * alternative.weight) for alternative in alternatives
    ]
