"""The price grammar: what it reads, what it refuses, and that it is never wrong by a thousand."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.money import Money
from mdm.normalise.asking_price import asking_price
from mdm.normalise.price import PriceContext, read_amount, read_cost, read_price, with_tax
from mdm.normalise.refused import RefusedError
from mdm.raw_offer import RawOffer

EURO = PriceContext("EUR")
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "decimal", "minor", "currency"),
    [
        ("1.299,00", None, 129900, "EUR"),
        ("1.299,00", ",", 129900, "EUR"),
        ("15.0 EUR", None, 1500, "EUR"),
        ("8,70 EUR", None, 870, "EUR"),
        ("€1,299.00", None, 129900, "EUR"),
        ("1 299,00 €", None, 129900, "EUR"),
        ("1\u00a0299,00 €", None, 129900, "EUR"),
        ("1\u202f299,00 €", None, 129900, "EUR"),
        ("2.490,- Kč", None, 249000, "CZK"),
        ("CHF 1'299.50", None, 129950, "CHF"),
        ("1’299.–", None, 129900, "EUR"),
        ("19€99", None, 1999, "EUR"),
        ("1.234.567,89 zł", None, 123456789, "PLN"),
        ("16400000 VND", None, 16400000, "VND"),
        ("16.400.000 VND", None, 16400000, "VND"),
        ("1,299 JPY", None, 1299, "JPY"),
        ("1.299", ",", 129900, "EUR"),
        ("1,299", ".", 129900, "EUR"),
        ("8,70", ".", 870, "EUR"),
        ("1299.000", None, 129900, "EUR"),
        ("15.0000", ".", 1500, "EUR"),
        ("1.500 TND", ".", 1500, "TND"),
        (".99", None, 99, "EUR"),
        ("0.500 TND", None, 500, "TND"),
        ("12", None, 1200, "EUR"),
        ("12 euros", None, 1200, "EUR"),
    ],
)
def test_prices_that_mean_one_amount(
    text: str, decimal: str | None, minor: int, currency: str
) -> None:
    assert read_price(text, PriceContext("EUR", decimal)) == Money(minor, currency)


@pytest.mark.parametrize(
    ("text", "decimal", "code"),
    [
        ("1.299", None, "price_ambiguous"),
        ("1,299", None, "price_ambiguous"),
        ("12.345", None, "price_ambiguous"),
        ("1.299", ".", "price_too_precise"),
        ("15.000 EUR", ".", "price_too_precise"),
        ("1,299.000", None, "price_ambiguous"),
        ("3 × 19,99 €", None, "price_unreadable"),
        ("statt 99,- nur 79,-", None, "currency_unknown"),
        ("10 - 20", None, "price_unreadable"),
        ("1.2.3", None, "price_unreadable"),
        ("1 2", None, "price_unreadable"),
        ("1e5", None, "price_unreadable"),
        ("-5", None, "price_unreadable"),
        ("NaN", None, "price_unreadable"),
        ("٣", None, "price_unreadable"),
        ("9" * 80, None, "price_unreadable"),
        ("999999999999", None, "price_out_of_range"),
        ("0", None, "price_placeholder"),
        ("0,00 €", None, "price_placeholder"),
        ("12.3456", ".", "price_too_precise"),
        ("5 kr", None, "currency_ambiguous"),
        ("$5", None, "currency_ambiguous"),
        ("5 QQQ", None, "currency_unknown"),
    ],
)
def test_prices_that_are_refused(text: str, decimal: str | None, code: str) -> None:
    with pytest.raises(RefusedError) as refused:
        read_price(text, PriceContext("EUR", decimal))
    assert refused.value.code == code
    assert refused.value.reason


def test_a_shared_symbol_is_the_merchants_own_currency() -> None:
    assert read_price("$5.00", PriceContext("CAD")) == Money(500, "CAD")
    assert read_price("49 kr", PriceContext("SEK")) == Money(4900, "SEK")


def _grouped(whole: int, mark: str) -> str:
    return f"{whole:,}".replace(",", mark)


@given(
    whole=st.integers(0, 9_999_999),
    cents=st.integers(0, 99),
    marks=st.sampled_from([(".", ","), (",", "."), (" ", ","), ("'", "."), ("", "."), ("", ",")]),
    hint=st.sampled_from([None, ".", ","]),
)
def test_two_decimals_are_read_exactly_under_any_hint(
    whole: int, cents: int, marks: tuple[str, str], hint: str | None
) -> None:
    text = f"{_grouped(whole, marks[0])}{marks[1]}{cents:02d}"
    amount, _ = read_amount(text, PriceContext("EUR", hint))
    assert amount == Decimal(whole) + Decimal(cents) / 100


@given(st.text(alphabet="0123456789.,' -€$EURx+eE\u00a0", max_size=20))
def test_no_text_is_read_as_anything_but_its_own_digits(text: str) -> None:
    try:
        amount, _ = read_amount(text, EURO)
    except RefusedError:
        return
    stated = "".join(letter for letter in text if letter.isdigit()).lstrip("0")
    read = f"{amount:f}".replace(".", "").lstrip("0")
    assert read.rstrip("0") == stated.rstrip("0")


@given(whole=st.integers(1, 999), group=st.integers(0, 999), mark=st.sampled_from(".,"))
def test_a_thousand_is_never_guessed(whole: int, group: int, mark: str) -> None:
    with pytest.raises(RefusedError, match="two ways"):
        read_amount(f"{whole}{mark}{group:03d}", EURO)


def test_delivery_costs() -> None:
    assert read_cost("0", EURO) == Money(0, "EUR")
    assert read_cost("-1", EURO) is None
    assert read_cost("4,90 €", EURO) == Money(490, "EUR")


@pytest.mark.parametrize("rate", ["0.19", "19", "19%", "19 %", "19,0", "0,19"])
def test_net_prices_become_gross(rate: str) -> None:
    assert with_tax(Money(10000, "EUR"), rate) == Money(11900, "EUR")


@pytest.mark.parametrize(
    ("rate", "code"),
    [
        (None, "price_net_without_tax"),
        ("much", "tax_rate"),
        ("-19", "tax_rate"),
        ("99", "tax_rate"),
    ],
)
def test_net_prices_without_a_possible_rate_are_refused(rate: str | None, code: str) -> None:
    with pytest.raises(RefusedError) as refused:
        with_tax(Money(10000, "EUR"), rate)
    assert refused.value.code == code


def _ask(price: str | None, optional: bool = False, **stated: object) -> object:
    raw = RawOffer("1", "Thing", price, **stated)  # type: ignore[arg-type]
    return asking_price(raw, currency="EUR", decimal=".", optional=optional, now=NOW)


@pytest.mark.parametrize(
    ("interval", "minor", "revisit"),
    [
        (None, 800, None),
        ("2026-11-01T13:00+0100/2026-11-30T15:30+0100", 800, "2026-11-30T14:30:00+00:00"),
        ("2026-12-01/2026-12-24", 1000, "2026-12-01T00:00:00+00:00"),
        ("2026-10-01/2026-10-24", 1000, None),
        ("soon/later", 1000, None),
        ("2026-12-24/2026-12-01", 1000, None),
    ],
)
def test_sale_prices_count_in_their_interval(
    interval: str | None, minor: int, revisit: str | None
) -> None:
    asking = _ask("10.00", sale_price="8.00", sale_interval=interval)
    assert asking.price == Money(minor, "EUR")  # type: ignore[attr-defined]
    at = asking.revisit_at  # type: ignore[attr-defined]
    assert (at.astimezone(UTC).isoformat() if at else None) == revisit


def test_a_sale_that_is_not_lower_is_left_out() -> None:
    asking = _ask("10.00", sale_price="12.00")
    assert asking.price == Money(1000, "EUR")  # type: ignore[attr-defined]
    assert asking.notes == ("sale_left_out:not_lower",)  # type: ignore[attr-defined]


def test_missing_prices_are_for_sources_that_have_none() -> None:
    assert _ask(None, optional=True).price is None  # type: ignore[attr-defined]
    with pytest.raises(RefusedError) as refused:
        _ask(None)
    assert refused.value.code == "price_missing"
    with pytest.raises(RefusedError):
        _ask("on request", optional=True)


def test_a_price_of_one_is_flagged_and_currencies_must_agree() -> None:
    assert _ask("1.00").notes == ("placeholder_price",)  # type: ignore[attr-defined]
    with pytest.raises(RefusedError) as refused:
        _ask("10.00 USD", currency="EUR")
    assert refused.value.code == "currency_conflict"
