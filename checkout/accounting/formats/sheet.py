"""What every format writes with: the month, the book, cells that no spreadsheet runs. Pure."""

from __future__ import annotations

import calendar
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime

from checkout.accounting.books import Posting
from checkout.accounting.presentation import Presentation
from checkout.orders import PIECE_CHARACTERS
from kernel.money import Money

_STARTS = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One export. `closed_at` None: the month is open, and what is written is provisional."""

    period: str
    book: str | None
    currency: str | None
    closed_at: datetime | None
    made_at: datetime
    presentation: Presentation

    @property
    def first_day(self) -> date:
        """The first day of the month."""
        return date.fromisoformat(f"{self.period}-01")

    @property
    def last_day(self) -> date:
        """The last day of the month."""
        first = self.first_day
        return first.replace(day=calendar.monthrange(first.year, first.month)[1])

    def day_of(self, posting: Posting) -> date:
        """The day it is booked on: its own, or the first of the month that it had to move to."""
        return max(posting.occurred_at.astimezone(UTC).date(), self.first_day)


def cell(text: str) -> str:
    """A text on one line that no spreadsheet takes for a formula."""
    shown = "".join(
        " " if unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp") else character
        for character in text
    ).strip()
    return f"'{shown}" if shown[:1] in _STARTS else shown


def decimal(minor: int, currency: str, mark: str) -> str:
    """An amount that is never negative, in major units."""
    return Money(minor, currency).plain().replace(".", mark)


def piece(posting: Posting) -> str:
    """The order, by as much of its reference as tells orders apart; columns are narrow."""
    return posting.order_ref[:PIECE_CHARACTERS]


def described(posting: Posting) -> str:
    """What happened, in a few words."""
    return f"{posting.kind} {posting.merchant_id}"
