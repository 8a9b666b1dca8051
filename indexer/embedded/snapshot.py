"""What one commit holds, with what was learned of it: which terms exist, where products lie.

Made anew when another process has committed, so nothing here is ever out of date. Bounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import tantivy

from indexer.embedded.schema import ID_PARTS
from indexer.engine import Completion, SearchResult
from indexer.index_fields import AVAILABILITIES
from indexer.matching_plan import MatchingPlan

Stored = tuple[str, int | None, str, int, int, int | None, int, int]
"""Product id, total, availability, offers, time, category, version, kinds of accessory."""
Facts = tuple[int, tantivy.DocAddress, str, int | None, str, int, int, int | None, int, int]
"""Numeric key and place, then what is stored."""

_TERMS = 200_000
_PRODUCTS = 20_000
_COUNTED = 32
_COMPLETED = 2_000


class Snapshot:
    """A searcher and its memory. Threads share it: entries are only ever added or all dropped."""

    def __init__(self, searcher: tantivy.Searcher) -> None:
        self.searcher = searcher
        self._terms: dict[tuple[str, str], bool] = {}
        self._facts: dict[int, Facts] = {}
        self._places: dict[str, tantivy.DocAddress] = {}
        self._counted: dict[str, SearchResult] = {}
        self.completed: dict[str, tuple[Completion, ...]] = {}

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

    def facts(self, addresses: Sequence[tantivy.DocAddress]) -> list[Facts]:
        """What hits tell of products, in their order; read from the columns once."""
        keys = [int(key or 0) for key in self.searcher.fast_field_values("key", list(addresses))]
        known = self._facts
        if len(known) > _PRODUCTS:
            known, self._places = {}, {}
            self._facts = known
        unknown = [place for place, key in enumerate(keys) if key not in known]
        if unknown:
            missing = [addresses[place] for place in unknown]
            for place, facts in zip(unknown, self._read(missing), strict=True):
                known[keys[place]] = (keys[place], addresses[place], *facts)
                self._places[facts[0]] = addresses[place]
        return [known[key] for key in keys]

    def _read(self, addresses: list[tantivy.DocAddress]) -> Iterator[Stored]:
        def column(name: str) -> list[int]:
            return [int(value or 0) for value in self.searcher.fast_field_values(name, addresses)]

        totals = self.searcher.fast_field_values("total", addresses)
        return zip(
            self._ids(addresses),
            [None if total is None else int(total) for total in totals],
            [AVAILABILITIES[stock] for stock in column("stock")],
            column("offer_count"),
            column("updated_at"),
            [category or None for category in column("category_id")],
            column("version"),
            column("accessories"),
            strict=True,
        )

    def _ids(self, addresses: list[tantivy.DocAddress]) -> list[str]:
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

    def keep_completed(self, typed: str, found: tuple[Completion, ...]) -> None:
        """Remember what goes on from a beginning: everybody types the same first letters."""
        if len(self.completed) >= _COMPLETED:
            self.completed = {}
        self.completed[typed] = found

    def counted(self, question: str) -> SearchResult | None:
        """Facets of everything within some filters, where they were counted before."""
        return self._counted.get(question)

    def keep_counted(self, question: str, facets: SearchResult) -> None:
        """Remember facets that depend on this commit alone."""
        if len(self._counted) >= _COUNTED:
            self._counted = {}
        self._counted[question] = facets
