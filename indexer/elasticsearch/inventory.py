"""What an index in the cluster shows, product by product, and which indices a brand has there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from elasticsearch import Elasticsearch

from indexer.elasticsearch.connection import missing
from indexer.elasticsearch.mapping import FORMAT
from indexer.elasticsearch.querying import COLUMNS_ONLY
from indexer.inventory import Generation, Held, State

_SHOWN = {"term": {"shown": True}}


def page(client: Elasticsearch, index: str, after: str, limit: int) -> tuple[Held, ...]:
    """The next products in the order of their ids; the first page sees all that was written."""
    if not after:
        client.indices.refresh(index=index)
    body = {
        "query": {"bool": {"filter": [_SHOWN, {"range": {"product_id": {"gt": after}}}]}},
        "sort": [{"product_id": "asc"}],
        "size": limit,
        "version": True,
        "track_total_hits": False,
        "docvalue_fields": ["product_id", "digest"],
        **COLUMNS_ONLY,
    }
    answer = client.search(index=index, body=body, allow_partial_search_results=False)
    return tuple(
        Held(row["fields"]["product_id"][0], row["_version"], int(row["fields"]["digest"][0]))
        for row in answer["hits"]["hits"]
    )


def held(client: Elasticsearch, index: str, product_ids: Sequence[str]) -> dict[str, Held]:
    """Those of the products that are shown, asked by id: what was written is seen at once."""
    if not product_ids:
        return {}
    answer = client.mget(index=index, ids=list(product_ids), source=["shown", "digest"])
    # Asking for several answers 200 with an error for each where there is no index.
    if any("error" in row for row in answer["docs"]):
        raise missing("")
    return {
        row["_id"]: Held(row["_id"], row["_version"], row["_source"]["digest"])
        for row in answer["docs"]
        if row.get("found") and row["_source"]["shown"]
    }


def generation(
    client: Elasticsearch, index: str, live: str | None, previous: str | None
) -> Generation | None:
    """An index of a brand, by its name and what it says of itself; None for one of another kind."""
    begun = _begun(index)
    if begun is None:
        return None
    state = {previous: State.PREVIOUS, live: State.LIVE}.get(index, State.SPARE)
    meta = client.indices.get_mapping(index=index)[index]["mappings"].get("_meta", {})
    count = None
    if meta.get("format") == FORMAT:
        count = int(client.count(index=index, query=_SHOWN)["count"])
    return Generation(index, state, begun, str(meta.get("model_id", "")), count)


def _begun(index: str) -> datetime | None:
    """The time in the name that `create` gives."""
    stamp = index.rpartition(".")[2].rpartition("-")[0]
    try:
        return datetime.strptime(stamp, "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
