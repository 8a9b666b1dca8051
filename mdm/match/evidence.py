"""A pair of offers as numbers: what their titles and descriptions say for and against one product.

The learned score weighs these; identifiers are weighed apart (`mdm.match.score`). Prices are left
out on purpose: they change, and what a product is does not. Pure, symmetric, each value bounded.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz import fuzz
from rapidfuzz.distance import Indel, JaroWinkler

from mdm.match.features import Features, one_spelling
from mdm.match.rarity import Rarity, Weighed
from mdm.normalise.vocabulary import COLOURS

MAX_CODES = 8
_SAME_WITHIN = 0.03
_WITHIN_CODE = 5


class Evidence(NamedTuple):
    """Shares are 0 to 1 by weight of rarity; -1 where nothing can be said."""

    words_contained: float
    words_in_common: float
    words_alike: float
    pieces_alike: float
    meaning: float
    rarest_whole_code_shared: float
    rarest_code_shared: float
    codes_shared: float
    longest_code_shared: float
    code_beginning_shared: float
    code_ending_shared: float
    code_unmatched_on_both_sides: float
    code_unmatched_on_one_side: float
    unmatched_codes_alike: float
    numbers_differ: float
    numbers_in_common: float
    numbers_unmatched: float
    rarest_number_differs: float
    figures_in_common: float
    quantities_equal: float
    quantities_unequal: float
    model_words_differ: float
    model_words_shared: float
    same_first_word: float
    same_manufacturer: float
    same_colour: float
    same_capacity: float
    packs_differ: float
    bundle_differs: float
    accessory_differs: float
    letters_alike: float
    letters_in_order: float
    beginnings_alike: float
    described_in_common: float
    code_in_description: float
    words_left_over_less: float
    words_left_over_more: float
    rarest_left_over_less: float
    rarest_left_over_more: float
    shorter_title: float
    lengths_alike: float
    codes_on_both_sides: float


def evidence(one: Features, other: Features, cosine: float, rarity: Rarity) -> Evidence:
    """The evidence of a pair; `cosine` is that of the titles' vectors."""
    left, right = rarity.weighed(one), rarity.weighed(other)
    lengths = sorted((len(one.reading.tokens), len(other.reading.tokens)))
    return Evidence(
        *_words(one, other, left, right, rarity),
        cosine,
        *_shared_codes(one, other, left, right, rarity),
        *_unmatched_codes(one, other, left, right, rarity),
        *_numbers(one, other, left, right, rarity),
        *_quantities(one, other),
        *_model(one, other),
        _manufacturer(one, other),
        _colour(one, other),
        _attribute(one, other, "capacity"),
        *_kinds(one, other),
        fuzz.token_set_ratio(left.text, right.text) / 100,
        Indel.normalized_similarity(left.text, right.text),
        JaroWinkler.similarity(left.text, right.text),
        *_descriptions(one, other, left, right, rarity),
        *_left_over(one, other, left, right, rarity),
        float(min(lengths[0], 20)),
        lengths[0] / (lengths[1] or 1),
        1.0 if one.codes and other.codes else 0.0,
    )


def _words(
    one: Features, other: Features, left: Weighed, right: Weighed, rarity: Rarity
) -> tuple[float, float, float, float]:
    weights = [rarity[each] for each in one.words & other.words]
    shared = sum(weights)
    squares = sum(each * each for each in weights)
    return (
        shared / (min(left.words, right.words) or 1.0),
        shared / ((left.words + right.words - shared) or 1.0),
        squares / (left.words_length * right.words_length or 1.0),
        pieces_alike(one, other, rarity),
    )


def pieces_alike(one: Features, other: Features, rarity: Rarity) -> float:
    """Cosine of all pieces of both titles, by rarity: the cheapest number that tells most."""
    shared = sum([rarity[each] ** 2 for each in one.pieces & other.pieces])
    lengths = rarity.pieces_length(one) * rarity.pieces_length(other)
    return shared / (lengths or 1.0)


def _shared_codes(
    one: Features, other: Features, left: Weighed, right: Weighed, rarity: Rarity
) -> tuple[float, float, float, float, float, float]:
    shared = left.codes & right.codes
    ends = one.reading.ends & other.reading.ends
    begins = [len(each) for each in ends if each[0] == "#"]
    return (
        _rarest(one.all_codes & other.all_codes, rarity),
        _rarest(shared, rarity),
        float(min(len(shared), 4)),
        min(max(map(len, shared), default=0), 20) / 10,
        (max(begins, default=1) - 1) / 10,
        (max([len(each) for each in ends if each[0] == "$"], default=1) - 1) / 10,
    )


def _unmatched_codes(
    one: Features, other: Features, left: Weighed, right: Weighed, rarity: Rarity
) -> tuple[float, float, float]:
    """Codes that the other says nowhere in any form: how telling the rarest, and how alike those
    of both sides are (`kgn36vl35g` and `kgn36vl3ag` are sisters, not one)."""
    lone = _unmatched(one, other, right, rarity)
    lone_there = _unmatched(other, one, left, rarity)
    most = max(lone.values(), default=0.0), max(lone_there.values(), default=0.0)
    alike = 0.0
    if lone and lone_there:
        alike = max(
            Indel.normalized_similarity(here, there) for here in lone for there in lone_there
        )
    return min(most), max(most), alike


def _unmatched(one: Features, other: Features, there: Weighed, rarity: Rarity) -> dict[str, float]:
    found = {}
    for code in one.codes:
        if code in there.codes or code in there.said:
            continue
        if not any(
            len(each) >= _WITHIN_CODE and (code in each or each in code) for each in other.all_codes
        ):
            found[code] = rarity[code]
            if len(found) == MAX_CODES:
                break
    return found


def _numbers(
    one: Features, other: Features, here: Weighed, there: Weighed, rarity: Rarity
) -> tuple[float, float, float, float, float]:
    left = one.numbers - there.said - other.all_codes
    right = other.numbers - here.said - one.all_codes
    rarest = 0.0
    if left and right:
        rarest = min(_rarest(left, rarity), _rarest(right, rarity))
    return (
        float(min(len(left), len(right), 3)),
        _share(one.numbers, other.numbers),
        float(min(max(len(left), len(right)), 4)),
        rarest,
        _share(one.reading.numeric, other.reading.numeric),
    )


def _quantities(one: Features, other: Features) -> tuple[float, float]:
    equal = unequal = 0
    for unit, amounts in one.reading.quantities.items():
        others = other.reading.quantities.get(unit)
        if others is None:
            continue
        if amounts & others or any(
            abs(x - y) <= _SAME_WITHIN * max(x, y) for x in amounts for y in others
        ):
            equal += 1
        else:
            unequal += 1
    return float(min(equal, 4)), float(min(unequal, 4))


def _model(one: Features, other: Features) -> tuple[float, float, float]:
    return (
        float(min(len(one.model_words ^ other.model_words), 3)),
        float(min(len(one.model_words & other.model_words), 3)),
        1.0 if one.lead and one.lead == other.lead else 0.0,
    )


def _manufacturer(one: Features, other: Features) -> float:
    """1 and -1 where both state one; half of it where only one does and the other names it, or
    does not."""
    left, right = one.manufacturer, other.manufacturer
    if left and right:
        is_same = left in right or right in left or _names(other, left) or _names(one, right)
        return 1.0 if is_same else -1.0
    if not left and not right:
        return 0.0
    return 0.5 if _names(*((other, left) if left else (one, right or ""))) else -0.5


def _names(offer: Features, manufacturer: str) -> bool:
    return manufacturer in _without_spaces(offer.reading.text)


@lru_cache(maxsize=50_000)
def _without_spaces(text: str) -> str:
    return one_spelling(text.replace(" ", ""))


def _colour(one: Features, other: Features) -> float:
    """By titles; where only one has it there, half as much by the other's description."""
    stated = _attribute(one, other, "colour")
    left, right = one.attributes.get("colour"), other.attributes.get("colour")
    if stated or not (left or right):
        return stated
    described = (other if left else one).reading.described & COLOURS.keys()
    if not described:
        return 0.0
    return 0.5 if described & set((left or right or "").split("/")) else -0.5


def _attribute(one: Features, other: Features, name: str) -> float:
    left, right = one.attributes.get(name), other.attributes.get(name)
    if not left or not right:
        return 0.0
    return 1.0 if left == right or set(left.split("/")) & set(right.split("/")) else -1.0


def _kinds(one: Features, other: Features) -> tuple[float, float, float]:
    packs = (one.attributes.get("pack_count", "1"), other.attributes.get("pack_count", "1"))
    return (
        1.0 if packs[0] != packs[1] else 0.0,
        1.0 if one.is_bundle != other.is_bundle else 0.0,
        1.0 if one.is_accessory != other.is_accessory else 0.0,
    )


def _descriptions(
    one: Features, other: Features, left: Weighed, right: Weighed, rarity: Rarity
) -> tuple[float, float]:
    if not one.reading.described and not other.reading.described:
        return 0.0, 0.0
    shared = sum([rarity[each] for each in left.said & right.said])
    codes = one.all_codes & other.reading.described | other.all_codes & one.reading.described
    return shared / (min(left.said_weight, right.said_weight) or 1.0), _rarest(codes, rarity)


def _left_over(
    one: Features, other: Features, left: Weighed, right: Weighed, rarity: Rarity
) -> tuple[float, float, float, float]:
    """Words of each that the other says nowhere, its description included: their share, and the
    rarest."""
    here = [rarity[each] for each in one.words - right.codes - right.said]
    there = [rarity[each] for each in other.words - left.codes - left.said]
    shares = (sum(here) / (left.words or 1.0), sum(there) / (right.words or 1.0))
    rarest = (max(here, default=0.0), max(there, default=0.0))
    return min(shares), max(shares), min(rarest), max(rarest)


def _rarest(pieces: Iterable[str], rarity: Rarity) -> float:
    return max([rarity[each] for each in pieces], default=0.0)


def _share(one: frozenset[str], other: frozenset[str]) -> float:
    """Common members by all members; -1 where there are none."""
    shared = len(one & other)
    union = len(one) + len(other) - shared
    return shared / union if union else -1.0
