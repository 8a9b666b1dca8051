"""Money: exact, one currency at a time."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import DomainError
from kernel.money import Money, is_currency, minor_digits


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [("12.99", "EUR", 1299), ("1299", "JPY", 1299), ("1.250", "TND", 1250), ("-0.01", "EUR", -1)],
)
def test_major_units_become_minor_units(amount: str, currency: str, minor: int) -> None:
    assert Money.of(Decimal(amount), currency) == Money(minor, currency)
    assert Money(minor, currency).plain() == amount


def test_more_decimals_than_the_currency_has_are_refused_not_rounded() -> None:
    with pytest.raises(DomainError, match="more decimals"):
        Money.of(Decimal("12.999"), "EUR")


def test_computed_amounts_round_half_to_even() -> None:
    assert Money.rounded(Decimal("0.125"), "EUR") == Money(12, "EUR")
    assert Money.rounded(Decimal("0.135"), "EUR") == Money(14, "EUR")


def test_currencies_never_mix() -> None:
    for combine in (Money.__add__, Money.__sub__, Money.__lt__, Money.__le__):
        with pytest.raises(DomainError, match="EUR and USD"):
            combine(Money(1, "EUR"), Money(1, "USD"))


@pytest.mark.parametrize("wrong", [1.0, "1", True, None])
def test_minor_units_are_integers(wrong: object) -> None:
    with pytest.raises(TypeError):
        Money(wrong, "EUR")  # type: ignore[arg-type]


@given(st.integers(-(10**12), 10**12), st.sampled_from(["EUR", "JPY", "TND", "CHF"]))
def test_every_form_reads_back(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    assert Money.from_json(money.as_json()) == money
    assert Money.of(Decimal(money.plain()), currency) == money
    assert money + Money(5, currency) - Money(5, currency) == money


@pytest.mark.parametrize(
    ("code", "known"),
    [
        *(("EUR", True), ("eur", False), ("ZZZ", False), ("€", False), ("EU", False)),
        *(("XOF", True), ("XPF", True), ("XXX", False), ("XTS", False), ("XAU", False)),
    ],
)
def test_currency_codes(code: str, known: bool) -> None:
    assert is_currency(code) is known
    assert minor_digits("EUR") == 2
