"""Products as each brand shows them, in that brand's search index: projection, engines, rebuilds.

In: mdm's change log and product views. Out: the engine port (`indexer.engine`) that search reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from indexer.engine import Engine
    from kernel.settings import Settings


def open_engine(settings: Settings) -> Engine:
    """Elasticsearch where `ELASTICSEARCH_URL` is set, else the embedded engine."""
    if settings.elasticsearch_url is not None:
        from indexer.elasticsearch import ElasticsearchEngine, IndexShape

        key = settings.elasticsearch_api_key
        return ElasticsearchEngine(
            settings.elasticsearch_url,
            api_key=key.get_secret_value() if key else None,
            ca=settings.elasticsearch_ca,
            prefix=settings.elasticsearch_prefix,
            shape=IndexShape(
                settings.elasticsearch_shards,
                settings.elasticsearch_replicas,
                settings.elasticsearch_refresh_interval,
            ),
        )
    from indexer.embedded import EmbeddedEngine

    return EmbeddedEngine(settings.data / "search")
