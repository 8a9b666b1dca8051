"""Counts by facet and price bars, from tantivy's aggregations."""

from __future__ import annotations

import re
from typing import Any

import tantivy

from indexer.embedded.querying import Question, attribute_facet
from indexer.embedded.schema import ATTRIBUTES, CATEGORY_TRAIL, PRICE_BAR, TRAIL_JOINT, attribute
from indexer.engine import Counts, FacetCount, FacetField, PriceCounts, SearchRequest
from indexer.index_fields import LABEL_MARK, facet_counts, most_frequent_first
from indexer.price_bars import EDGES

_FIELDS = {
    FacetField.CATEGORY: CATEGORY_TRAIL,
    FacetField.MANUFACTURER: "manufacturer_label",
    FacetField.MERCHANT: "merchant_label",
    FacetField.AVAILABILITY: "availability",
}

_TRAILS = 10_000
"""More ways from a department to a leaf than any tree of categories has."""


Answers = dict[str, dict[str, Any]]
"""The engine's answers, by facet and aggregation."""


def counted(searcher: tantivy.Searcher, request: SearchRequest, question: Question) -> Answers:
    """Facets without a condition of their own share one pass."""
    wanted = _aggregations(request)
    narrowed = question.conditions.keys() & wanted.keys()
    shared = {name: how for name, how in wanted.items() if name not in narrowed}
    found: Answers = {}
    if shared:
        found |= _counted(searcher, question.query(), shared)
    for name in narrowed:
        wider = question.query(without=name)
        found |= _counted(searcher, wider, {name: wanted[name]})
    return found


def counts_of(answers: Answers, request: SearchRequest) -> Counts:
    """What was counted, as facets show it."""
    prices = answers.get(FacetField.PRICE.value)
    return Counts(
        {
            facet: _of_trails(answers[facet.value], request.facet_size)
            if facet is FacetField.CATEGORY
            else _counts(answers[facet.value])
            for facet in request.facets
            if facet is not FacetField.PRICE
        },
        _prices(prices) if prices is not None else None,
        {name: _of_attribute(answers[attribute_facet(name)]) for name in request.attributes},
    )


def _counted(searcher: tantivy.Searcher, query: tantivy.Query, wanted: Answers) -> Answers:
    """Answers by facet: the price has two aggregations, others have one."""
    flat = {f"{name}/{part}": how for name, parts in wanted.items() for part, how in parts.items()}
    answer = searcher.aggregate(query, flat)
    return {
        name: {part: answer[f"{name}/{part}"] for part in parts} for name, parts in wanted.items()
    }


def _aggregations(request: SearchRequest) -> dict[str, dict[str, Any]]:
    """For each facet its aggregations by name."""
    wanted: dict[str, dict[str, Any]] = {
        facet.value: {"terms": _terms(_FIELDS[facet], _size(facet, request))}
        for facet in request.facets
        if facet is not FacetField.PRICE
    }
    for name in request.attributes:
        how = _terms(ATTRIBUTES, request.facet_size)
        how["terms"]["include"] = re.escape(attribute(name, "")) + ".*"
        wanted[attribute_facet(name)] = {"terms": how}
    if FacetField.PRICE in request.facets:
        wanted[FacetField.PRICE.value] = {
            "totals": {"stats": {"field": "total"}},
            "bars": {"terms": {"field": PRICE_BAR, "size": len(EDGES)}},
        }
    return wanted


def _size(facet: FacetField, request: SearchRequest) -> int:
    return _TRAILS if facet is FacetField.CATEGORY else request.facet_size


def _terms(field: str, size: int) -> dict[str, Any]:
    return {
        "terms": {
            "field": field,
            "size": size,
            "segment_size": max(1_000, size),
            "order": {"_count": "desc"},
        }
    }


def _of_trails(answer: dict[str, Any], size: int) -> tuple[FacetCount, ...]:
    """Each category counts what lies below it; one value a product is counted fastest."""
    counts: dict[str, int] = {}
    for bucket in answer["terms"]["buckets"]:
        count = bucket["doc_count"]
        for category in bucket["key"].split(TRAIL_JOINT):
            counts[category] = counts.get(category, 0) + count
    rows = [FacetCount(category, category, count) for category, count in counts.items()]
    return tuple(sorted(rows, key=most_frequent_first)[:size])


def _of_attribute(answer: dict[str, Any]) -> tuple[FacetCount, ...]:
    """Values, without the name that all of them begin with."""
    buckets = answer["terms"]["buckets"]
    return facet_counts(
        (bucket["key"].partition(LABEL_MARK)[2], bucket["doc_count"]) for bucket in buckets
    )


def _counts(answer: dict[str, Any]) -> tuple[FacetCount, ...]:
    buckets = answer["terms"]["buckets"]
    return facet_counts((bucket["key"], bucket["doc_count"]) for bucket in buckets)


def _prices(answer: dict[str, Any]) -> PriceCounts:
    counts = {int(bucket["key"]): bucket["doc_count"] for bucket in answer["bars"]["buckets"]}
    totals = answer["totals"]
    known = totals["count"] > 0
    return PriceCounts(
        tuple(counts.get(bar, 0) for bar in range(len(EDGES) - 1)),
        int(totals["min"]) if known else None,
        int(totals["max"]) if known else None,
    )
