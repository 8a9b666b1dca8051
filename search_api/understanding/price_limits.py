"""Price limits in words: `moins de 400 €`, `unter 400 Euro`, `between $50 and $80`, `50 € max`.

Words that also limit other things (`bis`, `max`, `jusqu'à`, `<`) need a currency at the number; the
clear ones (`unter`, `moins de`, `under`) may also end the question. An amount of money that no
word limits (`Handy 300 €`) is about what the thing may cost. A foreign currency is no limit. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from indexer.folding import fold

_AMOUNT = r"(\d{1,3}(?:[ .,'\u00a0\u202f]\d{3})+(?:[.,]\d{1,2})?|\d{1,7}(?:[.,]\d{1,2})?)"
_CURRENCIES = {
    "EUR": r"€|eur\b|euros?\b|,-(?!\w)",
    "USD": r"\$|usd\b|dollars?\b",
    "GBP": r"£|gbp\b|pounds?\b",
    "CHF": r"chf\b|francs?\b|franken\b|\.-(?!\w)",
}
BELOW = (
    "a moins de", "moins de", "moins que", "en dessous de", "en-dessous de", "au-dessous de",
    "inferieur a", "unter", "weniger als", "under", "below", "less than",
)  # fmt: skip
"""Ceilings that leave the amount itself out, where that matters."""
_CLEAR = (
    *BELOW, "moins cher que", "moins chere que", "pas plus cher que", "pas plus chere que",
    "nicht teurer als", "not more expensive than", "no more expensive than", "gunstiger als",
    "billiger als", "cheaper than",
)  # fmt: skip
_AMBIGUOUS = (
    "jusqu'a", "jusqu a", "au plus", "pas plus de", "ne depassant pas", "maximum", "maximal",
    "maxi", "max.", "max", "sous les", "sous", "budget de", "budget", "bis zu", "bis", "hochstens",
    "nicht mehr als", "nicht uber", "up to", "at most", "no more than", "not more than", "not over",
)  # fmt: skip
CEILINGS = (*_CLEAR, *_AMBIGUOUS)
ABOVE = ("plus de", "superieur a", "uber", "mehr als", "over", "above", "more than")
FLOORS = (
    *ABOVE, "a partir de", "au moins", "pas moins de", "ab",
    "plus cher que", "plus chere que", "teurer als", "more expensive than",
    "mindestens", "nicht unter", "nicht weniger als", "from",
    "at least", "no less than", "not less than", "not under",
)  # fmt: skip
_NEARLY = (
    "autour de", "environ", "aux alentours de", "dans les", "rund", "etwa", "circa", "ca.",
    "um die", "around", "about", "roughly",
)  # fmt: skip
_NEAR_PERCENT = 20
"""How far from the amount the price may be where it was said to be about that."""
MOST_AFTER = (
    "max", "maxi", "maximum", "maximal", "ou moins", "et moins", "au plus", "oder weniger",
    "oder gunstiger", "hochstens", "or less", "or under", "or below", "at most",
)  # fmt: skip
LEAST_AFTER = (
    "min", "mini", "minimum", "minimal", "ou plus", "et plus", "au moins", "oder mehr",
    "mindestens", "or more", "and up", "at least",
)  # fmt: skip
NEGATED = r"(?<!\bpas )(?<!\bnicht )(?<!\bnot )(?<!\bno )"
"""`pas plus de` is a limit above: the words after the denial say the opposite of themselves."""
BETWEEN = r"(?:entre|zwischen|between)"
AND = r"(?:et|und|and|bis|to|a|-)"
_NO_RANGE = r"(?<!\bet )(?<!\bund )(?<!\band )(?<!\bbis )(?<!\bto )"
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
    if not any(char.isdigit() for char in text):
        return None
    folded, origin = folded_with_places(text)
    for kind, pattern in _patterns(currency):
        match = pattern.search(folded)
        if match is None:
            continue
        amounts = [minor(group) for group in match.groups() if group]
        limits = _limits(kind, [amount for amount in amounts if amount is not None])
        if limits is not None:
            return PriceLimits(*limits, origin[match.start()], origin[match.end() - 1] + 1)
    return None


def _limits(kind: str, amounts: list[int]) -> tuple[int | None, int | None] | None:
    """(low, high) of one or two amounts; None where they make no sense together."""
    if not amounts:
        return None
    first, last = amounts[0], amounts[-1]
    if kind == "ceiling":
        return None, last
    if kind == "floor":
        return first, None
    if kind == "nearly":
        margin = first * _NEAR_PERCENT // 100
        return first - margin, first + margin
    if len(amounts) < 2 or first > last:
        return None
    # `iphone 15 bis 400 €` names no lowest price: a range that only `bis` makes is a narrow one.
    return (first, last) if kind == "between" or 5 * first >= last else None


@lru_cache(maxsize=16)
def _patterns(currency: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((kind, re.compile(pattern)) for kind, pattern in _written(currency))


def _written(currency: str) -> Iterator[tuple[str, str]]:
    """Kind and pattern; what says more comes first."""
    sign = f"(?:{_CURRENCIES.get(currency, re.escape(currency.lower()) + chr(92) + 'b')})"
    money = rf"(?:{sign}\s?)?{_AMOUNT}\s?{sign}"
    before = rf"{sign}\s?{_AMOUNT}"
    either = f"(?:{money}|{before})"
    any_amount = rf"(?:{sign}\s?)?{_AMOUNT}(?:\s?{sign})?"

    def after(words: tuple[str, ...]) -> str:
        return rf"(?<!\w){NEGATED}{_PRICE}{one_of(words)}\s+"

    yield "between", rf"(?<!\w){_PRICE}{BETWEEN}\s+{any_amount}\s+{AND}\s+{either}"
    yield "between", rf"(?<!\w){_PRICE}{BETWEEN}\s+{any_amount}\s+{AND}\s+{_AMOUNT}\s*$"
    yield "between", rf"(?<![\w.,-]){any_amount}\s?-\s?{either}"
    yield "between", rf"(?<!\w)(?:de|von|from)\s+{any_amount}\s+(?:a|bis|to)\s+{either}"
    yield "narrow", rf"(?<![\w.,-]){any_amount}\s+(?:a|bis|to)\s+{either}"
    yield "ceiling", after(CEILINGS) + either
    yield "ceiling", after(_CLEAR) + rf"{_AMOUNT}\s*$"
    yield "ceiling", rf"(?:<=|<|≤)\s?{either}"
    yield "ceiling", rf"(?<![\w.,-])(?:a\s+)?{either}\s?{one_of(MOST_AFTER)}(?!\w)"
    yield "floor", after(FLOORS) + either
    yield "floor", rf"(?:>=|>|≥)\s?{either}"
    yield "floor", rf"(?<![\w.,-])(?:a\s+)?{either}\s?{one_of(LEAST_AFTER)}(?!\w)"
    yield "nearly", after(_NEARLY) + either
    # A price beside a thing (`Handy 300 €`) is about what it may cost; alone it is no limit.
    yield "nearly", rf"{_NO_RANGE}(?<=\w )(?:(?:a|pour|fur|um|for|at)\s+)?{either}(?![\w-])"
    yield "nearly", rf"^{either}(?=\s+[a-z]{{3}})"


def one_of(words: tuple[str, ...]) -> str:
    """A pattern of any of these words (folded)."""
    return f"(?:{'|'.join(re.escape(word) for word in words)})"


def folded_with_places(text: str) -> tuple[str, list[int]]:
    """The folded text, and for each of its letters the place it comes from."""
    letters: list[str] = []
    origin: list[int] = []
    for place, letter in enumerate(text):
        for each in fold(letter):
            letters.append(each)
            origin.append(place)
    return "".join(letters), origin
