"""Price limits in words: `moins de 400 €`, `unter 400 Euro`, `between $50 and $80`. Pure.

Words that also limit other things (`bis`, `max`, `jusqu'à`) need a currency behind the number; the
clear ones (`unter`, `moins de`, `under`) may also end the question. A foreign currency is no limit.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from indexer.folding import fold

_AMOUNT = r"(\d{1,3}(?:[ .,'\u00a0\u202f]\d{3})+(?:[.,]\d{1,2})?|\d{1,7}(?:[.,]\d{1,2})?)"
_CURRENCIES = {
    "EUR": r"€|eur\b|euros?\b",
    "USD": r"\$|usd\b|dollars?\b",
    "GBP": r"£|gbp\b|pounds?\b",
    "CHF": r"chf\b|francs?\b|franken\b",
}
_CLEAR = (
    "a moins de", "moins de", "moins que", "en dessous de", "inferieur a", "unter", "weniger als",
    "gunstiger als", "billiger als", "under", "below", "less than", "cheaper than",
)  # fmt: skip
_AMBIGUOUS = (
    "jusqu'a", "jusqu a", "au plus", "maximum", "maximal", "maxi", "max.", "max", "sous", "bis zu",
    "bis", "hochstens", "up to", "at most", "no more than",
)  # fmt: skip
_FLOORS = (
    "plus de", "a partir de", "superieur a", "au moins", "uber", "mehr als", "ab", "mindestens",
    "over", "above", "more than", "from", "at least",
)  # fmt: skip
_BETWEEN = r"(?:entre|zwischen|between)"
_AND = r"(?:et|und|and|bis|to|a|-)"
_PRICE = r"(?:(?:prix|preis|price|pour|fur|for|zum preis von)\s+)?"

Minor = Callable[[str], int | None]
"""Text of an amount -> minor units."""


@dataclass(frozen=True, slots=True)
class PriceLimits:
    """Totals in minor units, and where the words stand that say so (half-open, in the text)."""

    low: int | None
    high: int | None
    start: int
    end: int


def price_limits(text: str, currency: str, minor: Minor) -> PriceLimits | None:
    """The first limit that a text states in this currency."""
    folded, origin = _folded(text)
    for kind, pattern in _patterns(currency):
        match = pattern.search(folded)
        if match is None:
            continue
        amounts = [minor(group) for group in match.groups() if group]
        if any(amount is None for amount in amounts):
            continue
        low = amounts[0] if kind in ("between", "floor") else None
        high = amounts[-1] if kind != "floor" else None
        if low is not None and high is not None and low > high:
            continue
        return PriceLimits(low, high, origin[match.start()], origin[match.end() - 1] + 1)
    return None


@lru_cache(maxsize=16)
def _patterns(currency: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    sign = f"(?:{_CURRENCIES.get(currency, re.escape(currency.lower()) + chr(92) + 'b')})"
    money = rf"(?:{sign}\s?)?{_AMOUNT}\s?{sign}"
    before = rf"{sign}\s?{_AMOUNT}"
    either = f"(?:{money}|{before})"
    any_amount = rf"(?:{sign}\s?)?{_AMOUNT}(?:\s?{sign})?"

    def after(words: tuple[str, ...]) -> str:
        return rf"(?<!\w){_PRICE}(?:{'|'.join(re.escape(word) for word in words)})\s+"

    return tuple(
        (kind, re.compile(pattern))
        for kind, pattern in (
            ("between", rf"(?<!\w){_PRICE}{_BETWEEN}\s+{any_amount}\s+{_AND}\s+{either}"),
            ("between", rf"(?<!\w){_PRICE}{_BETWEEN}\s+{any_amount}\s+{_AND}\s+{_AMOUNT}\s*$"),
            ("between", rf"(?<![\w.,-]){any_amount}\s?-\s?{either}"),
            ("ceiling", after((*_CLEAR, *_AMBIGUOUS)) + either),
            ("ceiling", after(_CLEAR) + rf"{_AMOUNT}\s*$"),
            ("floor", after(_FLOORS) + either),
        )
    )


def _folded(text: str) -> tuple[str, list[int]]:
    """The folded text, and for each of its letters the place it comes from."""
    letters: list[str] = []
    origin: list[int] = []
    for place, letter in enumerate(text):
        for each in fold(letter):
            letters.append(each)
            origin.append(place)
    return "".join(letters), origin
