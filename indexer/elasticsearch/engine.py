"""The port on Elasticsearch: an alias per brand, one request for each question.

An engine that is down, slow or refuses us is a DomainError with status 503 that says so.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from elasticsearch import (
    ApiError,
    AuthenticationException,
    AuthorizationException,
    ConnectionTimeout,
    Elasticsearch,
    NotFoundError,
    TransportError,
)

from indexer.analysis import OTHER, shown_words
from indexer.document import ProductDocument
from indexer.elasticsearch.mapping import FORMAT, index_body, vector_field
from indexer.elasticsearch.querying import (
    complete_body,
    explain_body,
    explanation,
    filter_of,
    search_body,
    search_result,
    vocabulary_body,
)
from indexer.elasticsearch.writing import write
from indexer.engine import (
    Completion,
    Delete,
    Explanation,
    Filters,
    Hit,
    IndexStats,
    Neighbour,
    SearchRequest,
    SearchResult,
    Upsert,
    Vector,
    WriteReport,
    id_of,
)
from indexer.index_fields import ATTRIBUTE_WORDS, TITLE_WORDS
from kernel.errors import DomainError

READ_TIMEOUT_S = 5.0
WRITE_TIMEOUT_S = 60.0
_METAS = 1_000


class ElasticsearchEngine:
    """Indices and aliases that begin with `prefix` (the installation's own)."""

    def __init__(self, url: str, *, api_key: str | None = None, prefix: str = "comptoir-") -> None:
        self._prefix = prefix
        self._metas: dict[str, dict[str, Any]] = {}
        self._client = Elasticsearch(
            url,
            api_key=api_key,
            request_timeout=READ_TIMEOUT_S,
            retry_on_timeout=False,
            max_retries=1,
            http_compress=True,
        )

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _alias(self, brand_id: str) -> str:
        return f"{self._prefix}{brand_id}"

    def create(self, brand_id: str, *, model_id: str, dimensions: int) -> str:
        """A new empty index beside the live one."""
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        index = f"{self._alias(brand_id)}.{stamp}-{secrets.token_hex(3)}"
        with _reached(), self._slow() as client:
            client.indices.create(index=index, **index_body(brand_id, model_id, dimensions))
        return index

    def publish(self, brand_id: str, index: str) -> str | None:
        """Switch the brand's alias to the index; answers the one before."""
        alias = self._alias(brand_id)
        with _reached(), self._slow() as client:
            meta = client.indices.get_mapping(index=index)[index]["mappings"]["_meta"]
            if meta["brand_id"] != brand_id:
                raise ValueError(f"{index} is not an index of {brand_id}")
            client.indices.refresh(index=index)
            before = self._live(brand_id)
            if before == index:
                return None
            actions: list[dict[str, Any]] = [{"add": {"index": index, "alias": alias}}]
            if before is not None:
                actions += self._keeping(brand_id, before)
            client.indices.update_aliases(actions=actions)
        return before

    def previous(self, brand_id: str) -> str | None:
        """The index that was live before."""
        with _reached():
            return self._behind(f"{self._alias(brand_id)}.previous")

    def _keeping(self, brand_id: str, before: str) -> list[dict[str, Any]]:
        """The former index loses the brand's alias and takes the one of former indices."""
        alias = self._alias(brand_id)
        kept = f"{alias}.previous"
        oldest = self._behind(kept)
        actions: list[dict[str, Any]] = [
            {"remove": {"index": before, "alias": alias}},
            {"add": {"index": before, "alias": kept}},
        ]
        if oldest is not None and oldest != before:
            actions.append({"remove": {"index": oldest, "alias": kept}})
        return actions

    def drop(self, brand_id: str, index: str) -> None:
        """Remove an index that is not live."""
        with _reached(), self._slow() as client:
            if self._live(brand_id) == index:
                raise ValueError(f"{index} is the live index of {brand_id}")
            if not index.startswith(self._alias(brand_id) + "."):
                raise ValueError(f"{index} is not an index of {brand_id}")
            client.indices.delete(index=index, ignore_unavailable=True)

    def write(self, index: str, changes: Sequence[Upsert | Delete]) -> WriteReport:
        """Apply changes; visible after the next refresh, half a second."""
        with _reached(), self._slow() as client:
            meta = self._meta_of(index)
            return write(client, index, changes, meta["model_id"], meta["dimensions"])

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
        with _reached(brand_id):
            answer = self._client.perform_request(
                "POST",
                f"/{self._alias(brand_id)}/_search",
                params={"include_named_queries_score": "true"},
                headers={"accept": "application/json", "content-type": "application/json"},
                body=body,
            )
        found: dict[str, Any] = answer.body
        return found

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
            "num_candidates": min(max(2 * limit, 100), 10_000),
            "filter": filter_of(filters),
        }
        body = {"knn": knn, "size": limit, "_source": False}
        with _reached(brand_id):
            answer = self._client.search(index=self._alias(brand_id), body=body)
        # The engine's score of a cosine is (1 + cosine) / 2.
        return tuple(
            Neighbour(row["_id"], 2.0 * row["_score"] - 1.0) for row in answer["hits"]["hits"]
        )

    def read(self, brand_id: str, products: Sequence[str | Hit]) -> dict[str, ProductDocument]:
        """Documents by id."""
        if not products:
            return {}
        ids = [id_of(product) for product in products]
        with _reached(brand_id):
            answer = self._client.mget(
                index=self._alias(brand_id), ids=ids, source=["shown", "document"]
            )
        # Asking for several answers 200 with an error for each where there is no index.
        if any("error" in row for row in answer["docs"]):
            raise _missing(brand_id)
        return {
            row["_id"]: ProductDocument.from_json(row["_source"]["document"])
            for row in answer["docs"]
            if row.get("found") and row["_source"]["shown"]
        }

    def stats(self, brand_id: str) -> IndexStats | None:
        """The live index, or None."""
        with _reached(brand_id):
            index = self._live(brand_id)
            if index is None:
                return None
            meta = self._client.indices.get_mapping(index=index)[index]["mappings"]["_meta"]
            count = self._client.count(index=index, query={"term": {"shown": True}})["count"]
        if meta["format"] != FORMAT:
            raise DomainError(
                "index_damaged",
                f"The index {index} has format {meta['format']}, this release reads {FORMAT}.",
                hint="Build it again from the catalogue: comptoir index rebuild",
                status=503,
            )
        return IndexStats(index, count, meta["model_id"], meta["dimensions"])

    def _vector_field(self, brand_id: str, model_id: str | None) -> str:
        """The field of that model's vectors; without one, of the model that the index holds."""
        if model_id is None:
            with _reached(brand_id):
                mapping = self._client.indices.get_mapping(index=self._alias(brand_id))
            (live,) = mapping.values()
            model_id = str(live["mappings"]["_meta"]["model_id"])
        return vector_field(model_id)

    def _meta_of(self, index: str) -> dict[str, Any]:
        """What an index says of itself; it never changes, so it is asked once."""
        if index not in self._metas:
            if len(self._metas) > _METAS:
                self._metas.clear()
            mapping = self._client.indices.get_mapping(index=index)
            self._metas[index] = mapping[index]["mappings"]["_meta"]
        return self._metas[index]

    def _live(self, brand_id: str) -> str | None:
        return self._behind(self._alias(brand_id))

    def _behind(self, alias: str) -> str | None:
        """The index that an alias stands for."""
        try:
            return next(iter(self._client.indices.get_alias(name=alias)), None)
        except NotFoundError:
            return None

    @contextmanager
    def _slow(self) -> Iterator[Elasticsearch]:
        """The client with the patience that writes need."""
        yield self._client.options(request_timeout=WRITE_TIMEOUT_S)


def _completion(product_id: str, shown: dict[str, Any], language: str) -> Completion:
    titles = shown["titles"]
    title = titles.get(language) or next(iter(titles.values()), "")
    return Completion(product_id, title, shown.get("category_id"), shown.get("manufacturer"))


@contextmanager
def _reached(brand_id: str = "") -> Iterator[None]:
    """What the client raises, put in words."""
    try:
        yield
    except NotFoundError as error:
        raise _missing(brand_id) from error
    except (AuthenticationException, AuthorizationException) as error:
        raise _unavailable("it refused our key", "Check ELASTICSEARCH_API_KEY.") from error
    except ConnectionTimeout as error:
        raise _unavailable("it did not answer in time", "Try again in a moment.") from error
    except TransportError as error:
        raise _unavailable("it cannot be reached", "Check ELASTICSEARCH_URL.") from error
    except ApiError as error:
        raise _unavailable(f"it answered {error.status_code}: {error.message}", "") from error


def _missing(brand_id: str) -> DomainError:
    return DomainError(
        "index_missing",
        f"The brand {brand_id} has no search index yet." if brand_id else "There is no such index.",
        hint="Build it from the catalogue: comptoir index rebuild",
        status=503,
    )


def _unavailable(reason: str, hint: str) -> DomainError:
    return DomainError(
        "search_unavailable",
        f"The search engine is not available: {reason}.",
        hint=hint,
        status=503,
    )
