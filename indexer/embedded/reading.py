"""An index opened for reading. Each question sees what is committed at that moment.

Other processes commit; a look at one file's stamp tells whether to reload, so nothing watches.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import orjson
import tantivy

from indexer.document import ProductDocument
from indexer.embedded.facets import count_facets
from indexer.embedded.generations import Manifest
from indexer.embedded.querying import of_keys, of_products, query_of
from indexer.embedded.schema import open_index
from indexer.embedded.vectors import VectorFile
from indexer.engine import (
    Filters,
    Hit,
    Neighbour,
    SearchRequest,
    SearchResult,
    Sort,
    Vector,
)
from indexer.index_fields import AVAILABILITIES, numeric_key

_ORDERS = {
    Sort.PRICE_ASC: ("total", tantivy.Order.Asc),
    Sort.PRICE_DESC: ("total", tantivy.Order.Desc),
    Sort.NEWEST: ("updated_at", tantivy.Order.Desc),
    Sort.POPULAR: ("offer_count", tantivy.Order.Desc),
}
_KNOWN_IDS = 200_000
_EXACT_UP_TO = 20_000
"""Filtered sets up to this size are compared vector by vector when the graph found too few."""


class IndexReader:
    """Questions to one index."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
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
        query = query_of(request.words, request.filters)
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
        hits = self._hits(searcher, [address for _, address in rows], scores)
        facets, prices = count_facets(searcher, request, query)
        return SearchResult(hits, _total(found), facets, prices)

    def _hits(
        self,
        searcher: tantivy.Searcher,
        addresses: list[tantivy.DocAddress],
        scores: Sequence[float],
    ) -> tuple[Hit, ...]:
        columns = [
            searcher.fast_field_values(name, addresses)
            for name in ("total", "stock", "offer_count", "updated_at", "category_id")
        ]
        ids = self._product_ids(searcher, addresses)
        return tuple(
            Hit(
                product_id,
                score,
                None if total is None else int(total),
                AVAILABILITIES[int(stock or 0)],
                int(offers or 0),
                int(updated or 0),
                int(category or 0) or None,
            )
            for product_id, score, total, stock, offers, updated, category in zip(
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
            body = searcher.doc(address).get_first("document")
            document = ProductDocument.from_json(orjson.loads(bytes(body or b"")))
            documents[document.product_id] = document
        return documents


def _total(found: tantivy.SearchResult) -> int:
    """All matches, not only those listed."""
    return int(getattr(found, "count"))  # noqa: B009 - the library's types leave it out
