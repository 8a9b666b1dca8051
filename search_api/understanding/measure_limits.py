"""Limits of a measure in words: `au moins 8 kg`, `unter 2 kg`, `between 40 and 50 inches`.

Such a question asks for every value within the limits, not for the number itself, which `unter`
and `more than` leave out. In: a question. Out: the limits in one unit of each kind (grams,
millilitres), and where the words stand. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from indexer.analysis import is_measure, plain_measure
from search_api.understanding.price_limits import (
    ABOVE,
    AND,
    BELOW,
    BETWEEN,
    CEILINGS,
    FLOORS,
    LEAST_AFTER,
    MOST_AFTER,
    NEGATED,
    folded_with_places,
    one_of,
)

# `pro max 256 gb` and `ipad 64 gb mini` are names: neither word limits a measure.
_NAMES = frozenset({"max", "maxi", "mini", "min", "budget", "budget de", "sous", "sous les"})
_LESS = (
    "plus leger que", "plus legere que", "plus petit que", "plus petite que", "leichter als",
    "kleiner als", "schmaler als", "niedriger als", "leiser als", "lighter than", "smaller than",
    "narrower than", "quieter than",
)  # fmt: skip
_MORE = (
    "plus grand que", "plus grande que", "grosser als", "breiter als", "bigger than",
    "larger than", "wider than", "plus haut que", "plus haute que", "hoher als", "higher than",
    "taller than",
)  # fmt: skip
_NUMBER = r"(\d{1,6}(?:[.,]\d{1,3})?)"
_UNIT = r"\s?(\"|''|-?[a-z]+)(?!\w)"
_ANY_UNIT = r"(?:\s?(?:\"|''|[a-z]{1,11}))?"
_BASE = {
    "g": (1.0, "g"), "kg": (1_000.0, "g"), "mg": (0.001, "g"),
    "ml": (1.0, "ml"), "cl": (10.0, "ml"), "l": (1_000.0, "ml"),
    "mm": (1.0, "mm"), "cm": (10.0, "mm"), "m": (1_000.0, "mm"), "km": (1_000_000.0, "mm"),
    "mb": (1.0, "mb"), "gb": (1_000.0, "mb"), "tb": (1_000_000.0, "mb"),
    "w": (1.0, "w"), "kw": (1_000.0, "w"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class MeasureLimits:
    """Amounts in `unit`, and where the words stand (half-open, in the text)."""

    low: float | None
    high: float | None
    with_ends: bool
    unit: str
    start: int
    end: int

    def allows(self, measure: str) -> bool:
        """Whether a measure (`1.5kg`) is of this kind and within."""
        read = amount_of(measure)
        if read is None or read[1] != self.unit:
            return False
        if read[0] in {self.low, self.high}:
            return self.with_ends
        return (self.low is None or read[0] > self.low) and (
            self.high is None or read[0] < self.high
        )


def amount_of(measure: str) -> tuple[float, str] | None:
    """`1.5kg` -> 1500 grams; None for what is no measure."""
    if not is_measure(measure):
        return None
    digits = measure.rstrip("abcdefghijklmnopqrstuvwxyz")
    factor, unit = _BASE.get(measure[len(digits) :], (1.0, measure[len(digits) :]))
    return float(digits) * factor, unit


def measure_limits(text: str, language: str) -> MeasureLimits | None:
    """The first limit of a measure that a text states."""
    if not any(char.isdigit() for char in text):
        return None
    folded, places = folded_with_places(text)
    for kind, pattern in _patterns():
        for match in pattern.finditer(folded):
            limits = _read(kind, match, language)
            if limits is not None:
                start, end = places[match.start()], places[match.end() - 1] + 1
                return MeasureLimits(*limits, start, end)
    return None


def _read(
    kind: str, match: re.Match[str], language: str
) -> tuple[float | None, float | None, bool, str] | None:
    *numbers, unit = match.groups()
    found = [amount_of(plain_measure(f"{number}{unit}", language)) for number in numbers]
    amounts = [each for each in found if each is not None]
    if len(amounts) < len(numbers):
        return None
    (first, base), (last, _) = amounts[0], amounts[-1]
    if kind in {"ceiling", "below"}:
        return None, last, kind == "ceiling", base
    if kind in {"floor", "above"}:
        return first, None, kind == "floor", base
    return (first, last, True, base) if first <= last else None


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((kind, re.compile(pattern)) for kind, pattern in _written())


def _written() -> Iterator[tuple[str, str]]:
    """Kind and pattern; what says more comes first."""

    def words(*lists: tuple[str, ...]) -> str:
        return one_of(tuple(word for each in lists for word in each if word not in _NAMES))

    def after(*lists: tuple[str, ...]) -> str:
        return rf"(?<!\w){NEGATED}{words(*lists)}\s+"

    both = rf"{_NUMBER}{_ANY_UNIT}\s+{AND}\s+{_NUMBER}{_UNIT}"
    yield "between", rf"(?<!\w){BETWEEN}\s+{both}"
    yield (
        "between",
        rf"(?<!\w)(?:de|von|from)\s+{_NUMBER}{_ANY_UNIT}\s+(?:a|bis|to)\s+{_NUMBER}{_UNIT}",
    )
    yield "between", rf"(?<![\w.,-]){_NUMBER}\s+(?:a|bis|to|ou|oder|or)\s+{_NUMBER}{_UNIT}"
    yield "below", after(BELOW, _LESS) + _NUMBER + _UNIT
    yield "below", rf"<\s?{_NUMBER}{_UNIT}"
    yield "ceiling", after(CEILINGS) + _NUMBER + _UNIT
    yield "ceiling", rf"(?:<=|≤)\s?{_NUMBER}{_UNIT}"
    yield "ceiling", rf"(?<![\w.,-]){_NUMBER}{_UNIT}\s+{words(MOST_AFTER)}(?!\w)"
    yield "above", after(ABOVE, _MORE) + _NUMBER + _UNIT
    yield "above", rf">\s?{_NUMBER}{_UNIT}"
    yield "floor", after(FLOORS) + _NUMBER + _UNIT
    yield "floor", rf"(?:>=|≥)\s?{_NUMBER}{_UNIT}"
    yield "floor", rf"(?<![\w.,-]){_NUMBER}{_UNIT}\s+{words(LEAST_AFTER)}(?!\w)"
