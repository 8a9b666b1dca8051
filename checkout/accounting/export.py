"""Exporting a month of the books into a file, in one of the formats accountants read.

A closed month comes out byte for byte the same, whenever it is exported: nothing can be added to
it, and how it is shown was written down when it was closed. A file is there whole or not at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from checkout.accounting.books import PLATFORM_BOOK, Posting, currencies, postings
from checkout.accounting.formats import ONE_CURRENCY, format_of
from checkout.accounting.formats.sheet import Sheet
from checkout.accounting.periods import checked_period, closed_period
from checkout.accounting.presentation import Presentation
from kernel.db import Transaction

HOME_CURRENCY = "EUR"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to export. `book` None: all; formats that hold one book then take the platform's."""

    period: str
    format: str
    book: str | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Exported:
    """A written file; `left_out` are currencies that need a file of their own."""

    file: Path
    sha256: str
    entries: int
    is_final: bool
    left_out: tuple[str, ...]


def export(
    tx: Transaction, wanted: Wanted, folder: Path, current: Presentation, now: datetime
) -> Exported:
    """Write a month into a folder; `current` is how an open month is shown."""
    period = checked_period(wanted.period)
    closed = closed_period(tx, period)
    book, currency = wanted.book, wanted.currency
    left_out: tuple[str, ...] = ()
    if wanted.format in ONE_CURRENCY:
        book, currency = book or PLATFORM_BOOK, currency or HOME_CURRENCY
        left_out = tuple(each for each in currencies(tx, period, book) if each != currency)
    sheet = Sheet(
        period=period,
        book=book,
        currency=currency,
        closed_at=None if closed is None else closed.closed_at,
        made_at=now,
        presentation=current if closed is None else _named(closed.presentation, current),
    )
    shape = format_of(wanted.format)
    counted = _Counted(postings(tx, period, book, currency))
    file = folder / shape.file_name(sheet)
    digest = _write(file, shape.lines(sheet, counted))
    return Exported(file, digest, counted.count, closed is not None, left_out)


def _named(closed: Presentation, current: Presentation) -> Presentation:
    """As closed; a SIREN that was not set then is taken from now: it names the file, no more."""
    return closed if closed.siren else replace(closed, siren=current.siren)


class _Counted:
    """Counts what goes by."""

    def __init__(self, inner: Iterable[Posting]) -> None:
        self._inner = inner
        self.count = 0

    def __iter__(self) -> Iterator[Posting]:
        for each in self._inner:
            self.count += 1
            yield each


def _write(file: Path, lines: Iterator[bytes]) -> str:
    digest = hashlib.sha256()
    beside = file.with_name(f".{file.name}.part")
    try:
        with beside.open("wb") as out:
            for line in lines:
                digest.update(line)
                out.write(line)
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)
    return digest.hexdigest()
