"""Words, filters, order and facets as an Elasticsearch request, and its answer read back."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any
from urllib.parse import quote, unquote

import numpy as np

from indexer.elasticsearch.mapping import HIT, told
from indexer.engine import (
    VOCABULARY,
    ClauseScore,
    Counts,
    Explanation,
    FacetCount,
    FacetField,
    Filters,
    PriceCounts,
    SearchRequest,
    SearchResult,
    Sort,
    Vector,
    Words,
)
from indexer.hits import NO_HITS, Hits
from indexer.index_fields import ALL_WORDS_BONUS, TIE_BREAKER, TITLE_WORDS, facet_counts
from indexer.matching_plan import Clause, matching_plan
from indexer.price_bars import EDGES

Json = dict[str, Any]

COLUMNS_ONLY: Json = {"_source": False, "stored_fields": "_none_"}
"""With it no hit's stored block is unpacked, which holds its document: a third of a search's time.
Hits have no `_id` then; `product_id` is the same."""
_FACETS = {
    FacetField.CATEGORY: "category",
    FacetField.MANUFACTURER: "manufacturer_label",
    FacetField.MERCHANT: "merchant_label",
    FacetField.AVAILABILITY: "availability",
}
_ORDERS: dict[Sort, list[Json]] = {
    Sort.PRICE_ASC: [{"total": {"order": "asc", "missing": "_last"}}],
    Sort.PRICE_DESC: [{"total": {"order": "desc", "missing": "_last"}}],
    Sort.NEWEST: [{"updated_at": {"order": "desc", "missing": "_last"}}],
    Sort.POPULAR: [{"offer_count": {"order": "desc", "missing": "_last"}}],
    Sort.DROP: [{"drop": {"order": "desc", "missing": "_last"}}],
    Sort.ID: [{"product_id": "asc"}],
}
_BARS: list[Json] = [{"from": low, "to": high} for low, high in pairwise(EDGES)]
_NO_QUERIES: Json = {}
_COSINE = "cosineSimilarity(params.vector, params.field) + 1.0"


def search_body(request: SearchRequest, vector_field: str = "") -> Json:
    """One request: filters that a facet must not feel come after the counting.

    The request's vector is compared with the vectors of that field.
    """
    counting = _counting(request)
    by_field = _facet_filters(request.filters)
    counted = {field: part for field, part in by_field.items() if field in counting}
    always = [part for field, part in by_field.items() if field not in counted]
    body: Json = {
        "query": {
            "bool": {
                "filter": [*_plain_filters(request.filters), *always],
                "must": _text(request.words),
            }
        },
        "from": request.offset,
        "size": request.limit,
        "track_total_hits": True,
        "version": True,
        "docvalue_fields": [HIT],
        "aggs": {},
        **COLUMNS_ONLY,
    }
    for name, how in counting.items():
        narrowing = [part for field, part in counted.items() if field != name]
        if narrowing:
            body["aggs"][_called(name)] = {"filter": _every(narrowing), "aggs": how}
        else:
            body["aggs"] |= {_called(f"{name}/{part}"): values for part, values in how.items()}
    if counted:
        body["post_filter"] = _every(list(counted.values()))
    if request.sort in _ORDERS:
        body["sort"] = _ORDERS[request.sort]
    elif request.vector is not None and request.vector.any():
        body["rescore"] = _cosines(request.vector, vector_field)
    if request.after is not None:
        body["search_after"] = [request.after]
    return body


def explain_body(request: SearchRequest, product_id: str) -> Json:
    """The request for one product, every clause with a name that `explanation` reads."""
    filters = [*filter_of(request.filters), {"term": {"product_id": product_id}}]
    named = _text(request.words, is_named=True)
    return {"query": {"bool": {"filter": filters, "must": named}}, "size": 1, **COLUMNS_ONLY}


def explanation(answer: Json, request: SearchRequest, product_id: str) -> Explanation | None:
    """What the named clauses earned."""
    rows = answer["hits"]["hits"]
    if not rows:
        return None
    words = matching_plan(request.words).words if request.words is not None else ()
    earned = rows[0].get("matched_queries", {})
    clauses = [
        ClauseScore(word, clause.field, clause.terms, float(earned[name]))
        for word, alternatives in enumerate(words)
        for place, clause in enumerate(alternatives)
        if (name := f"{word}.{place}") in earned
    ]
    score = float(rows[0]["_score"] or 0.0)
    return Explanation(product_id, score, tuple(sorted(clauses, key=lambda row: -row.score)))


def complete_body(words: Sequence[str], limit: int) -> Json:
    """Products whose titles have all words, the last one as a beginning."""
    fields = list(TITLE_WORDS.values())

    def anywhere(kind: str, word: str) -> Json:
        return {"bool": {"should": [{kind: {field: {"value": word}}} for field in fields]}}

    parts = [anywhere("term", word) for word in words[:-1]]
    parts.append(anywhere("prefix", words[-1]))
    return {
        "query": {"bool": {"filter": [{"term": {"shown": True}}, *parts]}},
        "sort": _ORDERS[Sort.POPULAR],
        "size": limit,
        "track_total_hits": False,
        "_source": [
            f"document.{name}" for name in ("titles", "category_id", "manufacturer", "total_minor")
        ],
    }


def vocabulary_body(fields: Sequence[str]) -> Json:
    """The most frequent words of the fields."""
    return {
        "query": {"term": {"shown": True}},
        "size": 0,
        "track_total_hits": False,
        "aggs": {field: {"terms": {"field": field, "size": VOCABULARY}} for field in fields},
    }


def filter_of(filters: Filters) -> list[Json]:
    """All conditions as filter clauses."""
    return [*_plain_filters(filters), *_facet_filters(filters).values()]


def _cosines(vector: Vector, field: str) -> Json:
    """The cosine of each hit as a named query: a rescore that is worth nothing changes no order."""
    # Six decimals are more than the stored vectors have, and half as long to send.
    rounded = np.round(vector.astype(np.float64), 6).tolist()
    script = {"source": _COSINE, "params": {"vector": rounded, "field": field}}
    has_vector = {"exists": {"field": field}}
    query = {"script_score": {"_name": "cosine", "query": has_vector, "script": script}}
    weights = {"query_weight": 1, "rescore_query_weight": 0}
    return {"window_size": 1, "query": {"rescore_query": query, **weights}}


def _every(parts: Sequence[Json]) -> Json:
    return {"bool": {"filter": list(parts)}} if parts else {"match_all": {}}


def _plain_filters(filters: Filters) -> list[Json]:
    parts: list[Json] = [{"term": {"shown": True}}]
    if filters.variant_groups:
        parts.append({"terms": {"variant_groups": list(filters.variant_groups)}})
    if filters.product_ids is not None:
        parts.append({"terms": {"product_id": list(filters.product_ids)}})
    if filters.dropped_from is not None:
        parts.append({"range": {"dropped_on": {"gte": filters.dropped_from}}})
    parts += [
        {"bool": {"must_not": [{"bool": {"filter": filter_of(hidden)}}]}}
        for hidden in filters.without
    ]
    return parts


def _facet_filters(filters: Filters) -> dict[str, Json]:
    """Conditions that a facet of that name must not feel."""
    values: dict[str, tuple[str, Sequence[str]]] = {
        FacetField.CATEGORY.value: ("category", [str(value) for value in filters.categories]),
        FacetField.MANUFACTURER.value: ("manufacturer", filters.manufacturers),
        FacetField.MERCHANT.value: ("merchant", filters.merchants),
        FacetField.AVAILABILITY.value: ("availability", filters.availabilities),
        **{_attribute(name): (_attribute(name), chosen)
           for name, chosen in filters.attributes.items()},
    }  # fmt: skip
    parts: dict[str, Json] = {
        facet: {"terms": {field: list(chosen)}}
        for facet, (field, chosen) in values.items()
        if chosen
    }
    bounds = {
        name: bound
        for name, bound in (("gte", filters.total_min), ("lte", filters.total_max))
        if bound is not None
    }
    if bounds:
        parts[FacetField.PRICE.value] = {"range": {"total": bounds}}
    return parts


def _attribute(name: str) -> str:
    return f"attributes.{name}"


def _text(words: Words | None, *, is_named: bool = False) -> list[Json]:
    if words is None:
        return []
    plan = matching_plan(words)
    parts = [
        _word(clauses, str(place) if is_named else "") for place, clauses in enumerate(plan.words)
    ]
    if not plan.is_partial:
        return parts
    essential = [parts[place] for place in plan.essential]
    apart = {*plan.essential, *plan.refused}
    others = [part for place, part in enumerate(parts) if place not in apart]
    further = plan.required - len(essential)
    some = {"bool": {"must": essential, "should": others, "minimum_should_match": further}}
    bonus = {"constant_score": {"filter": {"bool": {"must": parts}}, "boost": ALL_WORDS_BONUS}}
    denying = [parts[place] for place in plan.refused]
    refused = [
        # What has a thing that is denied, and does not say itself to be without.
        {"bool": {"must": [_word(having, "")], "must_not": [parts[place]]}}
        for place, having in plan.refused.items()
    ]
    return [{"bool": {"must": [some], "should": [bonus, *denying], "must_not": refused}}]


def _word(clauses: Sequence[Clause], name: str) -> Json:
    queries = [
        _clause(clause, f"{name}.{place}" if name else "") for place, clause in enumerate(clauses)
    ]
    if not queries:
        return {"match_none": {}}
    return {"dis_max": {"tie_breaker": TIE_BREAKER, "queries": queries}}


def _clause(clause: Clause, name: str) -> Json:
    named = {"_name": name} if name else {}
    if len(clause.terms) == 1:
        return {"term": {clause.field: {"value": clause.terms[0], "boost": clause.boost, **named}}}
    terms = [{"term": {clause.field: term}} for term in clause.terms]
    return {"bool": {"must": terms, "boost": clause.boost, **named}}


def _counting(request: SearchRequest) -> dict[str, Json]:
    """For each facet its aggregations."""
    counting: dict[str, Json] = {
        facet.value: _values(_FACETS[facet], request)
        for facet in request.facets
        if facet is not FacetField.PRICE
    }
    for name in request.attributes:
        counting[_attribute(name)] = _values(_attribute(name), request)
    if FacetField.PRICE in request.facets:
        counting[FacetField.PRICE.value] = {
            "totals": {"stats": {"field": "total"}},
            "bars": {"range": {"field": "total", "ranges": _BARS}},
        }
    return counting


def _values(field: str, request: SearchRequest) -> Json:
    return {"values": {"terms": {"field": field, "size": request.facet_size}}}


def search_result(answer: Json, request: SearchRequest) -> SearchResult:
    """Hits, their number and facets of an answer."""
    counted = _counted(answer.get("aggregations", {}))
    prices = counted.get(FacetField.PRICE.value)
    counts = Counts(
        {
            facet: _counts(counted[facet.value])
            for facet in request.facets
            if facet is not FacetField.PRICE
        },
        _prices(prices) if prices is not None else None,
        {name: _counts(counted[_attribute(name)]) for name in request.attributes},
    )
    hits = _hits(answer["hits"]["hits"])
    return SearchResult(hits, answer["hits"]["total"]["value"], lambda: counts)


def _called(name: str) -> str:
    """A facet's name for the server, which refuses some characters that attributes may have."""
    return quote(name)


def _counted(aggregations: Json) -> dict[str, Json]:
    """Answers by facet, of those counted within conditions and of those counted as they are."""
    found: dict[str, Json] = {}
    for called, answer in aggregations.items():
        name = unquote(called)
        facet, _, part = name.rpartition("/")
        if "doc_count" in answer:
            found[name] = answer
        else:
            found.setdefault(facet, {})[part] = answer
    return found


def _counts(counted: Json) -> tuple[FacetCount, ...]:
    return facet_counts((row["key"], row["doc_count"]) for row in counted["values"]["buckets"])


def _hits(rows: Sequence[Json]) -> Hits:
    """Columns of the answer's rows."""
    if not rows:
        return NO_HITS
    cosines = [row.get("matched_queries", _NO_QUERIES).get("cosine", np.nan) for row in rows]
    offers, categories, stock, accessories, before_heads, ids = zip(
        *(told(row["fields"][HIT][0]) for row in rows), strict=True
    )
    return Hits(
        product_ids=ids,
        scores=np.array([row["_score"] or 0.0 for row in rows], dtype=np.float64),
        in_stock=np.array(stock, dtype=np.bool_),
        offer_counts=np.array(offers, dtype=np.int64),
        category_ids=np.array(categories, dtype=np.int64),
        # The script adds 1: no score may be negative.
        similarities=np.array(cosines, dtype=np.float64) - 1.0,
        versions=np.array([row["_version"] for row in rows], dtype=np.int64),
        accessories=np.array(accessories, dtype=np.int64),
        before_heads=np.array(before_heads, dtype=np.int64),
        seen_in=rows[0]["_index"],
    )


def _prices(counted: Json) -> PriceCounts:
    by_low = {int(row["from"]): row["doc_count"] for row in counted["bars"]["buckets"]}
    totals = counted["totals"]
    known = totals["count"] > 0
    return PriceCounts(
        tuple(by_low.get(low, 0) for low in EDGES[:-1]),
        int(totals["min"]) if known else None,
        int(totals["max"]) if known else None,
    )
