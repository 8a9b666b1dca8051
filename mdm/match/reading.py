"""A title read closely: parts and ends of its codes, quantities with their units. Pure.

Shops cut and join model codes in their own ways: `ue49nu8000` is also `nu8000` with a size before
it, and `kgn36vl35g` begins like `kgn36vl3`. What is read here lets such pieces meet.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain, islice

import msgspec

SHORTEST_PART = 4
MAX_TEXT = 300
MAX_DESCRIBED = 200
# One in a thousand real titles has more; a title of nothing but codes has some thousand.
MAX_PARTS = 80
MAX_ENDS = 160
_DIGIT = re.compile(r"\d")
_LONG_WORD = re.compile(r"[^\W\d]{5}")
_RUN = re.compile(r"[a-z]+|\d+")
_MEASURE = re.compile(r"(\d+(?:[.,]\d+)?)([a-z]+)")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_PLAIN_UNITS = (
    "gb tb mb kb inch cm mm m kg g mg l ml cl w kw v mah ah wh hz khz mhz ghz mp px p nm db rpm "
    "bit mbps gbps dpi lm pcs pack er qt oz lb ft gal yd pt"
)
UNITS = {
    "in": "inch", "zoll": "inch", "inches": "inch", "pouce": "inch", "pouces": "inch",
    "pulgada": "inch", "pulgadas": "inch", "pollice": "inch", "pollici": "inch", "cali": "inch",
    "go": "gb", "gib": "gb", "to": "tb", "mo": "mb", "ko": "kb",
    "litre": "l", "litres": "l", "liter": "l", "ltr": "l", "watt": "w", "watts": "w",
    "litros": "l", "litri": "l", "litrow": "l", "vatios": "w",
    "quart": "qt", "quarts": "qt", "ounce": "oz", "ounces": "oz", "lbs": "lb", "pound": "lb",
    "pounds": "lb", "foot": "ft", "feet": "ft", "gallon": "gal", "gallons": "gal", "yard": "yd",
    "yards": "yd", "pint": "pt", "pints": "pt", "millilitre": "ml", "milliliter": "ml",
    "gramm": "g", "gram": "g", "grams": "g", "gramme": "g", "grammes": "g", "litru": "l",
    "litry": "l", "metru": "m", "metre": "m", "metres": "m", "meter": "m",
    "meters": "m", "kgs": "kg", "cms": "cm", "mpx": "mp", "megapixel": "mp", "megapixels": "mp",
    **{unit: unit for unit in _PLAIN_UNITS.split()},
}  # fmt: skip
_SCALED = {"tb": ("gb", 1000.0), "kw": ("w", 1000.0), "kg": ("g", 1000.0), "ghz": ("mhz", 1000.0)}

Quantities = Mapping[str, frozenset[float]]
"""Amounts by unit: {"gb": {64.0}}."""


class Reading(msgspec.Struct, frozen=True, eq=False, array_like=True, gc=False):
    """`parts` lie within codes, `ends` are beginnings (`#ue49`) and endings (`$8000`) of them."""

    text: str
    tokens: frozenset[str]
    numeric: frozenset[str]
    parts: frozenset[str]
    ends: frozenset[str]
    quantities: Quantities
    described: frozenset[str]


def read(
    text: str, tokens: Sequence[str], codes: frozenset[str], described: Sequence[str] = ()
) -> Reading:
    """Read folded text with its tokens and codes; `described` are the tokens of the description."""
    pieces = frozenset(tokens)
    numeric = frozenset(filter(_DIGIT.search, pieces))
    # What is joined from a word and a number begins and ends as the word does: `iphone7`.
    whole = numeric.union(each for each in codes if not _LONG_WORD.match(each))
    return Reading(
        text=text[:MAX_TEXT],
        tokens=pieces,
        numeric=numeric,
        parts=frozenset(islice(chain.from_iterable(map(parts_of, sorted(codes))), MAX_PARTS)),
        ends=frozenset(islice(chain.from_iterable(map(ends_of, sorted(whole))), MAX_ENDS)),
        quantities=quantities(tokens),
        described=frozenset(described),
    )


@lru_cache(maxsize=100_000)
def parts_of(code: str) -> tuple[str, ...]:
    """Runs of letters and digits that lie within a code: `ue49nu8000` -> `ue49`, `nu8000`, ..."""
    runs = _RUN.findall(code)
    found = {
        "".join(runs[start:end])
        for start in range(len(runs))
        for end in range(start + 2, min(len(runs), start + 4) + 1)
    }
    return tuple(sorted(part for part in found if len(part) >= SHORTEST_PART and part != code))


@lru_cache(maxsize=100_000)
def ends_of(code: str) -> tuple[str, ...]:
    """Beginnings and endings of a code, of four letters or more."""
    lengths = range(SHORTEST_PART, min(len(code), 24))
    return tuple(f"#{code[:n]}" for n in lengths) + tuple(f"${code[-n:]}" for n in lengths)


def quantities(tokens: Sequence[str]) -> Quantities:
    """`64gb`, `64 gb` and `1.5 tb` as amounts by unit."""
    found: dict[str, set[float]] = {}
    for token, following in zip(tokens, [*tokens[1:], ""], strict=False):
        if not _DIGIT.match(token):
            continue
        measure = _MEASURE.fullmatch(token)
        if measure:
            number, unit = measure[1], UNITS.get(measure[2])
        else:
            number, unit = token, UNITS.get(following) if _NUMBER.fullmatch(token) else None
        if unit is not None:
            name, scale = _SCALED.get(unit, (unit, 1.0))
            found.setdefault(name, set()).add(float(number.replace(",", ".")) * scale)
    return {unit: frozenset(amounts) for unit, amounts in found.items()}
