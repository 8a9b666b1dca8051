"""What a careful engineer asks Elasticsearch without us: a plain index, one query, five facets.

For each word of the question the best of six fields (dis_max, tie 0.1); products with every word
first, then those with half of them. Of plain ways to ask this one ranks the judged queries best.
The page's 24 products come with the answer, as they were given in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson
from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk

from indexer.document import ProductDocument

PAGE = 24
_FIELDS = ("title^5", "name", "brand", "type", "description", "attributes")
_PRICES = (0, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)
_TEXT = {"type": "text", "analyzer": "english"}
_MAPPING: dict[str, Any] = {
    "dynamic": False,
    "properties": {
        **{field.partition("^")[0]: _TEXT for field in _FIELDS},
        **{name: {"type": "keyword"} for name in ("maker", "category", "merchant", "stock")},
        "price": {"type": "long"},
    },
}


def fill(url: str, index: str, rows: Iterable[ProductDocument]) -> int:
    """Make the index unless it is there; answers how many products it holds."""
    with Elasticsearch(url, request_timeout=120) as client:
        if not client.indices.exists(index=index):
            shape = {"number_of_shards": 1, "number_of_replicas": 0}
            client.indices.create(index=index, mappings=_MAPPING, settings=shape)
            bulk(client, _actions(index, rows), chunk_size=2_000)
            client.indices.refresh(index=index)
        return int(client.count(index=index)["count"])


def _actions(index: str, rows: Iterable[ProductDocument]) -> Iterator[dict[str, Any]]:
    for row in rows:
        text = row.descriptions["en"]
        source = {
            "title": row.titles["en"],
            "name": text[:80],
            "brand": row.manufacturer,
            "type": row.attributes.get("type"),
            "description": text,
            "attributes": " ".join(map(str, row.attributes.values())),
            "maker": row.manufacturer,
            "category": str(row.category_id),
            "merchant": list(row.merchant_ids),
            "stock": row.availability,
            "price": row.total_minor,
        }
        yield {"_index": index, "_id": row.product_id, "_source": source}


def body(text: str) -> bytes:
    """The request of a question's first page."""
    parts = [_word(word) for word in text.split()]
    some = {"bool": {"should": parts, "minimum_should_match": "50%"}}
    every = {"constant_score": {"filter": {"bool": {"must": parts}}, "boost": 1_000}}
    edges = zip(_PRICES, (*_PRICES[1:], None), strict=True)
    ranges = [{"from": low} | ({"to": high} if high else {}) for low, high in edges]
    return orjson.dumps(
        {
            "query": {"bool": {"must": [some], "should": [every]}},
            "size": PAGE,
            "track_total_hits": True,
            "aggs": {
                **{
                    name: {"terms": {"field": name, "size": 20}}
                    for name in ("maker", "category", "merchant", "stock")
                },
                "price": {"range": {"field": "price", "ranges": ranges}},
            },
        }
    )


def _word(word: str) -> dict[str, Any]:
    queries = []
    for field in _FIELDS:
        name, _, boost = field.partition("^")
        queries.append({"match": {name: {"query": word, "boost": float(boost or 1)}}})
    return {"dis_max": {"tie_breaker": 0.1, "queries": queries}}
