"""Judgements: query -> document -> gain, from the three published forms.

Chorus: CSV `query,docid,rating` (0 to 3). WANDS: two tab-separated files, `query_id query class`
and `id query_id product_id label` (Exact 2, Partial 1, Irrelevant 0). ESCI: CSV `query,product_id,
esci_label` (Exact 100, Substitute 10, Complement 1, Irrelevant 0, as its authors weigh them).
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from kernel.errors import DomainError

Judgements = dict[str, dict[str, int]]
WANDS_GAINS: Mapping[str, int] = {"exact": 2, "partial": 1, "irrelevant": 0}
ESCI_GAINS: Mapping[str, int] = {
    "e": 100, "exact": 100, "s": 10, "substitute": 10, "c": 1, "complement": 1,
    "i": 0, "irrelevant": 0,
}  # fmt: skip
MAX_ROWS = 5_000_000
_RATINGS = frozenset("0123")


def read_judgements(path: Path, queries: Path | None = None) -> Judgements:
    """Read a file of any of the forms, told by its columns; `queries` are those of WANDS."""
    rows = _rows(path)
    first = next(rows, None)
    if first is None:
        raise _unreadable(path, "it has no rows")
    every = _again(first, rows)
    if {"query", "docid", "rating"} <= first.keys():
        return _chorus(path, every)
    if {"query", "product_id", "esci_label"} <= first.keys():
        return _esci(path, every)
    if {"query_id", "product_id", "label"} <= first.keys():
        return _wands(path, every, queries)
    raise _unreadable(path, f"its columns {', '.join(first)} are none of the known forms")


def _chorus(path: Path, rows: Iterable[Mapping[str, str]]) -> Judgements:
    found: Judgements = defaultdict(dict)
    for row in rows:
        rating = row["rating"].strip()
        if rating not in _RATINGS:
            raise _unreadable(path, f"{row['query']!r}: the rating {rating!r} is not 0 to 3")
        found[row["query"]][row["docid"]] = int(rating)
    return dict(found)


def _esci(path: Path, rows: Iterable[Mapping[str, str]]) -> Judgements:
    found: Judgements = defaultdict(dict)
    for row in rows:
        found[row["query"]][row["product_id"]] = _gain(path, row["esci_label"], ESCI_GAINS)
    return dict(found)


def _wands(path: Path, rows: Iterable[Mapping[str, str]], queries: Path | None) -> Judgements:
    if queries is None:
        raise _unreadable(path, "the judgements of WANDS need its file of queries")
    texts = {row["query_id"]: row["query"] for row in _rows(queries)}
    found: Judgements = defaultdict(dict)
    for row in rows:
        if row["query_id"] not in texts:
            raise _unreadable(queries, f"query {row['query_id']} is missing")
        found[texts[row["query_id"]]][row["product_id"]] = _gain(path, row["label"], WANDS_GAINS)
    return dict(found)


def _gain(path: Path, label: str, gains: Mapping[str, int]) -> int:
    try:
        return gains[label.strip().lower()]
    except KeyError:
        raise _unreadable(path, f"the label {label!r} is unknown") from None


def _rows(path: Path) -> Iterator[dict[str, str]]:
    """Rows by column, whatever the separator; a byte order mark is skipped."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            head = stream.readline()
            stream.seek(0)
            separator = "\t" if "\t" in head else ","
            for number, row in enumerate(csv.DictReader(stream, delimiter=separator)):
                if number >= MAX_ROWS:
                    raise _unreadable(path, f"it has more than {MAX_ROWS} rows")
                yield {name: value or "" for name, value in row.items() if name}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _unreadable(path, str(error)) from error


def _again(first: dict[str, str], rest: Iterator[dict[str, str]]) -> Iterator[dict[str, str]]:
    yield first
    yield from rest


def _unreadable(path: Path, reason: str) -> DomainError:
    return DomainError(
        "judgements_unreadable",
        f"{path.name}: {reason}",
        hint="Columns: query,docid,rating (0-3); or those of WANDS or ESCI.",
    )
