"""Which offers share telling pieces of their titles: an index of all pieces, in memory or on disk.

Asked for an offer's pieces it answers the offers that share the rarest and the most of them. It
also knows how many offers carry a piece. A copy of what mdm has stored: it can be made again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import tantivy

MOST_PIECES = 100
"""Pieces of one offer that are asked for, the rarest first: bounds the cost of a question."""
RARE_ENOUGH = 20_000
"""Pieces that more offers carry than this are asked for only where there are few others."""
_MEMORY = 64_000_000
_RARITY_POWER = 1.5


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("offer", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("piece", stored=False, tokenizer_name="raw", index_option="basic")
    return builder.build()


class TermIndex:
    """Offer ids by the pieces of their titles. One writer; not for several threads at once."""

    def __init__(self, folder: Path | None = None) -> None:
        self._schema = _schema()
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self._index = tantivy.Index(self._schema, path=str(folder))
        else:
            self._index = tantivy.Index(self._schema)
        self._searcher = self._index.searcher()

    def __len__(self) -> int:
        return int(self._searcher.num_docs)

    def add(self, offers: Iterable[tuple[str, Iterable[str]]]) -> None:
        """Offers with their pieces; an offer that is there already is replaced."""
        writer = self._index.writer(_MEMORY, 1)
        is_new = len(self) == 0
        for offer_id, pieces in offers:
            if not is_new:
                writer.delete_documents_by_term("offer", offer_id)
            document = tantivy.Document()
            document.add_text("offer", offer_id)
            for piece in pieces:
                document.add_text("piece", piece)
            writer.add_document(document)
        writer.commit()
        self._index.reload()
        self._searcher = self._index.searcher()

    def count(self, piece: str) -> int:
        """How many offers carry a piece (those just replaced may be counted twice for a while)."""
        return int(self._searcher.doc_freq("piece", piece))

    def alike(self, pieces: Iterable[str], limit: int) -> list[tuple[str, float]]:
        """Ids of the offers that share most with these pieces, with a score, best first."""
        asked = self._telling(pieces)
        if not asked:
            return []
        clauses = [(tantivy.Occur.Should, self._clause(piece, count)) for piece, count in asked]
        hits = self._searcher.search(tantivy.Query.boolean_query(clauses), limit, count=False).hits
        found = [
            (str(self._searcher.doc(address).get_first("offer")), float(score))
            for score, address in hits
        ]
        return sorted(found, key=lambda each: (-each[1], each[0]))

    def _telling(self, pieces: Iterable[str]) -> Sequence[tuple[str, int]]:
        counted = sorted((self.count(piece), piece) for piece in pieces)
        known = [(piece, count) for count, piece in counted if count]
        rare = [each for each in known if each[1] <= RARE_ENOUGH]
        return (rare if len(rare) >= 3 else known[:6])[:MOST_PIECES]

    def _clause(self, piece: str, count: int) -> tantivy.Query:
        """The engine weighs by the logarithm of rarity; a higher power finds more true pairs."""
        query = tantivy.Query.term_query(self._schema, "piece", piece, index_option="basic")
        boost = math.log1p(len(self) / count) ** _RARITY_POWER
        return tantivy.Query.boost_query(query, boost)
