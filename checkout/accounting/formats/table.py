"""Export as CSV: UTF-8, commas, a decimal dot, one line an entry. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from checkout.accounting.books import Posting
from checkout.accounting.formats.sheet import Sheet, cell, decimal, piece

_COLUMNS = (
    *("number", "date", "occurred_at", "kind", "order", "merchant", "account"),
    *("debit", "credit", "currency"),
)


def file_name(sheet: Sheet) -> str:
    """`ledger-2026-11.csv`."""
    return f"ledger-{sheet.period}.csv"


def lines(sheet: Sheet, postings: Iterable[Posting]) -> Iterator[bytes]:
    """See `checkout.accounting.formats`."""
    yield _line(_COLUMNS)
    for each in postings:
        yield _line(
            (
                f"{each.number}",
                sheet.day_of(each).isoformat(),
                each.occurred_at.isoformat(),
                cell(each.kind),
                cell(piece(each)),
                cell(each.merchant_id),
                cell(each.account),
                decimal(each.debit, each.currency, "."),
                decimal(each.credit, each.currency, "."),
                each.currency,
            )
        )


def _line(cells: Iterable[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue().encode()
