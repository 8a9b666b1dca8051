"""What one commit holds, with what was learned of it: which terms exist, where products lie.

Made anew when another process has committed, so nothing here is ever out of date. Bounded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import tantivy

from indexer.embedded.columns import Columns, Table, segments_of
from indexer.engine import Completion, Counts
from indexer.matching_plan import Clause, MatchingPlan

_TERMS = 200_000
_PRODUCTS = 20_000
_COUNTED = 32
_COMPLETED = 2_000


class Snapshot:
    """A searcher and its memory. Threads share it: entries are only ever added or all dropped.

    Of the commit before, what cannot have changed is taken over: tables of segments that are still
    there, and terms that were met (one that is gone since is only looked up in vain).
    """

    def __init__(
        self,
        searcher: tantivy.Searcher,
        meta: bytes,
        tables: Path,
        before: Snapshot | None = None,
    ) -> None:
        """`meta` is the file that names the commit's segments, `tables` the columns' folder."""
        kept: Mapping[str, Table] = {} if before is None else before.columns.by_segment
        self.searcher = searcher
        self.columns: Columns = Columns(searcher, segments_of(meta), kept, tables)
        self.commit = hashlib.blake2b(meta, digest_size=8).hexdigest()
        self._present: set[tuple[str, str]] = set() if before is None else before._present
        self._absent: set[tuple[str, str]] = set()
        self._places: dict[str, tantivy.DocAddress] = {}
        self._counted: dict[str, Counts] = {}
        self.completed: dict[str, tuple[Completion, ...]] = {}

    def present(self, plan: MatchingPlan) -> MatchingPlan:
        """The plan without clauses that no product of this index can match."""
        if len(self._present) + len(self._absent) > _TERMS:
            self._present, self._absent = set(), set()
        words = tuple([self._held(clauses) for clauses in plan.words])
        refused = {place: self._held(clauses) for place, clauses in plan.refused.items()}
        return MatchingPlan(words, plan.required, plan.essential, refused)

    def _held(self, clauses: Sequence[Clause]) -> tuple[Clause, ...]:
        return tuple([clause for clause in clauses if self._holds(clause)])

    def _holds(self, clause: Clause) -> bool:
        for term in clause.terms:
            asked = clause.field, term
            if asked in self._present:
                continue
            if asked in self._absent:
                return False
            if not self.searcher.doc_freq(*asked):
                self._absent.add(asked)
                return False
            self._present.add(asked)
        return True

    def facts(self, addresses: Sequence[tantivy.DocAddress]) -> tuple[list[str], Table]:
        """Ids of products and what hits tell of them, in their order."""
        rows = self.columns.rows(addresses)
        ids = [
            packed.decode() if packed else self._stored_id(addresses[place])
            for place, packed in enumerate(rows["id"].tolist())
        ]
        if len(self._places) > _PRODUCTS:
            self._places = {}
        self._places.update(zip(ids, addresses, strict=True))
        return ids, rows

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

    def counted(self, question: str) -> Counts | None:
        """Facets of everything within some filters, where they were counted before."""
        return self._counted.get(question)

    def keep_counted(self, question: str, facets: Counts) -> None:
        """Remember facets that depend on this commit alone."""
        if len(self._counted) >= _COUNTED:
            self._counted = {}
        self._counted[question] = facets
