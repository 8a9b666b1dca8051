"""The search engine of production: Elasticsearch 8.19 or 9, with nothing that needs a licence."""

from indexer.elasticsearch.engine import ElasticsearchEngine
from indexer.elasticsearch.mapping import IndexShape

__all__ = ["ElasticsearchEngine", "IndexShape"]
