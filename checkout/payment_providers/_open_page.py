"""A hosted page whose provider says nothing of it before somebody has paid there.

Its payment is known by what was asked for, until it is known by what the provider calls it. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from checkout.outcomes import Refused
from checkout.payment_providers.port import Payment, PaymentStatus
from kernel.money import Money

ACCOUNT = r"[A-Za-z0-9_-]{3,30}"
_PAGE = re.compile(
    rf"({ACCOUNT})/page/([A-Za-z0-9-]{{1,60}})/([0-9]{{1,12}})([A-Z]{{3}})/([0-9]{{1,12}})/(.{{1,60}})"
)


def checked_account(name: str, provider: str) -> str:
    """A merchant's account there. Refused (`account_unknown`) for what cannot be one."""
    if not re.fullmatch(ACCOUNT, name):
        raise Refused("account_unknown", f"{name} is no account at {provider}.")
    return name


@dataclass(frozen=True, slots=True)
class Page:
    """A hosted page, and what was asked for there. `until` in Unix seconds."""

    account: str
    hosted_id: str
    amount: Money
    until: int
    reference: str

    @property
    def id(self) -> str:
        """The id of its payment as long as nobody has paid."""
        amount = f"{self.amount.minor}{self.amount.currency}"
        return f"{self.account}/page/{self.hosted_id}/{amount}/{self.until}/{self.reference}"

    def payment(self, status: PaymentStatus, pay_url: str = "") -> Payment:
        """Its payment, where nothing is authorised."""
        nothing = Money(0, self.amount.currency)
        return Payment(
            id=self.id,
            reference=self.reference,
            merchant_account=self.account,
            status=status,
            amount=self.amount,
            captured=nothing,
            refunded=nothing,
            pay_url=pay_url,
            capture_before=None,
            decline_code=None,
        )


def page_of(payment_id: str) -> Page | None:
    """The page of a payment's id; None for any other text."""
    page = _PAGE.fullmatch(payment_id)
    if page is None:
        return None
    return Page(page[1], page[2], Money(int(page[3]), page[4]), int(page[5]), page[6])
