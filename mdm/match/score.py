"""How likely two offers are of one product: a sum of named pieces of evidence. Pure.

Each piece is a number, so that a decision can be told in words and replayed. The weights are
set by hand: round numbers whose signs and sizes a regression on product pairs confirms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from mdm.match.features import Features
from mdm.match.rarity import Rarity

MIN_RELATED = 6

WEIGHTS = {
    "words of the shorter title found in the other": 1.6,
    "words in common": 1.2,
    "meaning of the titles": 2.2,
    "shared model code": 4.4,
    "related model codes": 3.6,
    "different model codes": -2.4,
    "different numbers": -1.4,
    "different model words": -1.3,
    "model code on one side only": -0.4,
    "same first word": 0.8,
    "same capacity": 0.9,
    "same colour": 0.4,
}
BASE = -4.6

SAME_GTIN = 6.0
SHARED_GTIN = 1.5
OTHER_GTIN = -2.0
SAME_PART_NUMBER = 4.0
SAME_PART_NUMBER_ALONE = 2.5
OTHER_PART_NUMBER = -2.0
OTHER_MANUFACTURER = -3.0
SAME_MANUFACTURER = 0.5


@dataclass(frozen=True, slots=True)
class Score:
    """Probability of one product, with the evidence: (what, how much it moved the log odds)."""

    probability: float
    evidence: tuple[tuple[str, float], ...]


def score(
    one: Features,
    other: Features,
    cosine: float,
    rarity: Rarity,
    ambiguous_gtins: frozenset[str] = frozenset(),
) -> Score:
    """Score of a pair. `cosine` is that of the titles; ambiguous GTINs name several things."""
    pieces = [
        (name, WEIGHTS[name] * value)
        for name, value in title_evidence(one, other, cosine, rarity).items()
        if value
    ]
    pieces += identifier_evidence(one, other, ambiguous_gtins)
    log_odds = BASE + sum(amount for _, amount in pieces)
    return Score(1 / (1 + math.exp(-log_odds)), tuple(pieces))


def moved(found: Score, by: float) -> Score:
    """The score with its log odds moved."""
    odds = found.probability / max(1 - found.probability, 1e-12)
    return Score(1 / (1 + math.exp(-by) / max(odds, 1e-12)), found.evidence)


def title_evidence(
    one: Features, other: Features, cosine: float, rarity: Rarity
) -> dict[str, float]:
    """Values of WEIGHTS' names for a pair, each about 0 to 1."""
    shared = sum(map(rarity.__getitem__, one.words & other.words))
    weight_one, weight_other = rarity.total(one), rarity.total(other)
    codes = _codes(one, other, rarity)
    numbers_one = one.numbers - other.numbers - other.joined
    numbers_other = other.numbers - one.numbers - one.joined
    return {
        "words of the shorter title found in the other": shared
        / (min(weight_one, weight_other) or 1.0),
        "words in common": shared / ((weight_one + weight_other - shared) or 1.0),
        "meaning of the titles": cosine,
        **codes,
        "different numbers": 1.0 if numbers_one and numbers_other else 0.0,
        "different model words": min(len(one.model_words ^ other.model_words), 2) / 2,
        "same first word": 1.0 if one.lead and one.lead == other.lead else 0.0,
        "same capacity": _same(one, other, "capacity"),
        "same colour": _same(one, other, "colour"),
    }


def identifier_evidence(
    one: Features, other: Features, ambiguous_gtins: frozenset[str]
) -> list[tuple[str, float]]:
    """What GTINs, part numbers and manufacturers say."""
    found: list[tuple[str, float]] = []
    same = one.gtins & other.gtins
    clear = same - ambiguous_gtins
    if clear:
        found.append((f"same GTIN {min(clear)}", SAME_GTIN))
    elif same:
        found.append((f"same GTIN {min(same)}, which names several things", SHARED_GTIN))
    elif one.gtins and other.gtins:
        found.append(("different GTINs", OTHER_GTIN))
    makers = {one.manufacturer, other.manufacturer} - {None}
    is_one_maker = len(makers) == 1 and one.manufacturer == other.manufacturer
    parts = one.mpns & other.mpns
    if parts:
        amount = SAME_PART_NUMBER if is_one_maker else SAME_PART_NUMBER_ALONE
        found.append((f"same part number {min(parts)}", amount))
    elif one.mpns and other.mpns and is_one_maker:
        found.append(("different part numbers", OTHER_PART_NUMBER))
    if is_one_maker:
        found.append(("same manufacturer", SAME_MANUFACTURER))
    elif len(makers) == 2:
        found.append(("different manufacturers", OTHER_MANUFACTURER))
    return found


def _codes(one: Features, other: Features, rarity: Rarity) -> dict[str, float]:
    all_one, all_other = one.codes | one.joined, other.codes | other.joined
    shared = max(
        (
            rarity[code] * min(1.0, 0.4 + len(code) / 12)
            for code in all_one & all_other
            if code in one.codes or code in other.codes or len(code) >= 6
        ),
        default=0.0,
    )
    left = [code for code in one.codes if not _stands_in(code, all_other)]
    right = [code for code in other.codes if not _stands_in(code, all_one)]
    related = 0.0
    if not shared and one.codes and other.codes:
        related = _related(one.codes, other.codes)
    return {
        "shared model code": shared,
        "related model codes": related,
        "different model codes": 1.0 if left and right else 0.0,
        "model code on one side only": 1.0 if bool(left) != bool(right) else 0.0,
    }


def _stands_in(code: str, others: frozenset[str]) -> bool:
    return code in others or any(_is_related(code, each) for each in others)


def _is_related(one: str, other: str) -> bool:
    """One code is the other with a beginning or an ending: `ue75nu8000` and `ue75nu8000txxu`."""
    short, long = (one, other) if len(one) <= len(other) else (other, one)
    return len(short) >= MIN_RELATED and (long.startswith(short) or long.endswith(short))


def _related(one: frozenset[str], other: frozenset[str]) -> float:
    return max(
        (min(len(x), len(y), 10) / 10 for x in one for y in other if _is_related(x, y)), default=0.0
    )


def _same(one: Features, other: Features, name: str) -> float:
    value = one.attributes.get(name)
    return 1.0 if value and value == other.attributes.get(name) else 0.0
