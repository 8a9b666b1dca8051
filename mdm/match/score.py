"""How likely two offers are of one product: a sum of named pieces of evidence. Pure.

Each piece is a number, so that a decision can be told in words and replayed. The weights are
set by hand: round numbers whose signs and sizes a regression on product pairs confirms.
"""

from __future__ import annotations

import math
from operator import mul

from mdm.match.features import Features
from mdm.match.rarity import Rarity

MIN_RELATED = 6

WEIGHTS = {
    "words of the shorter title found in the other": 1.6,
    "words in common": 1.2,
    "meaning of the titles": 2.2,
    "shared model code": 5.0,
    "related model codes": 3.6,
    "different model codes": -2.4,
    "model code on one side only": -0.4,
    "different numbers": -1.4,
    "different model words": -1.3,
    "same first word": 0.8,
    "same capacity": 0.9,
    "same colour": 0.4,
}
BASE = -4.6

SAME_GTIN = 6.0
SHARED_GTIN = 1.5
OTHER_GTIN = -2.0
SAME_PART_NUMBER = 5.0
SAME_PART_NUMBER_ALONE = 2.5
OTHER_PART_NUMBER = -2.0
OTHER_MANUFACTURER = -3.0
SAME_MANUFACTURER = 1.0


_NAMES = tuple(WEIGHTS)
_AMOUNTS = tuple(WEIGHTS.values())
_NOTHING: frozenset[str] = frozenset()


def probability(
    one: Features,
    other: Features,
    cosine: float,
    rarity: Rarity,
    ambiguous_gtins: frozenset[str] = _NOTHING,
    moved_by: float = 0.0,
) -> float:
    """That a pair is of one product. `cosine` is that of the titles; ambiguous GTINs name several
    things; `moved_by` is what else is known, in log odds."""
    log_odds = BASE + moved_by
    log_odds += sum(map(mul, _AMOUNTS, title_evidence(one, other, cosine, rarity)))
    log_odds += sum(by for _, by in identifier_evidence(one, other, ambiguous_gtins))
    return 1 / (1 + math.exp(-log_odds))


def explain(
    one: Features,
    other: Features,
    cosine: float,
    rarity: Rarity,
    ambiguous_gtins: frozenset[str] = _NOTHING,
) -> list[tuple[str, float]]:
    """The pieces of evidence of a pair: (what, how much it moves the log odds), none of them 0."""
    values = title_evidence(one, other, cosine, rarity)
    pieces = [(name, WEIGHTS[name] * value) for name, value in zip(_NAMES, values, strict=True)]
    return [piece for piece in pieces if piece[1]] + identifier_evidence(
        one, other, ambiguous_gtins
    )


def title_evidence(
    one: Features, other: Features, cosine: float, rarity: Rarity
) -> tuple[float, ...]:
    """Values for WEIGHTS in its order, each about 0 to 1."""
    shared = sum(map(rarity.__getitem__, one.words & other.words))
    weight_one, weight_other = rarity.of_title(one), rarity.of_title(other)
    numbers_differ = (
        one.numbers != other.numbers
        and bool(one.numbers - other.numbers - other.joined)
        and bool(other.numbers - one.numbers - one.joined)
    )
    return (
        shared / (min(weight_one, weight_other) or 1.0),
        shared / ((weight_one + weight_other - shared) or 1.0),
        cosine,
        *_codes(one, other, rarity),
        1.0 if numbers_differ else 0.0,
        min(len(one.model_words ^ other.model_words), 2) / 2,
        1.0 if one.lead and one.lead == other.lead else 0.0,
        _same(one, other, "capacity"),
        _same(one, other, "colour"),
    )


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


def _codes(one: Features, other: Features, rarity: Rarity) -> tuple[float, float, float, float]:
    """Model codes: shared, related, different, on one side only."""
    shared, whole = 0.0, ""
    for code in one.all_codes & other.all_codes:
        if len(code) >= MIN_RELATED or code in one.codes or code in other.codes:
            shared = max(shared, rarity[code] * min(1.0, 0.4 + len(code) / 12))
            whole = max(whole, code, key=len)
    left = [code for code in one.codes - other.all_codes if code not in whole]
    right = [code for code in other.codes - one.all_codes if code not in whole]
    if not left or not right:
        return shared, 0.0, 0.0, 1.0 if left or right else 0.0
    ties = [(x, y) for x in left for y in right if _is_related(x, y)]
    if not ties:
        return shared, 0.0, 1.0, 0.0
    related = 0.0 if shared else max(min(len(x), len(y), 10) for x, y in ties) / 10
    more_left = len(left) > len({x for x, _ in ties})
    more_right = len(right) > len({y for _, y in ties})
    return (
        shared,
        related,
        1.0 if more_left and more_right else 0.0,
        1.0 if more_left != more_right else 0.0,
    )


def _is_related(one: str, other: str) -> bool:
    """One code is the other with a beginning or an ending: `ue75nu8000` and `ue75nu8000txxu`."""
    short, long = (one, other) if len(one) <= len(other) else (other, one)
    return len(short) >= MIN_RELATED and (long.startswith(short) or long.endswith(short))


def _same(one: Features, other: Features, name: str) -> float:
    value = one.attributes.get(name)
    return 1.0 if value and value == other.attributes.get(name) else 0.0
