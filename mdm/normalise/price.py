"""The price grammar: what a merchant wrote -> Money including VAT, or a refusal. Never a guess.

`1.299` may be one euro thirty or thirteen hundred; without a hint it is refused. Every other
notation is read only where it can mean one amount.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from kernel.money import Money, is_currency, minor_digits
from mdm.normalise.refused import RefusedError

MAX_LENGTH = 60
MAX_MAJOR_UNITS = 100_000_000

_SYMBOLS = {
    "€": "EUR", "£": "GBP", "kč": "CZK", "zł": "PLN", "ft": "HUF", "лв": "BGN", "лв.": "BGN",
    "lei": "RON", "fr.": "CHF", "sfr.": "CHF", "fr": "CHF", "₫": "VND", "₽": "RUB", "₺": "TRY",
    "us$": "USD", "eur.": "EUR", "euro": "EUR", "euros": "EUR", "₹": "INR", "₩": "KRW", "₴": "UAH",
}  # fmt: skip
# Symbols that several currencies share are read only as the merchant's own currency.
_SHARED = {
    "$": {"USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN"},
    "kr": {"SEK", "DKK", "NOK", "ISK"},
    "kr.": {"SEK", "DKK", "NOK", "ISK"},
    "¥": {"JPY", "CNY"},
}
_SIDES = re.compile(r"^([^\d.,+\-–—]*)([+\-–—]?[\d.,].*?)([^\d.,\-–—]*)$", re.DOTALL | re.ASCII)
_INFIX = re.compile(r"^(\d{1,6})\s?[€£]\s?(\d{2})$")
_ROUND = re.compile(r"[.,]\s?(?:-{1,2}|[–—])$")
_GROUPED = re.compile(r"^\d{1,3}(?:[ '](?:\d{3}))+(?=$|[.,])")


@dataclass(frozen=True, slots=True)
class PriceContext:
    """How to read one record's amounts. `decimal` is the hint, `currency` the default."""

    currency: str
    decimal: str | None = None


def read_amount(text: str, context: PriceContext) -> tuple[Decimal, str]:
    """(amount in major units, currency) of a stated price or cost; raises RefusedError."""
    shown = text.strip()
    if len(shown) > MAX_LENGTH:
        raise _unread(shown[:MAX_LENGTH])
    plain = unicodedata.normalize("NFKC", shown).replace("’", "'").strip()
    infix = _INFIX.match(plain)
    if infix:
        currency = "EUR" if "€" in plain else "GBP"
        return Decimal(f"{infix[1]}.{infix[2]}"), currency
    sides = _SIDES.match(plain)
    if not sides:
        raise _unread(shown)
    before, number, after = sides[1].strip(), sides[2].strip(), sides[3].strip()
    if before and after:
        raise _unread(shown)
    currency = _currency(before or after, context.currency, shown)
    return _number(number, currency, context.decimal, shown), currency


def read_price(text: str, context: PriceContext) -> Money:
    """A price to be paid for goods: above zero, within reason, exact in its currency."""
    amount, currency = read_amount(text, context)
    if amount == 0:
        raise RefusedError(
            "price_placeholder", "the price is zero", "Leave the offer out until it has a price."
        )
    return _money(amount, currency, text)


def read_cost(text: str, context: PriceContext) -> Money | None:
    """A delivery cost: zero is free; negative (a portal's `unknown`) is None."""
    if text.strip().startswith("-"):
        return None
    amount, currency = read_amount(text, context)
    return _money(amount, currency, text)


def with_tax(net: Money, tax_rate: str | None) -> Money:
    """Gross price of a net price. The rate is `0.19`, `19` or `19 %`."""
    if tax_rate is None:
        raise RefusedError(
            "price_net_without_tax",
            "the price is net and no tax rate is stated",
            "State the tax rate or the price including VAT.",
        )
    text = tax_rate.strip().removesuffix("%").strip().replace(",", ".")
    if not re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,4})?", text):
        raise RefusedError("tax_rate", f"the tax rate {tax_rate[:20]!r} cannot be read")
    rate = Decimal(text)
    # Below 1 a rate is a fraction (0.19) unless a percent sign says otherwise.
    if rate >= 1 or "%" in tax_rate:
        rate /= 100
    if rate > Decimal("0.5"):
        raise RefusedError("tax_rate", f"a tax rate of {tax_rate[:20]!r} is not possible")
    return Money.rounded(net.amount * (1 + rate), net.currency)


def sale_interval(text: str) -> tuple[datetime, datetime]:
    """`start/end` in ISO 8601; times without a zone are UTC. Raises RefusedError."""
    parts = text.strip().split("/")
    try:
        start, end = (instant(part) for part in parts)
    except ValueError:
        raise RefusedError(
            "sale_interval", f"the sale interval {text[:60]!r} cannot be read"
        ) from None
    if end <= start:
        raise RefusedError("sale_interval", "the sale ends before it begins")
    return start, end


def instant(text: str) -> datetime:
    """A moment in ISO 8601; without a zone it is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text.strip())
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _unread(text: str) -> RefusedError:
    return RefusedError(
        "price_unreadable", f"{text!r} is not one price", "Write one amount and its currency."
    )


def _currency(stated: str, default: str, shown: str) -> str:
    if not stated:
        return default
    symbol = stated.lower()
    if symbol in _SYMBOLS:
        return _SYMBOLS[symbol]
    if symbol in _SHARED:
        if default in _SHARED[symbol]:
            return default
        raise RefusedError(
            "currency_ambiguous", f"{shown!r}: several currencies are written {stated!r}"
        )
    if is_currency(stated.upper()):
        return stated.upper()
    raise RefusedError("currency_unknown", f"{stated[:12]!r} is no currency", "Use ISO 4217 codes.")


def _number(text: str, currency: str, hint: str | None, shown: str) -> Decimal:
    is_round = bool(_ROUND.search(text))
    text = _ROUND.sub("", text)
    is_grouped = bool(_GROUPED.match(text))
    if is_grouped:
        text = text.replace(" ", "").replace("'", "")
    if not re.fullmatch(r"(?:\d+(?:[.,]\d+)*|[.,]\d+)", text):
        raise _unread(shown)
    marks = [letter for letter in text if letter in ".,"]
    if not marks:
        return Decimal(text)
    if is_round:
        return Decimal(_without_groups(text, marks[0], shown))
    if len(marks) == 1 and not is_grouped:
        return _one_mark(text, marks[0], currency, hint, shown)
    if is_grouped and len(marks) > 1:
        raise _unread(shown)
    return _many_marks(text, marks, shown, is_grouped=is_grouped)


def _many_marks(text: str, marks: list[str], shown: str, *, is_grouped: bool) -> Decimal:
    if len(set(marks)) == 1 and not is_grouped:
        return Decimal(_without_groups(text, marks[0], shown))
    if marks.count(marks[-1]) != 1:
        raise _unread(shown)
    whole, _, decimals = text.rpartition(marks[-1])
    if len(decimals) == 3 and not is_grouped:
        raise _ambiguous(shown)
    if not is_grouped:
        whole = _without_groups(whole, marks[0], shown)
    return Decimal(f"{whole}.{decimals}")


def _one_mark(text: str, mark: str, currency: str, hint: str | None, shown: str) -> Decimal:
    whole, _, rest = text.partition(mark)
    decimal = Decimal(f"{whole or '0'}.{rest}")
    could_be_group = len(rest) == 3 and 1 <= len(whole) <= 3 and whole[0] != "0"
    if not could_be_group:
        return decimal
    if minor_digits(currency) == 0 or (hint and hint != mark):
        return Decimal(whole + rest)
    if hint != mark:
        raise _ambiguous(shown)
    if minor_digits(currency) != 3:
        # By the hint it is exact and too precise; were the hint wrong it would be a thousandfold.
        raise _too_precise(shown, currency)
    return decimal


def _without_groups(text: str, mark: str, shown: str) -> str:
    if not re.fullmatch(rf"\d{{1,3}}(?:{re.escape(mark)}\d{{3}})*|\d+", text):
        raise _unread(shown)
    return text.replace(mark, "")


def _ambiguous(shown: str) -> RefusedError:
    return RefusedError(
        "price_ambiguous",
        f"{shown!r} can be read in two ways, a thousand times apart",
        "Write two decimals, or state the decimal mark of the feed.",
    )


def _money(amount: Decimal, currency: str, shown: str) -> Money:
    if amount > MAX_MAJOR_UNITS:
        raise RefusedError("price_out_of_range", f"{shown[:MAX_LENGTH]!r} is beyond any price here")
    minor = amount.scaleb(minor_digits(currency))
    if minor != minor.to_integral_value():
        raise _too_precise(shown, currency)
    return Money(int(minor), currency)


def _too_precise(shown: str, currency: str) -> RefusedError:
    digits = minor_digits(currency)
    return RefusedError(
        "price_too_precise",
        f"{shown[:MAX_LENGTH]!r} has more decimals than {currency} allows",
        f"Write {digits} decimals." if digits else "Write no decimals.",
    )
