"""Which offers share telling pieces of their titles: an index of all pieces, in memory or on disk.

Asked for an offer's pieces it answers the offers that share the rarest and the most of them. It
also knows how many offers carry a piece. A copy of what mdm has stored: it can be made again, and
a folder that cannot be read is emptied. Killed in the middle of a write, it is as it was before.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import tantivy

MOST_PIECES = 100
"""Pieces of one offer that are asked for, the rarest first."""
MOST_HOLDERS = 40_000
"""How many offers the pieces asked for may have together: bounds the cost of a question."""
FEWEST_PIECES = 3
_RARITY_POWER = 2.5
# An identifier says more than a word as rare; the end of a code says less than the whole.
_WORTH = {"g:": 4.0, "p:": 3.0}
_WORTH_OF_ENDS = 0.5
_MEMORY = 64_000_000
_MARK = "@"

Asked = Sequence[tuple[str, float]]
"""Pieces with what each of them is worth."""


def telling(pieces: Iterable[str], count: Callable[[str], int], offers: int) -> Asked:
    """The pieces to ask for, weighed by rarity: `count` of the `offers` carry a piece."""
    counted = sorted((count(piece), piece) for piece in pieces)
    asked: list[tuple[str, float]] = []
    holders = 0
    for held, piece in counted:
        if not held:
            continue
        holders += held
        if len(asked) >= MOST_PIECES or (len(asked) >= FEWEST_PIECES and holders > MOST_HOLDERS):
            break
        asked.append((piece, _worth(piece) * math.log1p(offers / held) ** _RARITY_POWER))
    return asked


def _worth(piece: str) -> float:
    return _WORTH_OF_ENDS if piece[0] in "#$" else _WORTH.get(piece[:2], 1.0)


class TermIndex:
    """Offer ids by the pieces of their titles. One writer; not for several threads at once."""

    def __init__(self, folder: Path | None = None) -> None:
        self._schema = _schema()
        self._folder = folder
        self._index = self._open()
        self._look_again()

    def __len__(self) -> int:
        return int(self._searcher.num_docs) - (1 if self.mark else 0)

    def reload(self) -> None:
        """See what another process has written."""
        self._index.reload()
        self._look_again()

    def empty(self) -> None:
        """Begin again from nothing."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._index = self._open()
        self._look_again()

    def add(self, offers: Iterable[tuple[str, Iterable[str]]]) -> None:
        """Offers with their pieces; an offer that is there already is replaced."""
        self.write(offers, (), self.mark)

    def remove(self, offer_ids: Iterable[str]) -> None:
        """Offers that are gone."""
        self.write((), offer_ids, self.mark)

    def write(
        self,
        offers: Iterable[tuple[str, Iterable[str]]],
        gone: Iterable[str],
        mark: str,
    ) -> None:
        """All of it at once or nothing: offers added, offers gone, and the mark of this state."""
        writer = self._index.writer(_MEMORY, 1)
        is_new = len(self) == 0
        for offer_id in gone:
            writer.delete_documents_by_term("offer", offer_id)
        for offer_id, pieces in offers:
            if not is_new:
                writer.delete_documents_by_term("offer", offer_id)
            document = tantivy.Document()
            document.add_text("offer", offer_id)
            for piece in pieces:
                document.add_text("piece", piece)
            writer.add_document(document)
        if mark:
            writer.delete_documents_by_term("offer", _MARK)
            document = tantivy.Document()
            document.add_text("offer", _MARK)
            document.add_text("mark", mark)
            writer.add_document(document)
        writer.commit()
        writer.wait_merging_threads()
        self.reload()

    def count(self, piece: str) -> int:
        """How many offers carry a piece (those just replaced may be counted twice for a while)."""
        return int(self._searcher.doc_freq("piece", piece))

    def alike(self, pieces: Iterable[str], limit: int) -> list[tuple[str, float]]:
        """Ids of the offers that share most with these pieces, with a score, best first."""
        return self.hits(telling(pieces, self.count, len(self)), limit)

    def hits(self, asked: Asked, limit: int, without: str | None = None) -> list[tuple[str, float]]:
        """Ids of the offers whose pieces are worth most together, best first; none of those that
        carry the piece `without`."""
        if not asked:
            return []
        clauses = [
            (
                tantivy.Occur.Should,
                tantivy.Query.const_score_query(self._carrying(piece), worth),
            )
            for piece, worth in asked
        ]
        if without is not None:
            clauses.append((tantivy.Occur.MustNot, self._carrying(without)))
        query = tantivy.Query.boolean_query(clauses)
        hits = self._searcher.search(query, limit, count=False).hits
        found = [
            (str(self._searcher.doc(address).get_first("offer")), round(float(score), 3))
            for score, address in hits
        ]
        return sorted(found, key=lambda each: (-each[1], each[0]))

    def _carrying(self, piece: str) -> tantivy.Query:
        return tantivy.Query.term_query(self._schema, "piece", piece, index_option="basic")

    def _open(self) -> Any:
        if self._folder is None:
            return tantivy.Index(self._schema)
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            return tantivy.Index(self._schema, path=str(self._folder))
        except (ValueError, OSError):
            # Of another release, or damaged: what it held is in the database.
            shutil.rmtree(self._folder)
            self._folder.mkdir(parents=True)
            return tantivy.Index(self._schema, path=str(self._folder))

    def _look_again(self) -> None:
        self._searcher = self._index.searcher()
        marked = tantivy.Query.term_query(self._schema, "offer", _MARK, index_option="basic")
        hits = self._searcher.search(marked, 1, count=False).hits
        self.mark = str(self._searcher.doc(hits[0][1]).get_first("mark")) if hits else ""
        """What the last writer said of the state that it left; empty where nobody said anything."""


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("offer", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("piece", stored=False, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("mark", stored=True, tokenizer_name="raw", index_option="basic")
    return builder.build()
