"""Exporting a month of the books into a file, in one of the formats accountants read.

A closed month comes out byte for byte the same, whenever it is exported: nothing can be added to
it, and how it is shown was written down when it was closed. A year is its months, one after the
other, each as it was closed. A file is there whole or not at all.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, islice
from pathlib import Path

from checkout.accounting.books import PLATFORM_BOOK, Posting, currencies, postings
from checkout.accounting.formats import MOST_LINES, OF_A_YEAR, ONE_CURRENCY, format_of
from checkout.accounting.formats.sheet import Sheet
from checkout.accounting.periods import checked_period, closed_period
from checkout.accounting.presentation import Presentation
from kernel.db import Transaction
from kernel.errors import DomainError

HOME_CURRENCY = "EUR"
_YEAR = re.compile(r"20[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to export. `period`: a month, or a year for a format that holds years. `book` None:
    all; formats that hold one book then take the platform's.
    """

    period: str
    format: str
    book: str | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A file and the hash of its content."""

    file: Path
    sha256: str


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: one file, or several where a format's files have an end. `left_out` are
    currencies that such a file cannot hold.
    """

    files: tuple[Written, ...]
    entries: int
    is_final: bool
    left_out: tuple[str, ...]

    @property
    def file(self) -> Path:
        """The first file."""
        return self.files[0].file

    @property
    def sha256(self) -> str:
        """The hash of the first file."""
        return self.files[0].sha256


def export(
    tx: Transaction, wanted: Wanted, folder: Path, current: Presentation, now: datetime
) -> Exported:
    """Write a period into a folder; `current` is how an open month is shown.

    DomainError `period_invalid`, `currency_without_rate`, and what the format refuses.
    """
    months = _months(wanted)
    book, currency = wanted.book, wanted.currency
    left_out: set[str] = set()
    if wanted.format in ONE_CURRENCY:
        book, currency = book or PLATFORM_BOOK, currency or HOME_CURRENCY
        _refuse_foreign(wanted.format, currency)
        left_out = {each for month in months for each in currencies(tx, month, book)} - {currency}
    sheets = [_sheet(tx, month, book, currency, current, now) for month in months]
    shape, counted = format_of(wanted.format), _Counted()

    def lines() -> Iterator[bytes]:
        for sheet in sheets:
            found = counted.through(postings(tx, sheet.period, book, currency))
            # Formats that hold a year begin with one line of names.
            yield from islice(shape.lines(sheet, found), int(sheet is not sheets[0]), None)

    names, most = MOST_LINES.get(wanted.format, (0, None))
    rows = None if most is None else most - names
    files = tuple(_parts(folder / shape.file_name(sheets[-1]), lines(), names, rows))
    is_final = sheets[-1].closed_at is not None
    return Exported(files, counted.count, is_final, tuple(sorted(left_out)))


def _months(wanted: Wanted) -> list[str]:
    if wanted.format in OF_A_YEAR and _YEAR.fullmatch(wanted.period):
        return [f"{wanted.period}-{month:02}" for month in range(1, 13)]
    return [checked_period(wanted.period)]


def _refuse_foreign(name: str, currency: str) -> None:
    """Both want every amount in the currency of the books, and no rate is on record here."""
    if currency != HOME_CURRENCY:
        raise DomainError(
            "currency_without_rate",
            f"A {name} file is kept in {HOME_CURRENCY}; there is no rate for {currency}.",
            hint="csv and jsonl hold every currency.",
        )


def _sheet(
    tx: Transaction,
    month: str,
    book: str | None,
    currency: str | None,
    current: Presentation,
    now: datetime,
) -> Sheet:
    closed = closed_period(tx, month)
    return Sheet(
        period=month,
        book=book,
        currency=currency,
        closed_at=None if closed is None else closed.closed_at,
        made_at=now,
        presentation=current if closed is None else _named(closed.presentation, current),
    )


def _named(closed: Presentation, current: Presentation) -> Presentation:
    """As closed; a SIREN that was not set then is taken from now: it names the file, no more."""
    return closed if closed.siren else replace(closed, siren=current.siren)


class _Counted:
    """Counts what goes by."""

    def __init__(self) -> None:
        self.count = 0

    def through(self, inner: Iterator[Posting]) -> Iterator[Posting]:
        for each in inner:
            self.count += 1
            yield each


def _parts(
    file: Path, lines: Iterator[bytes], name_lines: int, most_rows: int | None
) -> Iterator[Written]:
    """Write one file, and another with the same names for each `most_rows` more."""
    names = list(islice(lines, name_lines))
    part, begin, number = file, [*islice(lines, 1)], 1
    while number == 1 or begin:
        more = islice(lines, None if most_rows is None else most_rows - 1)
        yield Written(part, _write(part, chain(names, begin, more)))
        begin, number = [*islice(lines, 1)], number + 1
        part = file.with_stem(f"{file.stem}_{number}")


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
