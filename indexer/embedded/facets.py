"""Counts by facet and price bars, from tantivy's aggregations."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import tantivy

from indexer.embedded.querying import query_of
from indexer.engine import FacetCount, FacetField, Filters, PriceCounts, SearchRequest
from indexer.index_fields import facet_counts

_FIELDS = {
    FacetField.CATEGORY: "category",
    FacetField.MANUFACTURER: "manufacturer_label",
    FacetField.MERCHANT: "merchant_label",
    FacetField.AVAILABILITY: "availability",
}


def count_facets(
    searcher: tantivy.Searcher, request: SearchRequest, query: tantivy.Query
) -> tuple[dict[FacetField, tuple[FacetCount, ...]], PriceCounts | None]:
    """Facets of the request. Those without a filter of their own share one pass over the hits."""
    narrowed = _narrowed(request.filters)
    shared = [facet for facet in request.facets if facet not in narrowed]
    answers: dict[FacetField, dict[str, Any]] = {}
    if shared:
        found = searcher.aggregate(query, _aggregations(shared, request))
        answers |= dict.fromkeys(shared, found)
    for facet in request.facets:
        if facet in narrowed:
            wider = query_of(request.words, request.filters, without=facet)
            answers[facet] = searcher.aggregate(wider, _aggregations([facet], request))
    facets: dict[FacetField, tuple[FacetCount, ...]] = {
        facet: _counts(answer[facet.value])
        for facet, answer in answers.items()
        if facet is not FacetField.PRICE
    }
    prices = answers.get(FacetField.PRICE)
    return facets, _prices(prices, request.price_edges) if prices is not None else None


def _narrowed(filters: Filters) -> set[FacetField]:
    chosen = {
        FacetField.CATEGORY: filters.categories,
        FacetField.MANUFACTURER: filters.manufacturers,
        FacetField.MERCHANT: filters.merchants,
        FacetField.AVAILABILITY: filters.availabilities,
        FacetField.PRICE: filters.total_min is not None or filters.total_max is not None,
    }
    return {facet for facet, values in chosen.items() if values}


def _aggregations(facets: list[FacetField], request: SearchRequest) -> dict[str, Any]:
    wanted: dict[str, Any] = {}
    for facet in facets:
        if facet is FacetField.PRICE:
            wanted["totals"] = {"stats": {"field": "total"}}
            edges = request.price_edges
            bars = [{"from": low, "to": high} for low, high in pairwise(edges)]
            if bars:
                wanted["bars"] = {"range": {"field": "total", "ranges": bars}}
            continue
        wanted[facet.value] = {
            "terms": {
                "field": _FIELDS[facet],
                "size": request.facet_size,
                "segment_size": max(1_000, request.facet_size),
                "order": {"_count": "desc"},
            }
        }
    return wanted


def _counts(answer: dict[str, Any]) -> tuple[FacetCount, ...]:
    return facet_counts((bucket["key"], bucket["doc_count"]) for bucket in answer["buckets"])


def _prices(answer: dict[str, Any], edges: tuple[int, ...]) -> PriceCounts:
    by_low = {
        int(bucket["from"]): bucket["doc_count"]
        for bucket in answer.get("bars", {}).get("buckets", [])
        if "from" in bucket and "to" in bucket
    }
    totals = answer["totals"]
    known = totals["count"] > 0
    return PriceCounts(
        edges,
        tuple(by_low.get(low, 0) for low in edges[:-1]),
        int(totals["min"]) if known else None,
        int(totals["max"]) if known else None,
    )
