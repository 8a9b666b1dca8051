"""Which offers share telling pieces of their titles: an index of all pieces, in memory or on disk.

Asked for an offer's pieces it answers the offers that share the rarest and the most of them, with
what was read of each. It also knows how many offers carry a piece. A copy of what mdm has stored:
it can be made again, and a folder that cannot be read is emptied. Killed in the middle of a write,
it is as it was before.
"""

from __future__ import annotations

import math
import shutil
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, NamedTuple

import tantivy

from mdm.match.piece_counts import PieceCounts, piece_numbers

if TYPE_CHECKING:
    from mdm.match.piece_counts import Numbers

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
# Where the library keeps which files make up the index.
_STATE = "meta.json"
# So many offers are looked up at once before they are written.
_AT_ONCE = 1_000

Asked = Sequence[tuple[str, float]]
"""Pieces with what each of them is worth."""


class Held(NamedTuple):
    """An offer with its pieces, and with what was read of it where that is to be kept."""

    offer_id: str
    pieces: Collection[str]
    reading: bytes = b""


class Hit(NamedTuple):
    """An offer found, what the pieces are worth that it shares, and what was read of it."""

    offer_id: str
    worth: float
    reading: bytes


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
        self._counts, self._counted = PieceCounts(), ""
        """How many offers carry a piece, and the file of the folder that says so."""
        self._seen: tuple[int, int] | None = None
        self._index = self._open()
        self._look_again()

    def __len__(self) -> int:
        return int(self._searcher.num_docs) - (1 if self._counted else 0)

    def reload(self) -> None:
        """See what another process has written."""
        state = self._written()
        if state is None or state != self._seen:
            self._seen = state
            self._index.reload()
            self._look_again()

    def shared(self) -> Callable[[], TermIndex] | None:
        """What another process opens the folder by; None where it is in memory."""
        return partial(TermIndex, self._folder) if self._folder else None

    def empty(self) -> None:
        """Begin again from nothing."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._index = self._open()
        self._look_again()

    def add(self, offers: Iterable[Held]) -> None:
        """Offers with their pieces; an offer that is there already is replaced."""
        self.write(offers, (), self.mark)

    def remove(self, offer_ids: Iterable[str]) -> None:
        """Offers that are gone."""
        self.write((), offer_ids, self.mark)

    def write(self, offers: Iterable[Held], gone: Iterable[str], mark: str) -> None:
        """All of it at once or nothing: offers added, offers gone, and the mark of this state."""
        writer = self._index.writer(_MEMORY, 1)
        is_new = len(self) == 0
        more, out = array("I"), set(gone)
        for offer_id in out:
            writer.delete_documents_by_term("offer", offer_id)
        for each in offers:
            if not is_new:
                out.add(each.offer_id)
                writer.delete_documents_by_term("offer", each.offer_id)
            numbers = piece_numbers(each.pieces)
            more += numbers
            writer.add_document(_document(each, numbers))
        self._count(writer, more, self._numbers_held(out), mark)
        writer.commit()
        writer.wait_merging_threads()
        self.reload()
        self._sweep()

    def count(self, piece: str) -> int:
        """How many offers carry a piece (`mdm.match.piece_counts`: one in five hundred
        looks more common than it is)."""
        return self._counts.count(piece)

    def counts(self, numbers: Numbers) -> Numbers:
        """The same of many pieces, by their `piece_numbers`."""
        return self._counts.counts(numbers)

    def alike(self, pieces: Iterable[str], limit: int) -> list[Hit]:
        """The offers that share most with these pieces, best first."""
        return self.hits(telling(pieces, self.count, len(self)), limit)

    def hits(
        self,
        asked: Asked,
        limit: int,
        without: str | None = None,
        beside: Collection[str] = (),
    ) -> list[Hit]:
        """The offers whose pieces are worth most together, best first; none of those that carry
        the piece `without`, and none that `beside` names."""
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
        here = (
            Hit(each.get_first("offer"), round(score, 3), each.get_first("reading"))
            for score, each in self._found(query, limit + min(len(beside), limit))
        )
        found = islice((hit for hit in here if hit.offer_id not in beside), limit)
        return sorted(found, key=lambda hit: (-hit.worth, hit.offer_id))

    def _found(self, query: tantivy.Query, limit: int) -> Iterator[tuple[float, Any]]:
        for score, address in self._searcher.search(query, limit, count=False).hits:
            yield score, self._searcher.doc(address)

    def _carrying(self, piece: str) -> tantivy.Query:
        return tantivy.Query.term_query(self._schema, "piece", piece, index_option="basic")

    def _numbers_held(self, offer_ids: Iterable[str]) -> array[int]:
        """Of the offers that are there as last written: the numbers of their pieces."""
        numbers, left = array("I"), iter(offer_ids)
        while ids := list(islice(left, _AT_ONCE)):
            query = tantivy.Query.term_set_query(self._schema, "offer", ids)
            for _, there in self._found(query, len(ids)):
                numbers.frombytes(there.get_first("numbers"))
        return numbers

    def _count(self, writer: Any, more: Sequence[int], fewer: Sequence[int], mark: str) -> None:
        """A folder's counts are a file that its state names, so both change at once."""
        counts = self._counts.changed(more, fewer)
        if self._folder is None:
            self._counts = counts
            return
        name = f"counts-{token_hex(8)}"
        counts.write(self._folder / name)
        writer.delete_documents_by_term("offer", _MARK)
        document = tantivy.Document()
        document.add_text("offer", _MARK)
        document.add_text("mark", mark)
        document.add_text("counts", name)
        writer.add_document(document)

    def _sweep(self) -> None:
        """Counts of states before this one, and of writes that were killed."""
        for file in self._folder.glob("counts-*") if self._folder else ():
            if file.name != self._counted:
                file.unlink(missing_ok=True)

    def _open(self) -> Any:
        self._counts, self._counted, self._seen = PieceCounts(), "", None
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

    def _written(self) -> tuple[int, int] | None:
        """Which state the folder is in: each is a new file in the place of the one before."""
        if self._folder is None:
            return None
        with suppress(OSError):
            state = (self._folder / _STATE).stat()
            return state.st_ino, state.st_mtime_ns
        return None

    def _look_again(self) -> None:
        self._searcher = self._index.searcher()
        marked = tantivy.Query.term_query(self._schema, "offer", _MARK, index_option="basic")
        state = next((each for _, each in self._found(marked, 1)), None)
        self.mark = state.get_first("mark") if state else ""
        """What the last writer said of the state that it left; empty where nobody said anything."""
        counted = state.get_first("counts") if state else ""
        if self._folder is None or counted == self._counted:
            return
        try:
            self._counts = PieceCounts.read(self._folder / counted)
            self._counted = counted
        except (ValueError, OSError):
            self.empty()


def _document(offer: Held, numbers: array[int]) -> tantivy.Document:
    document = tantivy.Document()
    document.add_text("offer", offer.offer_id)
    for piece in offer.pieces:
        document.add_text("piece", piece)
    document.add_bytes("numbers", numbers.tobytes())
    document.add_bytes("reading", offer.reading)
    return document


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("offer", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("piece", stored=False, tokenizer_name="raw", index_option="basic")
    builder.add_bytes_field("numbers", stored=True, indexed=False)
    builder.add_bytes_field("reading", stored=True, indexed=False)
    for name in ("mark", "counts"):
        builder.add_text_field(name, stored=True, tokenizer_name="raw", index_option="basic")
    return builder.build()
