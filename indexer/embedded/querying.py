"""Words and filters as tantivy queries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import tantivy
from tantivy import Occur, Query

from indexer.embedded.schema import ATTRIBUTES, attribute, schema
from indexer.engine import FacetField, Filters, Words
from indexer.index_fields import ALL_WORDS_BONUS, TIE_BREAKER, TITLE_WORDS, numeric_key
from indexer.matching_plan import Clause, MatchingPlan, matching_plan

Present = Callable[[MatchingPlan], MatchingPlan]
"""Leaves out of a plan what the index does not hold."""


@dataclass(frozen=True, slots=True)
class Question:
    """A request as parts of a query: its words, what always holds, what a facet may leave out."""

    text: Query | None
    always: tuple[Query, ...]
    conditions: Mapping[str, Query]

    def query(self, *, without: str = "") -> Query:
        """Everything asked for; `without` leaves out one of the conditions (for its facet)."""
        parts = list(self.always)
        parts += [part for name, part in self.conditions.items() if name != without]
        if not parts and self.text is not None:
            return self.text
        # What was deleted has no words, no values and no name but its key.
        if self.text is None and len(parts) == len(self.always):
            parts.append(Query.term_query(schema(), "shown", 1, index_option="basic"))
        queries = [(Occur.Must, Query.const_score_query(part, 0.0)) for part in parts]
        if self.text is not None:
            queries.append((Occur.Must, self.text))
        return Query.boolean_query(queries)


def question_of(
    words: Words | None,
    filters: Filters,
    *,
    after: str | None = None,
    present: Present = lambda plan: plan,
) -> Question:
    """The parts of a request."""
    plan = matching_plan(words) if words is not None else None
    text = _text(present(plan)) if plan is not None and plan.words else None
    return Question(text, tuple(_always(filters, after)), conditions(filters))


def query_of(words: Words | None, filters: Filters, *, after: str | None = None) -> Query:
    """Everything asked for."""
    return question_of(words, filters, after=after).query()


def conditions(filters: Filters) -> dict[str, Query]:
    """Conditions that a facet of that name must not feel."""
    values: Mapping[str, tuple[str, Sequence[str]]] = {
        FacetField.CATEGORY.value: ("category", [str(value) for value in filters.categories]),
        FacetField.MANUFACTURER.value: ("manufacturer", filters.manufacturers),
        FacetField.MERCHANT.value: ("merchant", filters.merchants),
        FacetField.AVAILABILITY.value: ("availability", filters.availabilities),
        **{attribute_facet(name): (ATTRIBUTES, [attribute(name, value) for value in chosen])
           for name, chosen in filters.attributes.items()},
    }  # fmt: skip
    found = {
        name: Query.term_set_query(schema(), field, list(chosen))
        for name, (field, chosen) in values.items()
        if chosen
    }
    if filters.total_min is not None or filters.total_max is not None:
        found[FacetField.PRICE.value] = _between("total", filters.total_min, filters.total_max)
    return found


def attribute_facet(name: str) -> str:
    """What the condition and the counts of an attribute are called among the facets."""
    return f"{ATTRIBUTES}.{name}"


def clause_query(clause: Clause) -> Query:
    """All terms of a clause with its boost."""
    terms = [
        Query.term_query(schema(), clause.field, term, index_option="freq") for term in clause.terms
    ]
    matched = (
        terms[0] if len(terms) == 1 else Query.boolean_query([(Occur.Must, term) for term in terms])
    )
    return Query.boost_query(matched, clause.boost)


def completing(words: Sequence[str]) -> Query:
    """Products whose titles have all words, the last one as a beginning."""
    parts = [(Occur.Must, _in_titles(word)) for word in words[:-1]]
    parts.append((Occur.Must, _in_titles(words[-1], is_beginning=True)))
    parts.append((Occur.Must, Query.term_query(schema(), "shown", 1)))
    return Query.boolean_query(parts)


def of_products(product_ids: Sequence[str]) -> Query:
    """Products by id; no id, no product."""
    return of_keys([numeric_key(product_id) for product_id in product_ids])


def of_keys(keys: Sequence[int]) -> Query:
    """Products by numeric key."""
    if not keys:
        return Query.empty_query()
    return Query.term_set_query(schema(), "key", list(keys))


def _text(plan: MatchingPlan) -> Query:
    words = [_word(clauses) for clauses in plan.words]
    every = Query.boolean_query([(Occur.Must, word) for word in words])
    if not plan.is_partial:
        return every
    bonus = Query.const_score_query(every, ALL_WORDS_BONUS)
    parts = [(Occur.Must, _some(plan, words)), (Occur.Should, bonus)]
    for place, having in plan.refused.items():
        parts.append((Occur.Should, words[place]))
        parts += [(Occur.MustNot, _refused(words[place], having))] if having else []
    return Query.boolean_query(parts)


def _some(plan: MatchingPlan, words: Sequence[Query]) -> Query:
    """Enough of the words, the essential ones among them: those lead through the index."""
    parts = [
        (Occur.Must if place in plan.essential else Occur.Should, word)
        for place, word in enumerate(words)
        if place not in plan.refused
    ]
    further = plan.required - len(plan.essential)
    return Query.boolean_query(parts, minimum_number_should_match=further)


def _refused(denying: Query, having: Sequence[Clause]) -> Query:
    """What has a thing that is denied, and does not say itself to be without."""
    return Query.boolean_query([(Occur.Must, _word(having)), (Occur.MustNot, denying)])


def _word(clauses: Sequence[Clause]) -> Query:
    if len(clauses) < 2:
        return clause_query(clauses[0]) if clauses else Query.empty_query()
    return Query.disjunction_max_query([clause_query(clause) for clause in clauses], TIE_BREAKER)


def _in_titles(word: str, *, is_beginning: bool = False) -> Query:
    """The word in any language's titles. No pattern: to compile one takes longer than to look."""
    return Query.boolean_query(
        [
            (
                Occur.Should,
                Query.fuzzy_term_query(schema(), field, word, distance=0, prefix=True)
                if is_beginning
                else Query.term_query(schema(), field, word, index_option="basic"),
            )
            for field in TITLE_WORDS.values()
        ]
    )


def _always(filters: Filters, after: str | None) -> list[Query]:
    """Conditions that every facet feels."""
    queries = []
    if filters.variant_groups:
        groups = list(filters.variant_groups)
        queries.append(Query.term_set_query(schema(), "variant_groups", groups))
    if filters.product_ids is not None:
        queries.append(of_products(filters.product_ids))
    if filters.dropped_from is not None:
        queries.append(_between("dropped_on", filters.dropped_from, None))
    if after is not None:
        queries.append(_between("key", numeric_key(after) + 1, None))
    for hidden in filters.without:
        parts = [*_always(hidden, None), *conditions(hidden).values()]
        meant = Query.boolean_query([(Occur.Must, part) for part in parts])
        queries.append(
            Query.boolean_query([(Occur.Must, Query.all_query()), (Occur.MustNot, meant)])
        )
    return queries


def _between(field: str, low: int | None, high: int | None) -> Query:
    return Query.range_query(
        schema(), field, tantivy.FieldType.Integer, lower_bound=low, upper_bound=high
    )
