"""Formats of an export: a module here named X is the format X.

Each offers `file_name(sheet)`, and `lines(sheet, postings)`: the bytes of the file, line by line.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from typing import Protocol, cast

from checkout.accounting.books import Posting
from checkout.accounting.formats.sheet import Sheet

NAMES = ("csv", "datev", "fec", "jsonl")
ONE_CURRENCY = frozenset({"datev", "fec"})
"""Formats whose amounts are all in the currency of the books."""
OF_A_YEAR = frozenset({"fec"})
"""Formats that hold a year as well as a month: a line of names, then the entries."""

MOST_LINES = {"datev": (2, 99_999)}
"""Formats whose files have an end: lines of names that each begins with, and lines in all."""


class Format(Protocol):
    """One format."""

    def file_name(self, sheet: Sheet) -> str:
        """What the format wants its file to be called."""
        ...

    def lines(self, sheet: Sheet, postings: Iterable[Posting]) -> Iterator[bytes]:
        """The file, line by line."""
        ...


def format_of(name: str) -> Format:
    """A format by its name. KeyError for one that does not exist."""
    if name not in NAMES:
        raise KeyError(name)
    module = importlib.import_module(f"{__name__}.{'table' if name == 'csv' else name}")
    return cast("Format", module)
