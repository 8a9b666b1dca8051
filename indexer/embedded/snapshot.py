"""What one commit holds, with what was learned of it: which terms exist, where products lie.

Made anew when another process has committed, so nothing here is ever out of date. Bounded.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tantivy

from indexer.embedded.schema import ID_PARTS
from indexer.engine import SearchResult
from indexer.matching_plan import MatchingPlan

_TERMS = 200_000
_PLACES = 50_000
_COUNTED = 32


class Snapshot:
    """A searcher and its memory. Threads share it: entries are only ever added or all dropped."""

    def __init__(self, searcher: tantivy.Searcher) -> None:
        self.searcher = searcher
        self._terms: dict[tuple[str, str], bool] = {}
        self._ids: dict[int, str] = {}
        self._places: dict[str, tantivy.DocAddress] = {}
        self._counted: dict[str, SearchResult] = {}

    def present(self, plan: MatchingPlan) -> MatchingPlan:
        """The plan without clauses that no product of this index can match."""
        terms = self._terms
        if len(terms) > _TERMS:
            terms = self._terms = {}
        doc_freq = self.searcher.doc_freq

        def exists(field: str, term: str) -> bool:
            known = terms.get((field, term))
            if known is None:
                known = terms[field, term] = doc_freq(field, term) > 0
            return known

        words = tuple(
            tuple(
                clause
                for clause in clauses
                if all(exists(clause.field, term) for term in clause.terms)
            )
            for clauses in plan.words
        )
        return MatchingPlan(words, plan.required)

    def product_ids(
        self, keys: Sequence[int], addresses: Sequence[tantivy.DocAddress]
    ) -> list[str]:
        """Ids of products; where they lie is remembered with them."""
        ids, places = self._ids, self._places
        if len(ids) > _PLACES:
            ids, places = self._ids, self._places = {}, {}
        unknown = [place for place, key in enumerate(keys) if key not in ids]
        if unknown:
            found = self._read_ids([addresses[place] for place in unknown])
            for place, product_id in zip(unknown, found, strict=True):
                ids[keys[place]] = product_id
                places[product_id] = addresses[place]
        return [ids[key] for key in keys]

    def _read_ids(self, addresses: list[tantivy.DocAddress]) -> list[str]:
        """From columns of eight letters each; longer ids from the stored document."""
        columns = [self.searcher.fast_field_values(name, addresses) for name in ID_PARTS]
        parts = np.array([[part or 0 for part in column] for column in columns], dtype=">i8")
        width = 8 * len(ID_PARTS)
        packed = np.ascontiguousarray(parts.T).view(f"S{width}").ravel().tolist()
        return [
            text.decode() if columns[0][place] is not None else self._stored_id(addresses[place])
            for place, text in enumerate(packed)
        ]

    def _stored_id(self, address: tantivy.DocAddress) -> str:
        return str(self.searcher.doc(address).get_first("product_id"))

    def place(self, product_id: str) -> tantivy.DocAddress | None:
        """Where a product lies that a search has met; None where that is not known."""
        return self._places.get(product_id)

    def counted(self, question: str) -> SearchResult | None:
        """Facets of everything within some filters, where they were counted before."""
        return self._counted.get(question)

    def keep_counted(self, question: str, facets: SearchResult) -> None:
        """Remember facets that depend on this commit alone."""
        if len(self._counted) >= _COUNTED:
            self._counted = {}
        self._counted[question] = facets
