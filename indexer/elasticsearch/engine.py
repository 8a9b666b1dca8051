"""The port on Elasticsearch: an alias per brand, one request for each question.

An engine that is down, slow or refuses us is a DomainError with status 503 that says so.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from elasticsearch import Elasticsearch, NotFoundError

from indexer.analysis import OTHER, shown_words
from indexer.document import ProductDocument
from indexer.documents import Documents
from indexer.elasticsearch.connection import Nodes, missing
from indexer.elasticsearch.inventory import generation, held, page
from indexer.elasticsearch.mapping import FORMAT, IndexShape, index_body, vector_field
from indexer.elasticsearch.querying import (
    COLUMNS_ONLY,
    complete_body,
    explain_body,
    explanation,
    filter_of,
    search_body,
    search_result,
    vocabulary_body,
)
from indexer.elasticsearch.writing import write, write_alias
from indexer.engine import (
    Completion,
    Delete,
    Explanation,
    Filters,
    IndexStats,
    Neighbour,
    SearchRequest,
    SearchResult,
    Upsert,
    Vector,
    WriteReport,
)
from indexer.hits import Hit, id_of
from indexer.index_fields import ATTRIBUTE_WORDS, TITLE_WORDS
from indexer.inventory import Generation, Held
from kernel.errors import DomainError

_METAS = 1_000
_CANDIDATES, _OVERSAMPLE = 200, 5.0


class ElasticsearchEngine:
    """Indices and aliases that begin with `prefix` (the installation's own)."""

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        ca: Path | None = None,
        prefix: str = "comptoir-",
        shape: IndexShape | None = None,
    ) -> None:
        """`url` names the nodes, separated by commas; `shape` is that of indices made from now."""
        self.url, self.prefix = url, prefix
        self._shape = shape or IndexShape()
        self._documents = Documents()
        self._metas: dict[str, dict[str, Any]] = {}
        self._nodes = Nodes(url, api_key=api_key, ca=ca)

    def close(self) -> None:
        """Give the connections back."""
        self._nodes.close()

    def _alias(self, brand_id: str) -> str:
        return f"{self.prefix}{brand_id}"

    def create(self, brand_id: str, *, model_id: str, dimensions: int) -> str:
        """A new empty index beside the live one."""
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        index = f"{self._alias(brand_id)}.{stamp}-{secrets.token_hex(3)}"
        body = index_body(brand_id, model_id, dimensions, self._shape)
        aliases: dict[str, Any] = {write_alias(index): {}}
        self._nodes.work(lambda client: client.indices.create(index=index, aliases=aliases, **body))
        return index

    def publish(self, brand_id: str, index: str) -> str | None:
        """Switch the brand's alias to the index; answers the one before."""
        if self._meta_of(index)["brand_id"] != brand_id:
            raise ValueError(f"{index} is not an index of {brand_id}")
        return self._nodes.work(lambda client: self._publish(client, brand_id, index))

    def _publish(self, client: Elasticsearch, brand_id: str, index: str) -> str | None:
        alias = self._alias(brand_id)
        seen = {"refresh_interval": self._shape.refresh_interval}
        client.indices.put_settings(index=index, settings=seen)
        client.indices.refresh(index=index)
        before = _behind(client, alias)
        if before == index:
            return None
        actions: list[dict[str, Any]] = [{"add": {"index": index, "alias": alias}}]
        if before is not None:
            actions += self._keeping(client, brand_id, before)
        client.indices.update_aliases(actions=actions)
        return before

    def previous(self, brand_id: str) -> str | None:
        """The index that was live before."""
        kept = f"{self._alias(brand_id)}.previous"
        return self._nodes.work(lambda client: _behind(client, kept))

    def _keeping(self, client: Elasticsearch, brand_id: str, before: str) -> list[dict[str, Any]]:
        """The former index loses the brand's alias and takes the one of former indices."""
        alias = self._alias(brand_id)
        kept = f"{alias}.previous"
        oldest = _behind(client, kept)
        actions: list[dict[str, Any]] = [
            {"remove": {"index": before, "alias": alias}},
            {"add": {"index": before, "alias": kept}},
        ]
        if oldest is not None and oldest != before:
            actions.append({"remove": {"index": oldest, "alias": kept}})
        return actions

    def drop(self, brand_id: str, index: str) -> None:
        """Remove an index that is not live."""
        if not index.startswith(self._alias(brand_id) + "."):
            raise ValueError(f"{index} is not an index of {brand_id}")
        if self._live(brand_id) == index:
            raise ValueError(f"{index} is the live index of {brand_id}")
        self._nodes.work(lambda client: client.indices.delete(index=index, ignore_unavailable=True))
        self._metas.pop(index, None)

    def write(self, index: str, changes: Sequence[Upsert | Delete]) -> WriteReport:
        """Apply changes; in a published index visible after the next refresh, half a second."""
        meta = self._meta_of(index)
        return write(self._nodes, index, changes, meta["model_id"], meta["dimensions"])

    def inventory(self, index: str, *, after: str = "", limit: int = 1_000) -> tuple[Held, ...]:
        """The next products shown, in the order of their ids."""
        return self._nodes.work(lambda client: page(client, index, after, limit))

    def held(self, index: str, product_ids: Sequence[str]) -> dict[str, Held]:
        """These products as they are this moment."""
        return self._nodes.work(lambda client: held(client, index, product_ids))

    def generations(self, brand_id: str) -> tuple[Generation, ...]:
        """Every index of the brand."""
        live, previous = self._live(brand_id), self.previous(brand_id)

        def every(client: Elasticsearch) -> list[Generation]:
            names = sorted(client.indices.get_alias(index=f"{self._alias(brand_id)}.*").body)
            found = (generation(client, name, live, previous) for name in names)
            return [row for row in found if row is not None]

        return tuple(self._nodes.work(every))

    def search(self, brand_id: str, request: SearchRequest) -> SearchResult:
        """Products by words, filters, order, with facet counts and cosines."""
        field = ""
        if request.vector is not None:
            field = self._vector_field(brand_id, request.model_id)
        return search_result(self._ask(brand_id, search_body(request, field)), request)

    def explain(self, brand_id: str, request: SearchRequest, product_id: str) -> Explanation | None:
        """Why the product is found."""
        answer = self._ask(brand_id, explain_body(request, product_id))
        return explanation(answer, request, product_id)

    def vocabulary(self, brand_id: str, language: str) -> Iterable[tuple[str, int]]:
        """Words that people see."""
        fields = [TITLE_WORDS[language]] + ([ATTRIBUTE_WORDS] if language == OTHER else [])
        answer = self._ask(brand_id, vocabulary_body(fields))
        counts: Counter[str] = Counter()
        for field in fields:
            for row in answer["aggregations"][field]["buckets"]:
                counts[row["key"]] += row["doc_count"]
        return counts.items()

    def complete(
        self, brand_id: str, prefix: str, language: str, limit: int
    ) -> tuple[Completion, ...]:
        """Titles that go on from what was typed."""
        words = shown_words(prefix)
        if not words or limit < 1:
            return ()
        rows = self._ask(brand_id, complete_body(words, limit))["hits"]["hits"]
        return tuple(_completion(row["_id"], row["_source"]["document"], language) for row in rows)

    def _ask(self, brand_id: str, body: dict[str, Any]) -> dict[str, Any]:
        params = {
            "include_named_queries_score": "true",
            # Half an answer would pass for a whole one.
            "allow_partial_search_results": "false",
        }
        if self._shape.shards > 1:
            # Scores do not depend on which shard a product happens to lie in.
            params["search_type"] = "dfs_query_then_fetch"

        def question(client: Elasticsearch) -> dict[str, Any]:
            answer = client.perform_request(
                "POST",
                f"/{self._alias(brand_id)}/_search",
                params=params,
                headers={"accept": "application/json", "content-type": "application/json"},
                body=body,
            )
            found: dict[str, Any] = answer.body
            return found

        return self._nodes.ask(brand_id, question)

    def neighbours(
        self,
        brand_id: str,
        vector: Vector,
        *,
        filters: Filters,
        limit: int,
        model_id: str | None = None,
    ) -> tuple[Neighbour, ...]:
        """Products nearest in meaning."""
        if not vector.any():
            return ()
        knn = {
            "field": self._vector_field(brand_id, model_id),
            "query_vector": vector.tolist(),
            "k": limit,
            "num_candidates": min(max(2 * limit, _CANDIDATES), 10_000),
            # One bit is too coarse for titles of one kind of product, which crowd together.
            "rescore_vector": {"oversample": _OVERSAMPLE},
            "filter": filter_of(filters),
        }
        body = {"knn": knn, "size": limit, "docvalue_fields": ["product_id"], **COLUMNS_ONLY}
        # The engine's score of a cosine is (1 + cosine) / 2.
        return tuple(
            Neighbour(row["fields"]["product_id"][0], 2.0 * row["_score"] - 1.0)
            for row in self._ask(brand_id, body)["hits"]["hits"]
        )

    def read(self, brand_id: str, products: Sequence[str | Hit]) -> dict[str, ProductDocument]:
        """Documents by id."""
        found = self._documents.held(products)
        ids = [id_of(product) for product in products if id_of(product) not in found]
        if not ids:
            return found
        answer = self._nodes.ask(
            brand_id,
            # Whole: a part of a source is read, cut and written anew by the server.
            lambda client: client.mget(index=self._alias(brand_id), ids=ids),
        )
        # Asking for several answers 200 with an error for each where there is no index.
        if any("error" in row for row in answer["docs"]):
            raise missing(brand_id)
        found |= {
            row["_id"]: ProductDocument.from_json(row["_source"]["document"])
            for row in answer["docs"]
            if row.get("found") and row["_source"]["shown"]
        }
        self._documents.keep(products, found)
        return found

    def stats(self, brand_id: str) -> IndexStats | None:
        """The live index, or None."""
        index = self._live(brand_id)
        if index is None:
            return None
        meta = self._meta_of(index)
        shown = {"term": {"shown": True}}
        counted = self._nodes.ask(brand_id, lambda client: client.count(index=index, query=shown))
        count = int(counted["count"])
        if meta["format"] != FORMAT:
            raise DomainError(
                "index_damaged",
                f"The index {index} has format {meta['format']}, this release reads {FORMAT}.",
                hint="Build it again from the catalogue: comptoir index rebuild",
                status=503,
            )
        return IndexStats(index, count, meta["model_id"], meta["dimensions"])

    def stamp(self, brand_id: str) -> str | None:
        """None: a cluster tells nobody what its copies have refreshed; see `live_stamps`."""
        del brand_id
        return None

    def _vector_field(self, brand_id: str, model_id: str | None) -> str:
        """The field of that model's vectors; without one, of the model that the index holds."""
        if model_id is None:
            index = self._live(brand_id)
            if index is None:
                raise missing(brand_id)
            model_id = str(self._meta_of(index)["model_id"])
        return vector_field(model_id)

    def _meta_of(self, index: str) -> dict[str, Any]:
        """What an index says of itself; it never changes, so it is asked once."""
        if index not in self._metas:
            if len(self._metas) > _METAS:
                self._metas.clear()
            mapping = self._nodes.ask("", lambda client: client.indices.get_mapping(index=index))
            self._metas[index] = mapping[index]["mappings"]["_meta"]
        return self._metas[index]

    def _live(self, brand_id: str) -> str | None:
        return self._nodes.ask(brand_id, lambda client: _behind(client, self._alias(brand_id)))


def _behind(client: Elasticsearch, alias: str) -> str | None:
    """The index that an alias stands for."""
    try:
        return next(iter(client.indices.get_alias(name=alias)), None)
    except NotFoundError:
        return None


def _completion(product_id: str, shown: dict[str, Any], language: str) -> Completion:
    titles = shown["titles"]
    title = titles.get(language) or next(iter(titles.values()), "")
    return Completion(
        product_id, title, shown.get("category_id"), shown.get("manufacturer"),
        shown.get("total_minor"),
    )  # fmt: skip
