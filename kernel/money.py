"""Money: an integer count of minor units and an ISO 4217 currency. Never a float.

Arithmetic across currencies is an error, not a conversion.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Any

from kernel.errors import DomainError


@lru_cache(maxsize=512)
def minor_digits(currency: str) -> int:
    """Decimal places of a currency by CLDR (EUR 2, JPY 0, TND 3)."""
    from babel.numbers import get_currency_precision

    return int(get_currency_precision(currency))


# Codes of the standard that begin with X and are paid with; the others are metals, funds, tests.
_PAID_WITH = frozenset(("XAF", "XCD", "XCG", "XOF", "XPF"))


@lru_cache(maxsize=512)
def is_currency(code: str) -> bool:
    """True for an ISO 4217 code that CLDR knows and that somebody can pay with."""
    from babel.numbers import is_currency as known

    if len(code) != 3 or not code.isascii() or not code.isupper():
        return False
    return bool(known(code)) and (code[0] != "X" or code in _PAID_WITH)


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """`Money(129900, "EUR")` is 1 299.00 euros."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if isinstance(self.minor, bool) or not isinstance(self.minor, int):
            raise TypeError(f"minor units are an integer, not {self.minor!r}")

    @classmethod
    def of(cls, amount: Decimal, currency: str) -> Money:
        """From major units. More decimals than the currency has are refused, not rounded."""
        minor = amount.scaleb(minor_digits(currency))
        if minor != minor.to_integral_value():
            raise DomainError(
                "amount_too_precise", f"{amount} has more decimals than {currency} allows"
            )
        return cls(int(minor), currency)

    @classmethod
    def rounded(cls, amount: Decimal, currency: str) -> Money:
        """From major units, rounded half to even: for computed amounts such as added tax."""
        minor = amount.scaleb(minor_digits(currency)).to_integral_value(rounding=ROUND_HALF_EVEN)
        return cls(int(minor), currency)

    @property
    def amount(self) -> Decimal:
        """Major units, exact."""
        return Decimal(self.minor).scaleb(-minor_digits(self.currency))

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise DomainError(
                "currency_mismatch", f"{self.currency} and {other.currency} cannot be combined"
            )

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __mul__(self, quantity: int) -> Money:
        return Money(self.minor * quantity, self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.minor < other.minor

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.minor <= other.minor

    def plain(self) -> str:
        """Dot decimal for wires and logs: `1299.00`."""
        return f"{self.amount:.{minor_digits(self.currency)}f}"

    def __str__(self) -> str:
        return f"{self.plain()} {self.currency}"

    def as_json(self) -> dict[str, Any]:
        """The public JSON form: `{"minor": 129900, "currency": "EUR"}`."""
        return {"minor": self.minor, "currency": self.currency}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Money:
        """Inverse of `as_json`."""
        return cls(value["minor"], value["currency"])
