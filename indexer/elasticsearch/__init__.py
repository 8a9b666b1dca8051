"""The search engine of production: Elasticsearch 8.19 or 9, with nothing that needs a licence."""

from indexer.elasticsearch.engine import ElasticsearchEngine

__all__ = ["ElasticsearchEngine"]
