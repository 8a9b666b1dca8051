"""Words, filters, order and facets as an Elasticsearch request, and its answer read back."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from indexer.engine import (
    FacetCount,
    FacetField,
    Filters,
    Hit,
    PriceCounts,
    SearchRequest,
    SearchResult,
    Sort,
    Words,
)
from indexer.index_fields import ALL_WORDS_BONUS, TIE_BREAKER, facet_counts
from indexer.matching_plan import Clause, matching_plan

Json = dict[str, Any]

HIT_FIELDS = ["total", "availability", "offer_count", "updated_at", "category_id"]
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
}


def search_body(request: SearchRequest) -> Json:
    """One request: filters that a facet must not feel come after the counting."""
    by_field = _facet_filters(request.filters)
    counted = {field: part for field, part in by_field.items() if field in request.facets}
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
        "_source": False,
        "docvalue_fields": HIT_FIELDS,
        "aggs": {
            facet.value: {
                "filter": _every([part for field, part in counted.items() if field is not facet]),
                "aggs": _counting(facet, request),
            }
            for facet in request.facets
        },
    }
    if counted:
        body["post_filter"] = _every(list(counted.values()))
    if request.sort in _ORDERS:
        body["sort"] = _ORDERS[request.sort]
    return body


def filter_of(filters: Filters) -> list[Json]:
    """All conditions as filter clauses."""
    return [*_plain_filters(filters), *_facet_filters(filters).values()]


def _every(parts: Sequence[Json]) -> Json:
    return {"bool": {"filter": list(parts)}} if parts else {"match_all": {}}


def _plain_filters(filters: Filters) -> list[Json]:
    parts: list[Json] = [{"term": {"shown": True}}]
    if filters.variant_group is not None:
        parts.append({"term": {"variant_group": filters.variant_group}})
    if filters.product_ids is not None:
        parts.append({"terms": {"product_id": list(filters.product_ids)}})
    return parts


def _facet_filters(filters: Filters) -> dict[FacetField, Json]:
    values: dict[FacetField, tuple[str, Sequence[str]]] = {
        FacetField.CATEGORY: ("category", [str(value) for value in filters.categories]),
        FacetField.MANUFACTURER: ("manufacturer", filters.manufacturers),
        FacetField.MERCHANT: ("merchant", filters.merchants),
        FacetField.AVAILABILITY: ("availability", filters.availabilities),
    }
    parts: dict[FacetField, Json] = {
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
        parts[FacetField.PRICE] = {"range": {"total": bounds}}
    return parts


def _text(words: Words | None) -> list[Json]:
    if words is None:
        return []
    plan = matching_plan(words)
    parts = [_word(clauses) for clauses in plan.words]
    if not plan.is_partial:
        return parts
    some = {"bool": {"should": parts, "minimum_should_match": plan.required}}
    bonus = {"constant_score": {"filter": {"bool": {"must": parts}}, "boost": ALL_WORDS_BONUS}}
    return [{"bool": {"must": [some], "should": [bonus]}}]


def _word(clauses: Sequence[Clause]) -> Json:
    return {
        "dis_max": {"tie_breaker": TIE_BREAKER, "queries": [_clause(clause) for clause in clauses]}
    }


def _clause(clause: Clause) -> Json:
    if len(clause.terms) == 1:
        return {"term": {clause.field: {"value": clause.terms[0], "boost": clause.boost}}}
    terms = [{"term": {clause.field: term}} for term in clause.terms]
    return {"bool": {"must": terms, "boost": clause.boost}}


def _counting(facet: FacetField, request: SearchRequest) -> Json:
    if facet is FacetField.PRICE:
        bars = [{"from": low, "to": high} for low, high in pairwise(request.price_edges)]
        counting: Json = {"totals": {"stats": {"field": "total"}}}
        if bars:
            counting["bars"] = {"range": {"field": "total", "ranges": bars}}
        return counting
    return {"values": {"terms": {"field": _FACETS[facet], "size": request.facet_size}}}


def search_result(answer: Json, request: SearchRequest) -> SearchResult:
    """Hits, their number and facets of an answer."""
    facets: dict[FacetField, tuple[FacetCount, ...]] = {}
    prices = None
    for facet in request.facets:
        counted = answer["aggregations"][facet.value]
        if facet is FacetField.PRICE:
            prices = _prices(counted, request.price_edges)
        else:
            buckets = counted["values"]["buckets"]
            facets[facet] = facet_counts((row["key"], row["doc_count"]) for row in buckets)
    hits = tuple(_hit(row) for row in answer["hits"]["hits"])
    return SearchResult(hits, answer["hits"]["total"]["value"], facets, prices)


def _hit(row: Json) -> Hit:
    values = row.get("fields", {})

    def first(name: str) -> Any:
        return values.get(name, [None])[0]

    return Hit(
        product_id=row["_id"],
        score=float(row["_score"] or 0.0),
        total_minor=first("total"),
        availability=first("availability"),
        offer_count=first("offer_count") or 0,
        updated_at=first("updated_at") or 0,
        category_id=first("category_id") or None,
    )


def _prices(counted: Json, edges: tuple[int, ...]) -> PriceCounts:
    buckets = counted.get("bars", {}).get("buckets", [])
    by_low = {int(bucket["from"]): bucket["doc_count"] for bucket in buckets}
    totals = counted["totals"]
    known = totals["count"] > 0
    return PriceCounts(
        edges,
        tuple(by_low.get(low, 0) for low in edges[:-1]),
        int(totals["min"]) if known else None,
        int(totals["max"]) if known else None,
    )
