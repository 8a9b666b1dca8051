"""A pair of offers as numbers: what their titles and descriptions say for and against one product.

The learned score weighs these; identifiers are weighed apart (`mdm.match.score`). Prices are left
out on purpose: they change, and what a product is does not. Pure, symmetric, each value bounded.
"""

from __future__ import annotations

from typing import NamedTuple

from rapidfuzz import fuzz
from rapidfuzz.distance import JaroWinkler

from mdm.match.features import Features
from mdm.match.rarity import Rarity

MAX_CODES = 12
_SAME_WITHIN = 0.03


class Evidence(NamedTuple):
    """Shares are 0 to 1 by weight of rarity; -1 where nothing can be said."""

    words_contained: float
    words_in_common: float
    meaning: float
    pieces_alike: float
    rarest_code_shared: float
    codes_shared: float
    code_unmatched_on_both_sides: float
    code_unmatched_on_one_side: float
    codes_related: float
    longest_code_shared: float
    numbers_differ: float
    numbers_in_common: float
    numbers_unmatched: float
    quantities_equal: float
    quantities_unequal: float
    model_words_differ: float
    model_words_shared: float
    same_first_word: float
    same_manufacturer: float
    manufacturer_in_title: float
    same_colour: float
    same_capacity: float
    lengths_alike: float
    letters_alike: float
    letters_in_order: float
    beginnings_alike: float
    part_alike: float
    described_in_common: float
    code_in_description: float
    words_left_over_less: float
    words_left_over_more: float
    rarest_left_over_less: float
    rarest_left_over_more: float
    shorter_title: float
    figures_in_common: float


def evidence(one: Features, other: Features, cosine: float, rarity: Rarity) -> Evidence:
    """The evidence of a pair; `cosine` is that of the titles' vectors."""
    if (one.reading.text, one.manufacturer or "") > (other.reading.text, other.manufacturer or ""):
        one, other = other, one
    contained, common, alike = _words(one, other, rarity)
    left_over = _left_over(one, other, rarity)
    left, right = one.reading, other.reading
    lengths = sorted((len(left.tokens), len(right.tokens)))
    return Evidence(
        contained,
        common,
        cosine,
        alike,
        *_codes(one, other, rarity),
        *_numbers(one, other),
        *_quantities(one, other),
        *_model(one, other),
        *_manufacturers(one, other),
        _attribute(one, other, "colour"),
        _attribute(one, other, "capacity"),
        lengths[0] / (lengths[1] or 1),
        fuzz.token_set_ratio(left.text, right.text) / 100,
        fuzz.token_sort_ratio(left.text, right.text) / 100,
        JaroWinkler.similarity(left.text, right.text),
        fuzz.partial_ratio(left.text[:120], right.text[:120]) / 100,
        *_descriptions(one, other, rarity),
        *left_over,
        float(lengths[0]),
        _share(left.numeric, right.numeric),
    )


def _words(one: Features, other: Features, rarity: Rarity) -> tuple[float, float, float]:
    shared = sum(map(rarity.__getitem__, one.words & other.words))
    left, right = rarity.of_title(one), rarity.of_title(other)
    pieces = sum(rarity[each] ** 2 for each in one.pieces & other.pieces)
    return (
        shared / (min(left, right) or 1.0),
        shared / ((left + right - shared) or 1.0),
        pieces / (rarity.length_of(one) * rarity.length_of(other) or 1.0),
    )


def _codes(
    one: Features, other: Features, rarity: Rarity
) -> tuple[float, float, float, float, float, float]:
    left, right = one.all_codes | one.reading.parts, other.all_codes | other.reading.parts
    shared = left & right
    lonely = (_unmatched(one, other, right, rarity), _unmatched(other, one, left, rarity))
    return (
        max(map(rarity.__getitem__, shared), default=0.0),
        float(min(len(shared), 4)),
        min(lonely),
        max(lonely),
        _related(one, other),
        min(max(map(len, shared), default=0), 20) / 10,
    )


def _unmatched(one: Features, other: Features, others: frozenset[str], rarity: Rarity) -> float:
    """How telling the rarest code of one is that the other has in no form."""
    telling = 0.0
    for code in one.all_codes:
        if code in other.reading.tokens or code in others:
            continue
        if not any(len(each) > 4 and (code in each or each in code) for each in others):
            telling = max(telling, rarity[code])
    return telling


def _related(one: Features, other: Features) -> float:
    """The longest beginning that two unequal codes share, or one within the other, as a share."""
    most = 0.0
    for code in sorted(one.all_codes)[:MAX_CODES]:
        for against in sorted(other.all_codes)[:MAX_CODES]:
            if code == against:
                continue
            same = _common_beginning(code, against)
            if same < 4 and (code in against or against in code):
                same = min(len(code), len(against)) if min(len(code), len(against)) > 4 else 0
            if same >= 4:
                most = max(most, same / max(len(code), len(against)))
    return most


def _common_beginning(one: str, other: str) -> int:
    for place, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return place
    return min(len(one), len(other))


def _numbers(one: Features, other: Features) -> tuple[float, float, float]:
    left = one.numbers - other.numbers - other.reading.tokens - other.all_codes
    right = other.numbers - one.numbers - one.reading.tokens - one.all_codes
    return (
        float(min(len(left), len(right), 3)),
        _share(one.numbers, other.numbers),
        float(min(max(len(left), len(right)), 4)),
    )


def _quantities(one: Features, other: Features) -> tuple[float, float]:
    equal = unequal = 0
    for unit, amounts in one.reading.quantities.items():
        others = other.reading.quantities.get(unit)
        if others is None:
            continue
        if any(abs(x - y) <= _SAME_WITHIN * max(x, y) for x in amounts for y in others):
            equal += 1
        else:
            unequal += 1
    return float(equal), float(unequal)


def _model(one: Features, other: Features) -> tuple[float, float, float]:
    return (
        float(min(len(one.model_words ^ other.model_words), 3)),
        float(min(len(one.model_words & other.model_words), 3)),
        1.0 if one.lead and one.lead == other.lead else 0.0,
    )


def _manufacturers(one: Features, other: Features) -> tuple[float, float]:
    left, right = one.manufacturer, other.manufacturer
    if left and right:
        return (1.0 if left in right or right in left else -1.0), 0.0
    if not left and not right:
        return 0.0, 0.0
    name, elsewhere = (left or right or ""), (other if left else one)
    return 0.0, 1.0 if name in elsewhere.reading.text.replace(" ", "")[:60] else -1.0


def _attribute(one: Features, other: Features, name: str) -> float:
    left, right = one.attributes.get(name), other.attributes.get(name)
    if not left or not right:
        return 0.0
    return 1.0 if set(left.split("/")) & set(right.split("/")) else -1.0


def _descriptions(one: Features, other: Features, rarity: Rarity) -> tuple[float, float]:
    if not one.reading.described and not other.reading.described:
        return 0.0, 0.0
    left, right = (each.reading.described | each.reading.tokens for each in (one, other))
    weights = rarity.__getitem__
    shared = sum(map(weights, left & right))
    smaller = min(sum(map(weights, left)), sum(map(weights, right)))
    codes = (one.all_codes & other.reading.described) | (other.all_codes & one.reading.described)
    return shared / (smaller or 1.0), max(map(weights, codes), default=0.0)


def _left_over(one: Features, other: Features, rarity: Rarity) -> tuple[float, float, float, float]:
    """Words of each that the other has in no form: their share, and the rarest."""
    shares, rarest = [], []
    for here, there in ((one, other), (other, one)):
        lone = here.words - there.words - there.reading.parts - there.all_codes
        shares.append(sum(map(rarity.__getitem__, lone)) / (rarity.of_title(here) or 1.0))
        rarest.append(max(map(rarity.__getitem__, lone), default=0.0))
    return min(shares), max(shares), min(rarest), max(rarest)


def _share(one: frozenset[str], other: frozenset[str]) -> float:
    """Common members by all members; -1 where there are none."""
    union = len(one | other)
    return len(one & other) / union if union else -1.0
