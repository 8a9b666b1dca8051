"""The living catalogue by the pieces of its titles: a folder, and what it lacks in memory.

Read from the database in the order in which offers were stored, so nothing is read twice; written
to the folder some thousand at a time. Several processes may share the folder: who writes holds the
lock of the matcher. A folder that belongs to another history of the database is made again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from kernel.db import Prepared, Transaction, sent_together
from mdm.match.candidates import indexed
from mdm.match.decision import Contender
from mdm.match.features import offer_features
from mdm.match.kept_reading import SHAPE, packed
from mdm.match.recent_offers import RecentOffers
from mdm.match.term_index import Asked, Held, Hit, TermIndex
from mdm.unique_items import SEAT

if TYPE_CHECKING:
    import numpy as np
    import psycopg
    from numpy.typing import NDArray

    from mdm.match.piece_counts import Numbers

MOST_RECENT = 2_000
"""What is kept beside the folder at most; beyond, all of it is written to the folder."""
_PAGE = 20_000
# Of how titles are read: a folder of another reading is made again. Raise the number with what is
# read of a title; fields of Features count by themselves.
_READING = f"9-{SHAPE}"

_PAST = Prepared(
    sa.text(
        "SELECT (SELECT max(stored) FROM mdm.offer_vector), "
        "(SELECT offer_id FROM mdm.offer_vector WHERE stored = :number)"
    )
)
_LATER = Prepared(
    sa.text(
        "SELECT v.stored, v.offer_id, v.vector, o.live, o.merchant_id, o.condition, o.title, "  # noqa: S608
        f"o.facts, {SEAT} AS seat FROM mdm.offer_vector v JOIN mdm.offer o USING (offer_id) "
        "WHERE v.stored > :number ORDER BY v.stored LIMIT :page"
    )
)


class LivingIndex:
    """`mdm.match.candidates.PieceIndex` over all live offers. Not for several threads at once.

    `newer` are offers that the folder holds as they no longer are, `recent` those it lacks.
    """

    def __init__(
        self, folder: Path | None = None, newer: Iterable[str] = (), recent: Iterable[Held] = ()
    ) -> None:
        self._folder = folder
        self._stored = TermIndex(folder)
        self._recent = RecentOffers()
        self._recent.add(recent)
        self._newer = set(newer)
        self._mark = self._stored.mark

    def __len__(self) -> int:
        return len(self._stored) + len(self._recent)

    def refresh(self, tx: Transaction) -> None:
        """Take up what was stored since the last time, by whichever process. The caller holds the
        matcher's lock."""
        with sent_together(tx):
            stored = self.asked(tx)
        stored()

    def asked(self, tx: Transaction) -> Callable[[], None]:
        """The same, asked for now and taken up when it is called: for statements that are sent
        together."""
        self._meet_others()
        past = _PAST.asked(tx, {"number": _number(self._mark)})
        later = _stored_after(tx, _number(self._mark))
        return lambda: self._take_up(tx, past.fetchall()[0], later.fetchall())

    def _take_up(self, tx: Transaction, past: Any, rows: Sequence[Any]) -> None:
        (latest, there) = past
        if not _is_of_this_past(self._mark, latest, there):
            self._begin_anew()
            rows = _stored_after(tx, 0).fetchall()
        while rows:
            here = [row for row in rows if row.live]
            self._mark = f"{_READING} {rows[-1].stored} {rows[-1].offer_id}"
            gone = {row.offer_id for row in rows}.union(self._newer)
            if len(gone) > MOST_RECENT:
                self._recent.remove(row.offer_id for row in rows)
                self._stored.write(chain(self._recent.items(), _read(here)), gone, self._mark)
                self._forget_recent()
            else:
                self._newer = gone
                self._recent.remove(row.offer_id for row in rows)
                self._recent.add(_read(here))
            is_last = len(rows) < _PAGE
            rows = () if is_last else _stored_after(tx, _number(self._mark)).fetchall()

    def shared(self) -> Callable[[], LivingIndex] | None:
        """What another process opens it by; None where it is in memory."""
        if self._folder is None:
            return None
        return partial(LivingIndex, self._folder, [*self._newer], [*self._recent.items()])

    def count(self, piece: str) -> int:
        """How many offers carry a piece (those just changed may be counted twice for a while)."""
        return self._stored.count(piece) + self._recent.count(piece)

    def counts(self, numbers: Numbers) -> Numbers:
        """The same of many pieces, by their `piece_numbers`."""
        return self._stored.counts(numbers) + self._recent.counts(numbers)

    def hits(self, asked: Asked, limit: int, without: str | None = None) -> list[Hit]:
        """The offers whose pieces are worth most together, best first; none of those that carry
        the piece `without`."""
        recent = self._recent.hits(asked, limit, without)
        stored = self._stored.hits(asked, limit, without, self._newer)
        return sorted((*recent, *stored), key=lambda hit: (-hit.worth, hit.offer_id))[:limit]

    def _meet_others(self) -> None:
        """See what another process wrote to the folder."""
        self._stored.reload()
        if _number(self._stored.mark) > _number(self._mark):
            self._mark = self._stored.mark
            self._forget_recent()

    def _begin_anew(self) -> None:
        """The folder is of another past."""
        self._stored.empty()
        self._mark = ""
        self._forget_recent()

    def _forget_recent(self) -> None:
        self._recent = RecentOffers()
        self._newer = set()


def _number(mark: str) -> int:
    return _place(mark)[0]


def _place(mark: str) -> tuple[int, str]:
    """Up to which stored offer a folder was read; (0, "") where it was read in another way."""
    reading, number, offer_id = [*mark.split(" "), "", ""][:3]
    return (int(number), offer_id) if reading == _READING and number.isdigit() else (0, "")


def _is_of_this_past(mark: str, latest: int | None, there: str | None) -> bool:
    """False where titles were read in another way, and where the database, brought back from a
    copy, never came to the mark, or came to it with another offer. An offer that was stored anew
    since then has left its place empty."""
    if not mark:
        return True
    number, offer_id = _place(mark)
    return 0 < number <= (latest or 0) and there in (None, offer_id)


def _stored_after(tx: Transaction, number: int) -> psycopg.Cursor[Any]:
    return _LATER.asked(tx, {"number": number, "page": _PAGE})


def _read(rows: Sequence[Any]) -> Iterator[Held]:
    """Stored offers as they are indexed: a page of them is never held as features."""
    for row in rows:
        features = offer_features(row.title, row.facts)
        contender = Contender(row.offer_id, row.merchant_id, row.condition, features)
        reading = packed(replace(contender, condition=row.seat), row.vector)
        for held in indexed([contender], vectors_of([row.vector])):
            yield held._replace(reading=reading)


def vectors_of(stored: Sequence[bytes]) -> NDArray[np.float32]:
    """Stored vectors of one model as rows."""
    import numpy as np

    table = np.frombuffer(b"".join(stored), dtype=np.float16)
    return table.reshape(len(stored), -1).astype(np.float32)
