"""Entries of a month as exports are made of them; the golden files hold the same."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from checkout.accounting.books import Posting
from checkout.accounting.formats.sheet import Sheet
from checkout.accounting.presentation import current_presentation
from kernel.settings import Settings

SHOWN = current_presentation(Settings(accounts_siren="123456789"))
GOLDEN = Path(__file__).parent / "golden_exports"


def posting(number: int, account: str, amount: int, **others: object) -> Posting:
    """An entry of a commission."""
    role, _, party = account.partition(":")
    values: dict[str, object] = {
        "number": number,
        "transaction_id": f"led_{number}",
        "period": "2026-11",
        "occurred_at": datetime(2026, 11, 3 + number, 9, 30, tzinfo=UTC),
        "kind": "commission",
        "order_ref": f"ord_{number}",
        "merchant_id": "norden",
        "account": f"platform:{account}",
        "role": role,
        "party": party,
        "debit": max(amount, 0),
        "credit": max(-amount, 0),
        "currency": "EUR",
    }
    return Posting(**{**values, **others})  # type: ignore[arg-type]


def entries() -> list[Posting]:
    """Two commissions; the second came too late for its own month, under a name of its own."""
    hostile = {"merchant_id": "=cmd|calc", "party": "=cmd|calc"}
    early = {"occurred_at": datetime(2026, 10, 31, 23, 0, tzinfo=UTC)}
    return [
        posting(1, "commission_receivable:norden", 12060),
        posting(1, "commission_income", -10050),
        posting(1, "vat_collected:FR", -2010),
        posting(2, "commission_receivable:x", 500, **hostile, **early),
        posting(2, "commission_income", -500, **early),
    ]


def sheet(closed: bool = True) -> Sheet:
    """November, closed in December."""
    when = datetime(2026, 12, 2, 8, 0, 0, 123000, tzinfo=UTC)
    return Sheet("2026-11", "platform", "EUR", when if closed else None, when, SHOWN)
