"""An index opened for reading. Each question sees what is committed at that moment.

Other processes commit; a look at one file's stamp tells whether to reload, so nothing watches.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import orjson
import tantivy

from indexer.analysis import OTHER, shown_words
from indexer.document import ProductDocument
from indexer.documents import Documents
from indexer.embedded.facets import counted, counts_of
from indexer.embedded.generations import Manifest
from indexer.embedded.querying import (
    Question,
    clause_query,
    completing,
    of_keys,
    of_products,
    query_of,
    question_of,
)
from indexer.embedded.schema import open_index
from indexer.embedded.snapshot import Snapshot
from indexer.embedded.vectors import VectorFile
from indexer.engine import (
    VOCABULARY,
    ClauseScore,
    Completion,
    Counts,
    Explanation,
    Filters,
    Neighbour,
    SearchRequest,
    SearchResult,
    Sort,
    Vector,
)
from indexer.hits import NO_HITS, Hit, Hits, id_of
from indexer.index_fields import ATTRIBUTE_WORDS, AVAILABILITIES, TITLE_WORDS, numeric_key
from indexer.matching_plan import matching_plan
from kernel.offer_terms import Availability
from mdm.processors import usable

_ORDERS = {
    Sort.PRICE_ASC: ("total", tantivy.Order.Asc),
    Sort.PRICE_DESC: ("total", tantivy.Order.Desc),
    Sort.NEWEST: ("updated_at", tantivy.Order.Desc),
    Sort.POPULAR: ("offer_count", tantivy.Order.Desc),
    Sort.DROP: ("drop", tantivy.Order.Desc),
    Sort.ID: ("key", tantivy.Order.Asc),
}
_IN_STOCK = AVAILABILITIES.index(Availability.IN_STOCK)
_EXACT_UP_TO = 20_000
"""Filtered sets up to this size are compared vector by vector when the graph found too few."""
_BESIDE_FROM = 300_000
"""Products of an index from which on counting takes longer than handing it to another thread."""


class IndexReader:
    """Questions to one index."""

    def __init__(self, folder: Path, manifest: Manifest, documents: Documents) -> None:
        self.index = folder.name
        self.manifest = manifest
        self._documents = documents
        self._index = open_index(folder / "lexical")
        self._meta = folder / "lexical" / "meta.json"
        self._tables = folder / "columns"
        self._vectors = VectorFile(folder, manifest.dimensions)
        self._taking = threading.Lock()
        self._beside = ThreadPoolExecutor(usable(), "facets")
        self._seen = (self._stamp_now(), self._taken(None))

    def _stamp_now(self) -> tuple[int, int]:
        status = self._meta.stat()
        return status.st_ino, status.st_mtime_ns

    def _snapshot(self) -> Snapshot:
        """What is committed now."""
        stamp = self._stamp_now()
        seen, snapshot = self._seen
        # One thread takes the new one; the others need not wait for it.
        if stamp != seen and self._taking.acquire(blocking=False):
            try:
                snapshot = self._taken(self._seen[1])
                self._seen = (stamp, snapshot)
            finally:
                self._taking.release()
        return snapshot

    def _taken(self, before: Snapshot | None) -> Snapshot:
        """What is committed now, with the names of its segments: nothing came between the two."""
        while True:
            meta = self._meta.read_bytes()
            self._index.reload()
            searcher = self._index.searcher()
            if self._meta.read_bytes() == meta:
                return Snapshot(searcher, meta, self._tables, before)

    def stamp(self) -> str:
        """What this process reads now, which may be a moment behind the files. Never the files' own
        stamp: others go on with the former commit while one thread takes the new one."""
        return f"{self._snapshot().commit}:{self._vectors.stamp()}"

    def _searcher(self) -> tantivy.Searcher:
        return self._snapshot().searcher

    def count(self) -> int:
        """Products shown."""
        found = self._searcher().search(query_of(None, Filters()), limit=1)
        return _total(found)

    def search(self, request: SearchRequest) -> SearchResult:
        """Hits, their number, facets."""
        snapshot = self._snapshot()
        question = question_of(
            request.words, request.filters, after=request.after, present=snapshot.present
        )
        counting = self._counting(snapshot, request, question)
        field, order = _ORDERS.get(request.sort, (None, tantivy.Order.Desc))
        found = snapshot.searcher.search(
            question.query(),
            limit=max(request.limit, 1),
            offset=request.offset,
            order_by_field=field,
            order=order,
        )
        rows = found.hits[: request.limit]
        scores = [score if field is None else 0.0 for score, _ in rows]
        vector = request.vector if request.sort is Sort.RELEVANCE else None
        hits = self._hits(snapshot, [address for _, address in rows], scores, vector)
        total = _total(found)
        return SearchResult(hits, total, counting if total >= request.facets_from else None)

    def _counting(
        self, snapshot: Snapshot, request: SearchRequest, question: Question
    ) -> Callable[[], Counts] | None:
        """Facets of a large index are counted beside the search, and beside all that follows until
        they are asked for: the engine needs no turn of this interpreter. Those of a small one are
        counted when they are asked for.

        Counts of what has no words to be found by are remembered: they cost most.
        """
        if not (request.facets or request.attributes):
            return None
        if request.words is not None:
            if snapshot.searcher.num_docs < _BESIDE_FROM:
                return lambda: counts_of(counted(snapshot.searcher, request, question), request)
            answers = self._beside.submit(counted, snapshot.searcher, request, question)
            return lambda: counts_of(answers.result(), request)
        asked = repr((request.filters, request.facets, request.facet_size, request.attributes))
        known = snapshot.counted(asked)
        if known is None:
            known = counts_of(counted(snapshot.searcher, request, question), request)
            snapshot.keep_counted(asked, known)
        return lambda: known

    def _hits(
        self,
        snapshot: Snapshot,
        addresses: list[tantivy.DocAddress],
        scores: Sequence[float],
        vector: Vector | None,
    ) -> Hits:
        if not addresses:
            return NO_HITS
        ids, rows = snapshot.facts(addresses)
        cosines = self._vectors.cosines(vector, rows["key"].astype(np.uint64))
        return Hits(
            ids,
            np.array(scores),
            rows["stock"] == _IN_STOCK,
            rows["offer_count"],
            rows["category_id"],
            cosines,
            rows["version"],
            rows["accessories"],
            rows["before_head"],
            self.index,
        )

    def neighbours(self, vector: Vector, filters: Filters, limit: int) -> tuple[Neighbour, ...]:
        """From the graph; exactly, where a filter leaves few products."""
        if filters.product_ids is not None and filters == Filters(product_ids=filters.product_ids):
            return self._among(vector, filters.product_ids, limit)
        snapshot = self._snapshot()
        narrowed = filters != Filters()
        found: list[Neighbour] = []
        if filters.product_ids is None:
            near = self._vectors.nearest(vector, limit * 5 if narrowed else limit + 10)
            found = self._passing(snapshot, near, filters)
        if narrowed and len(found) < limit:
            searcher = snapshot.searcher
            everything = searcher.search(query_of(None, filters), limit=_EXACT_UP_TO, count=True)
            if _total(everything) <= _EXACT_UP_TO:
                addresses = [at for _, at in everything.hits]
                keys = _numbers(searcher.fast_field_values("key", addresses))
                near = self._nearest_of(vector, keys)[:limit]
            else:
                near = self._vectors.nearest(vector, _EXACT_UP_TO)
            found = self._passing(snapshot, near, filters)
        return tuple(found[:limit])

    def _among(
        self, vector: Vector, product_ids: Sequence[str], limit: int
    ) -> tuple[Neighbour, ...]:
        """Named products only: their vectors go with them when they are no longer shown."""
        by_key = {numeric_key(product_id): product_id for product_id in product_ids}
        near = self._nearest_of(vector, list(by_key))[:limit]
        return tuple(Neighbour(by_key[key], cosine) for key, cosine in near)

    def _nearest_of(self, vector: Vector, keys: Sequence[int]) -> list[tuple[int, float]]:
        """(key, cosine), best first, of those that have a vector."""
        cosines = self._vectors.cosines(vector, np.array(keys, dtype=np.uint64)).tolist()
        known = [row for row in zip(keys, cosines, strict=True) if not math.isnan(row[1])]
        return sorted(known, key=lambda row: -row[1])

    def _passing(
        self, snapshot: Snapshot, near: Sequence[tuple[int, float]], filters: Filters
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
        searcher = snapshot.searcher
        addresses = [at for _, at in searcher.search(allowed, limit=len(near)).hits]
        ids, rows = snapshot.facts(addresses)
        by_key = dict(zip(rows["key"].tolist(), ids, strict=True))
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
        snapshot = self._snapshot()
        asked = f"{language} {limit} {' '.join(words)}"
        known = snapshot.completed.get(asked)
        if known is None:
            known = self._completed(snapshot.searcher, words, language, limit)
            snapshot.keep_completed(asked, known)
        return known

    def _completed(
        self, searcher: tantivy.Searcher, words: Sequence[str], language: str, limit: int
    ) -> tuple[Completion, ...]:
        found = searcher.search(
            completing(words), limit=limit, count=False, order_by_field="offer_count"
        )
        return tuple(_completion(searcher, address, language) for _, address in found.hits)

    def read(self, products: Sequence[str | Hit]) -> dict[str, ProductDocument]:
        """Documents by id, those of hits from memory where they are held."""
        found = self._documents.held(products)
        if len(found) == len(products):
            return found
        snapshot = self._snapshot()
        missing = []
        for product in products:
            if id_of(product) in found:
                continue
            place = None if isinstance(product, str) else self._place(snapshot, product)
            if place is None:
                missing.append(id_of(product))
            else:
                found[id_of(product)] = self._document(snapshot.searcher, place)
        if missing:
            found |= self._read_shown(snapshot, missing)
        self._documents.keep(products, found)
        return found

    def _place(self, snapshot: Snapshot, hit: Hit) -> tantivy.DocAddress | None:
        return snapshot.place(hit.product_id) if hit.index == self.index else None

    def _read_shown(
        self, snapshot: Snapshot, product_ids: Sequence[str]
    ) -> dict[str, ProductDocument]:
        query = query_of(None, Filters(product_ids=tuple(product_ids)))
        found = snapshot.searcher.search(query, limit=len(product_ids)).hits
        documents = (self._document(snapshot.searcher, address) for _, address in found)
        return {document.product_id: document for document in documents}

    def _document(self, searcher: tantivy.Searcher, address: tantivy.DocAddress) -> ProductDocument:
        body = searcher.doc(address).get_first("document")
        return ProductDocument.from_json(bytes(body or b""))


def _completion(
    searcher: tantivy.Searcher, address: tantivy.DocAddress, language: str
) -> Completion:
    """Of a stored document only what a suggestion shows."""
    shown = orjson.loads(bytes(searcher.doc(address).get_first("document") or b""))
    titles = shown["titles"]
    title = titles.get(language) or next(iter(titles.values()), "")
    return Completion(
        shown["product_id"], title, shown["category_id"], shown["manufacturer"],
        shown["total_minor"],
    )  # fmt: skip


def _numbers(column: Sequence[float | None]) -> list[int]:
    """Values of an integer column, 0 where there is none."""
    return [int(value or 0) for value in column]


def _total(found: tantivy.SearchResult) -> int:
    """All matches, not only those listed."""
    return int(getattr(found, "count"))  # noqa: B009 - the library's types leave it out
