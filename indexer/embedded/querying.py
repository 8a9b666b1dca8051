"""Words and filters as tantivy queries."""

from __future__ import annotations

from collections.abc import Sequence

import tantivy
from tantivy import Occur, Query

from indexer.embedded.schema import schema
from indexer.engine import FacetField, Filters, Words
from indexer.index_fields import ALL_WORDS_BONUS, TIE_BREAKER, numeric_key
from indexer.matching_plan import Clause, MatchingPlan, matching_plan


def query_of(words: Words | None, filters: Filters, *, without: FacetField | None = None) -> Query:
    """Everything asked for; `without` leaves out the filter of one field (for its facet)."""
    parts = [
        (Occur.Must, Query.const_score_query(part, 0.0)) for part in _filters(filters, without)
    ]
    plan = matching_plan(words) if words is not None else MatchingPlan((), 0)
    if plan.words:
        parts.append((Occur.Must, _text(plan)))
    return Query.boolean_query(parts)


def _text(plan: MatchingPlan) -> Query:
    words = [_word(clauses) for clauses in plan.words]
    every = Query.boolean_query([(Occur.Must, word) for word in words])
    if not plan.is_partial:
        return every
    some = Query.boolean_query(
        [(Occur.Should, word) for word in words], minimum_number_should_match=plan.required
    )
    bonus = Query.const_score_query(every, ALL_WORDS_BONUS)
    return Query.boolean_query([(Occur.Must, some), (Occur.Should, bonus)])


def _word(clauses: Sequence[Clause]) -> Query:
    return Query.disjunction_max_query([_clause(clause) for clause in clauses], TIE_BREAKER)


def _clause(clause: Clause) -> Query:
    terms = [
        Query.term_query(schema(), clause.field, term, index_option="freq") for term in clause.terms
    ]
    matched = (
        terms[0] if len(terms) == 1 else Query.boolean_query([(Occur.Must, term) for term in terms])
    )
    return Query.boost_query(matched, clause.boost)


def _filters(filters: Filters, without: FacetField | None) -> list[Query]:
    by_field: dict[FacetField, tuple[str, Sequence[str]]] = {
        FacetField.CATEGORY: ("category", [str(value) for value in filters.categories]),
        FacetField.MANUFACTURER: ("manufacturer", filters.manufacturers),
        FacetField.MERCHANT: ("merchant", filters.merchants),
        FacetField.AVAILABILITY: ("availability", filters.availabilities),
    }
    queries = [Query.term_query(schema(), "shown", 1)]
    for facet, (field, values) in by_field.items():
        if values and facet is not without:
            queries.append(Query.term_set_query(schema(), field, list(values)))
    has_price = filters.total_min is not None or filters.total_max is not None
    if has_price and without is not FacetField.PRICE:
        queries.append(
            Query.range_query(
                schema(),
                "total",
                tantivy.FieldType.Integer,
                lower_bound=filters.total_min,
                upper_bound=filters.total_max,
            )
        )
    if filters.variant_group is not None:
        queries.append(Query.term_query(schema(), "variant_group", filters.variant_group))
    if filters.product_ids is not None:
        queries.append(of_products(filters.product_ids))
    return queries


def of_products(product_ids: Sequence[str]) -> Query:
    """Products by id; no id, no product."""
    return of_keys([numeric_key(product_id) for product_id in product_ids])


def of_keys(keys: Sequence[int]) -> Query:
    """Products by numeric key."""
    if not keys:
        return Query.empty_query()
    return Query.term_set_query(schema(), "key", list(keys))
