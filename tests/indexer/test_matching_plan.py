"""Clauses of a question, before any engine."""

from __future__ import annotations

from indexer.engine import Match, Words
from indexer.matching_plan import matching_plan


def terms(text: str, match: Match) -> list[set[tuple[str, ...]]]:
    """Of each word, what may stand for it."""
    plan = matching_plan(Words(text, "en", match))
    return [{clause.terms for clause in word} for word in plan.words]


def test_a_number_without_its_unit_counts_where_every_word_is_asked_for_alone() -> None:
    """Half of `television 55 inch` would else be a bicycle of 55 cm."""
    assert ("55",) in terms("television 55 inch", Match.ALL)[1]
    assert ("55",) not in terms("television 55 inch", Match.HALF)[1]
    assert ("55inch",) in terms("television 55 inch", Match.HALF)[1]
    assert ("55",) in terms("55 inch", Match.HALF)[0], "of one word, half is all"


def test_what_a_question_denies_is_refused_where_fewer_words_are_enough() -> None:
    asked = Words("headphones without cable", "en", Match.HALF)
    plan = matching_plan(asked)
    assert plan.required == 1
    assert {clause.terms for clause in plan.refused[1]} == {("cabl",), ("cable",)}
    assert {clause.field[:6] for clause in plan.refused[1]} == {"title_"}
    every = matching_plan(Words("headphones without cable", "en", Match.ALL))
    assert (every.required, every.is_partial, every.refused) == (2, False, {})
    alone = matching_plan(Words("without cable", "en", Match.HALF))
    assert (alone.required, alone.refused) == (1, {})


def test_what_says_the_contrary_is_refused_as_well() -> None:
    asked = Words("headphones without cable", "en", Match.HALF, opposites={1: ("corded",)})
    refused = {(clause.field, clause.terms) for clause in matching_plan(asked).refused[1]}
    assert {("title_en", ("corded",)), ("attribute_words", ("corded",))} <= refused
    every = Words("headphones without cable", "en", Match.ALL, opposites={1: ("corded",)})
    assert matching_plan(every).refused == {}
