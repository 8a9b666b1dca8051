"""What sessions of UCP and ACP have in common, checked and bounded. Amounts are minor units."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import BaseModel, Field

from checkout.merchant_connectors._checked_answers import Malformed
from checkout.merchant_connectors.port import DeliveryOption
from kernel.money import Money, is_currency

Text = Annotated[str, Field(max_length=2000)]
Identifier = Annotated[str, Field(min_length=1, max_length=300)]
WebAddress = Annotated[str, Field(max_length=2000, pattern=r"^https?://[^\s]+$")]
Minor = Annotated[int, Field(strict=True, ge=-(2**53), le=2**53)]
Price = Annotated[int, Field(strict=True, ge=0, le=2**53)]
Count = Annotated[int, Field(strict=True, ge=0, le=10**6)]


class Total(BaseModel):
    """One entry of a list of totals."""

    type: Text
    amount: Minor


Totals = Annotated[list[Total], Field(max_length=100)]


class AnySession(BaseModel):
    """A checkout session as the merchant has it, in either protocol."""

    id: Identifier
    status: Text
    currency: Annotated[str, Field(max_length=3)]
    totals: Totals
    continue_url: WebAddress | None = None

    @property
    def total(self) -> Money:
        """What the merchant asks."""
        return total_of(self.totals, self.currency)

    @property
    def goods(self) -> Money:
        """The total without delivery, which each way of delivery is added to."""
        delivery = sum(entry.amount for entry in self.totals if entry.type == "fulfillment")
        return money_of(self.total.minor - delivery, self.currency)

    def delivery(self, now: datetime) -> tuple[DeliveryOption, ...]:
        """How all of it can be delivered together."""
        raise NotImplementedError

    def check(self, now: datetime) -> None:
        """Raises Malformed now rather than where nobody expects it."""
        _ = self.goods, self.delivery(now)


def total_of(totals: Sequence[Total], currency: str) -> Money:
    """The one total of a list of totals."""
    amounts = [entry.amount for entry in totals if entry.type == "total"]
    if len(amounts) != 1:
        raise Malformed(f"its totals have {len(amounts)} entries of type total")
    return money_of(amounts[0], currency)


def money_of(minor: int, currency: str) -> Money:
    """An amount as the protocols write it: minor units; ACP spells currencies in small letters."""
    if not is_currency(currency.upper()):
        raise Malformed(f"{currency[:8]!r} is no currency")
    return Money(minor, currency.upper())


def days_until(moment: datetime | None, now: datetime) -> int | None:
    """Whole days from now, rounded; None where nobody says when."""
    if moment is None or moment.tzinfo is None:
        return None
    return max(round((moment - now) / timedelta(days=1)), 0)
