"""Export as JSON, one entry a line, amounts in minor units. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from checkout.accounting.books import Posting
from checkout.accounting.formats.sheet import Sheet, piece


def file_name(sheet: Sheet) -> str:
    """`ledger-2026-11.jsonl`."""
    return f"ledger-{sheet.period}.jsonl"


def lines(sheet: Sheet, postings: Iterable[Posting]) -> Iterator[bytes]:
    """See `checkout.accounting.formats`."""
    for each in postings:
        entry = {
            "number": each.number,
            "date": sheet.day_of(each).isoformat(),
            "occurred_at": each.occurred_at.isoformat(),
            "kind": each.kind,
            "order": piece(each),
            "merchant": each.merchant_id,
            "account": each.account,
            "debit_minor": each.debit,
            "credit_minor": each.credit,
            "currency": each.currency,
        }
        yield json.dumps(entry, ensure_ascii=False).encode() + b"\n"
