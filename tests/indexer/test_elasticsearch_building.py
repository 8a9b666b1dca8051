"""An index while it is built on Elasticsearch, and from its publishing on."""

from __future__ import annotations

import uuid

import pytest
from elasticsearch import Elasticsearch

from indexer.elasticsearch import ElasticsearchEngine
from indexer.elasticsearch.mapping import IndexShape
from indexer.engine import SearchRequest
from tests.contracts.search_engines import seen_soon
from tests.indexer.documents import document, upsert


@pytest.mark.elasticsearch
def test_what_is_built_is_not_refreshed_until_it_is_published(elasticsearch_url: str) -> None:
    """Each refresh leaves a segment, and every search looks into each of them."""
    shape = IndexShape(refresh_interval="250ms")
    engine = ElasticsearchEngine(
        elasticsearch_url, prefix=f"test-{uuid.uuid4().hex[:8]}-", shape=shape
    )
    with Elasticsearch(elasticsearch_url) as client:
        index = engine.create("b1", model_id="static-test", dimensions=16)
        assert refreshed_every(client, index) == "-1"
        engine.write(index, [upsert(document("prd_a", "lamp"))])
        engine.publish("b1", index)
        assert engine.search("b1", SearchRequest()).total == 1
        assert refreshed_every(client, index) == "250ms"
        engine.write(index, [upsert(document("prd_b", "chair"))])
        seen_soon(lambda: engine.search("b1", SearchRequest()).total == 2)
    engine.close()


def refreshed_every(client: Elasticsearch, index: str) -> str:
    found = client.indices.get_settings(index=index)[index]["settings"]["index"]
    return str(found["refresh_interval"])
