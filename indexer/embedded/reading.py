"""An index opened for reading. Each question sees what is committed at that moment.

Other processes commit; a look at one file's stamp tells whether to reload, so nothing watches.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import orjson
import tantivy

from indexer.analysis import OTHER, shown_words
from indexer.document import ProductDocument
from indexer.embedded.facets import with_facets
from indexer.embedded.generations import Manifest
from indexer.embedded.querying import (
    clause_query,
    completing,
    of_keys,
    of_products,
    query_of,
)
from indexer.embedded.schema import open_index
from indexer.embedded.vectors import VectorFile
from indexer.engine import (
    VOCABULARY,
    ClauseScore,
    Completion,
    Explanation,
    Filters,
    Hit,
    Neighbour,
    SearchRequest,
    SearchResult,
    Sort,
    Vector,
)
from indexer.index_fields import ATTRIBUTE_WORDS, AVAILABILITIES, TITLE_WORDS, numeric_key
from indexer.matching_plan import matching_plan

_ORDERS = {
    Sort.PRICE_ASC: ("total", tantivy.Order.Asc),
    Sort.PRICE_DESC: ("total", tantivy.Order.Desc),
    Sort.NEWEST: ("updated_at", tantivy.Order.Desc),
    Sort.POPULAR: ("offer_count", tantivy.Order.Desc),
    Sort.ID: ("key", tantivy.Order.Asc),
}
_KNOWN_IDS = 200_000
_EXACT_UP_TO = 20_000
"""Filtered sets up to this size are compared vector by vector when the graph found too few."""


class IndexReader:
    """Questions to one index."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.index = folder.name
        self.manifest = manifest
        self._index = open_index(folder / "lexical")
        self._meta = folder / "lexical" / "meta.json"
        self._stamp = self._stamp_now()
        self._vectors = VectorFile(folder, manifest.dimensions)
        self._ids: dict[int, str] = {}

    def _stamp_now(self) -> tuple[int, int]:
        status = self._meta.stat()
        return status.st_ino, status.st_mtime_ns

    def _searcher(self) -> tantivy.Searcher:
        stamp = self._stamp_now()
        if stamp != self._stamp:
            self._index.reload()
            self._stamp = stamp
        return self._index.searcher()

    def count(self) -> int:
        """Products shown."""
        found = self._searcher().search(query_of(None, Filters()), limit=1)
        return _total(found)

    def search(self, request: SearchRequest) -> SearchResult:
        """Hits, their number, facets."""
        searcher = self._searcher()
        query = query_of(request.words, request.filters, after=request.after)
        field, order = _ORDERS.get(request.sort, (None, tantivy.Order.Desc))
        found = searcher.search(
            query,
            limit=max(request.limit, 1),
            offset=request.offset,
            order_by_field=field,
            order=order,
        )
        rows = found.hits[: request.limit]
        scores = [float(score) if field is None else 0.0 for score, _ in rows]
        vector = request.vector if request.sort is Sort.RELEVANCE else None
        hits = self._hits(searcher, [address for _, address in rows], scores, vector)
        result = SearchResult(hits, _total(found), {})
        if not request.facets and not request.attributes:
            return result
        return with_facets(result, searcher, request, query)

    def _hits(
        self,
        searcher: tantivy.Searcher,
        addresses: list[tantivy.DocAddress],
        scores: Sequence[float],
        vector: Vector | None,
    ) -> tuple[Hit, ...]:
        columns = [
            searcher.fast_field_values(name, addresses)
            for name in (
                "total",
                "stock",
                "offer_count",
                "updated_at",
                "category_id",
                "version",
                "accessories",
            )
        ]
        ids = self._product_ids(searcher, addresses)
        cosines: dict[int, float] = {}
        if vector is not None and vector.any():
            cosines = dict(self._vectors.cosines(vector, [numeric_key(id_) for id_ in ids]))
        return tuple(
            Hit(
                product_id,
                score,
                None if total is None else int(total),
                AVAILABILITIES[int(stock or 0)],
                int(offers or 0),
                int(updated or 0),
                int(category or 0) or None,
                cosines.get(numeric_key(product_id)) if cosines else None,
                int(version or 0),
                self.index,
                int(bits or 0),
            )
            for product_id, score, total, stock, offers, updated, category, version, bits in zip(
                ids, scores, *columns, strict=True
            )
        )

    def _product_ids(
        self, searcher: tantivy.Searcher, addresses: list[tantivy.DocAddress]
    ) -> list[str]:
        """Ids by numeric key, remembered: reading one from the store unpacks a whole block."""
        # Several threads read: each keeps hold of the table it began with.
        known = self._ids
        if len(known) > _KNOWN_IDS:
            known = self._ids = {}
        ids = []
        for key, address in zip(
            searcher.fast_field_values("key", addresses), addresses, strict=True
        ):
            number = int(key or 0)
            if number not in known:
                known[number] = str(searcher.doc(address).get_first("product_id"))
            ids.append(known[number])
        return ids

    def neighbours(self, vector: Vector, filters: Filters, limit: int) -> tuple[Neighbour, ...]:
        """From the graph; exactly, where a filter leaves few products."""
        if filters.product_ids is not None and filters == Filters(product_ids=filters.product_ids):
            return self._among(vector, filters.product_ids, limit)
        searcher = self._searcher()
        narrowed = filters != Filters()
        found: list[Neighbour] = []
        if filters.product_ids is None:
            near = self._vectors.nearest(vector, limit * 5 if narrowed else limit + 10)
            found = self._passing(searcher, near, filters)
        if narrowed and len(found) < limit:
            everything = searcher.search(query_of(None, filters), limit=_EXACT_UP_TO, count=True)
            if _total(everything) <= _EXACT_UP_TO:
                keys = searcher.fast_field_values("key", [at for _, at in everything.hits])
                near = self._vectors.cosines(vector, [int(key or 0) for key in keys])[:limit]
            else:
                near = self._vectors.nearest(vector, _EXACT_UP_TO)
            found = self._passing(searcher, near, filters)
        return tuple(found[:limit])

    def _among(
        self, vector: Vector, product_ids: Sequence[str], limit: int
    ) -> tuple[Neighbour, ...]:
        """Named products only: their vectors go with them when they are no longer shown."""
        by_key = {numeric_key(product_id): product_id for product_id in product_ids}
        near = self._vectors.cosines(vector, list(by_key))[:limit]
        return tuple(Neighbour(by_key[key], cosine) for key, cosine in near)

    def _passing(
        self, searcher: tantivy.Searcher, near: Sequence[tuple[int, float]], filters: Filters
    ) -> list[Neighbour]:
        """Those shown and within the filters, in their order."""
        if not near:
            return []
        allowed = tantivy.Query.boolean_query(
            [
                (tantivy.Occur.Must, query_of(None, filters)),
                (tantivy.Occur.Must, of_keys([key for key, _ in near])),
            ]
        )
        addresses = [at for _, at in searcher.search(allowed, limit=len(near)).hits]
        ids = self._product_ids(searcher, addresses)
        keys = [int(key or 0) for key in searcher.fast_field_values("key", addresses)]
        by_key = dict(zip(keys, ids, strict=True))
        return [Neighbour(by_key[key], cosine) for key, cosine in near if key in by_key]

    def explain(self, request: SearchRequest, product_id: str) -> Explanation | None:
        """Each clause asked of the one product."""
        searcher = self._searcher()
        alone = tantivy.Query.const_score_query(of_products([product_id]), 0.0)

        def score(query: tantivy.Query) -> float | None:
            both = [(tantivy.Occur.Must, query), (tantivy.Occur.Must, alone)]
            found = searcher.search(tantivy.Query.boolean_query(both), limit=1).hits
            return float(found[0][0]) if found else None

        total = score(query_of(request.words, request.filters))
        if total is None:
            return None
        plan = matching_plan(request.words) if request.words is not None else None
        clauses = [
            ClauseScore(word, clause.field, clause.terms, earned)
            for word, alternatives in enumerate(plan.words if plan else ())
            for clause in alternatives
            if (earned := score(clause_query(clause))) is not None
        ]
        return Explanation(product_id, total, tuple(sorted(clauses, key=lambda row: -row.score)))

    def vocabulary(self, language: str) -> dict[str, int]:
        """Words and how many products shown have them."""
        searcher = self._searcher()
        shown = query_of(None, Filters())
        fields = [TITLE_WORDS[language]] + ([ATTRIBUTE_WORDS] if language == OTHER else [])
        counts: dict[str, int] = {}
        for field in fields:
            for word, count in searcher.terms_with_prefix(field, "", shown, VOCABULARY):
                counts[word] = counts.get(word, 0) + count
        return counts

    def complete(self, prefix: str, language: str, limit: int) -> tuple[Completion, ...]:
        """Titles that go on from what was typed."""
        words = shown_words(prefix)
        if not words or limit < 1:
            return ()
        searcher = self._searcher()
        found = searcher.search(
            completing(words), limit=limit, count=False, order_by_field="offer_count"
        )
        documents = (self._document(searcher, address) for _, address in found.hits)
        return tuple(
            Completion(
                document.product_id,
                document.title(language),
                document.category_id,
                document.manufacturer,
            )
            for document in documents
        )

    def _document(self, searcher: tantivy.Searcher, address: tantivy.DocAddress) -> ProductDocument:
        body = searcher.doc(address).get_first("document")
        return ProductDocument.from_json(orjson.loads(bytes(body or b"")))

    def read(self, product_ids: Sequence[str]) -> dict[str, ProductDocument]:
        """Documents by id."""
        if not product_ids:
            return {}
        searcher = self._searcher()
        shown = tantivy.Query.boolean_query(
            [
                (tantivy.Occur.Must, query_of(None, Filters())),
                (tantivy.Occur.Must, of_products(product_ids)),
            ]
        )
        documents = {}
        for _, address in searcher.search(shown, limit=len(product_ids)).hits:
            document = self._document(searcher, address)
            documents[document.product_id] = document
        return documents


def _total(found: tantivy.SearchResult) -> int:
    """All matches, not only those listed."""
    return int(getattr(found, "count"))  # noqa: B009 - the library's types leave it out
