"""A value with an interval for each grade: robust, and never more for what is kept worse. Pure.

The value is the weighted median, outliers beyond a multiple of the median deviation left out; the
interval is where the median lies in 95 of 100 samples of that size. Adjacent grades that disagree
with the order of the scale are pooled. Where too few speak, the answer is None: unknown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kernel.offer_terms import Grade
from mdm.argus.observations import Voice

SCALE = (
    Grade.NEW,
    Grade.LIKE_NEW,
    Grade.VERY_GOOD,
    Grade.GOOD,
    Grade.ACCEPTABLE,
    Grade.FOR_PARTS,
)
ENOUGH_VOICES = 3
ENOUGH_MERCHANTS = 2
ENOUGH_WEIGHT = 0.5
"""Of fresh voices: three offers that ended long ago say nothing about today."""

_DEVIATIONS = 3 * 1.4826
_NEAR_PERCENT = 10
# Two of three that nearly agree say little of the third.
MANY_VOICES = 5
_NEAR_PERCENT_OF_FEW = 50
_CONFIDENCE = 1.96
# Offers that landed in one feed are alike but for the last digits of the clock.
_ABOUT = 1e-6


@dataclass(frozen=True, slots=True)
class Value:
    """In minor units. `offers` and `sales` are the sample; `pooled` where the order of the scale
    moved the value."""

    minor: int
    low_minor: int
    high_minor: int
    offers: int
    sales: int
    pooled: bool = False


@dataclass(frozen=True, slots=True)
class _Estimate:
    minor: int
    low: int
    high: int
    size: float
    offers: int
    sales: int


def values(said: Mapping[Grade, Sequence[Voice]]) -> dict[Grade, Value | None]:
    """By grade, those of the scale and UNKNOWN; None where the data is thin."""
    estimates = {grade: _estimate(said.get(grade, ())) for grade in (*SCALE, Grade.UNKNOWN)}
    chain = [(grade, found) for grade in SCALE if (found := estimates[grade]) is not None]
    level = decreasing([(each.minor, each.size) for _, each in chain])
    answer: dict[Grade, Value | None] = dict.fromkeys((*SCALE, Grade.UNKNOWN))
    for (grade, each), minor in zip(chain, level, strict=True):
        answer[grade] = _value(each, minor)
    unknown = estimates[Grade.UNKNOWN]
    if unknown is not None:
        answer[Grade.UNKNOWN] = _value(unknown, unknown.minor)
    return answer


def decreasing(points: Sequence[tuple[int, float]]) -> list[int]:
    """The nearest sequence that never grows, by pooling adjacent violators; (level, weight) in.

    Every level lies between the lowest and the highest of those given.
    """
    pools: list[tuple[float, float, int]] = []
    for level, weight in points:
        mean, mass, count = float(level), weight, 1
        while pools and pools[-1][0] < mean:
            before = pools.pop()
            together = before[1] + mass
            mean = (before[0] * before[1] + mean * mass) / together
            mass, count = together, before[2] + count
        pools.append((mean, mass, count))
    return [round(mean) for mean, _, count in pools for _ in range(count)]


def _value(found: _Estimate, minor: int) -> Value:
    return Value(
        minor,
        min(found.low, minor),
        max(found.high, minor),
        found.offers,
        found.sales,
        minor != found.minor,
    )


def _estimate(voices: Sequence[Voice]) -> _Estimate | None:
    if not _are_enough(voices):
        return None
    prices = sorted(pair for each in voices for pair in each.shares if pair[1] > 0)
    if sum(weight for _, weight in prices) < ENOUGH_WEIGHT:
        return None
    low, high = _usual(
        prices, _NEAR_PERCENT if len(voices) >= MANY_VOICES else _NEAR_PERCENT_OF_FEW
    )
    kept = [pair for pair in prices if low <= pair[0] <= high]
    # What is left out is no part of the sample, and may leave too little of it.
    voices = [each for each in voices if any(low <= price <= high for price, _ in each.shares)]
    if not _are_enough(voices):
        return None
    sales = sum(each.is_sale for each in voices)
    middle = weighted_quantile(kept, 0.5)
    size = _effective_size(voices)
    reach = _CONFIDENCE * 0.5 / size**0.5
    return _Estimate(
        middle,
        weighted_quantile(kept, max(0.5 - reach, 0.0)),
        weighted_quantile(kept, min(0.5 + reach, 1.0)),
        size,
        len(voices) - sales,
        sales,
    )


def _are_enough(voices: Sequence[Voice]) -> bool:
    sales = sum(each.is_sale for each in voices)
    merchants = {each.merchant_id for each in voices}
    return len(voices) >= ENOUGH_VOICES and (
        len(merchants) >= ENOUGH_MERCHANTS or sales >= ENOUGH_VOICES
    )


def _usual(weighted: list[tuple[int, float]], near_percent: int) -> tuple[float, float]:
    """The lowest and the highest price that are no outliers."""
    middle = weighted_quantile(weighted, 0.5)
    away = sorted((abs(price - middle), weight) for price, weight in weighted)
    reach = max(_DEVIATIONS * weighted_quantile(away, 0.5), middle * near_percent / 100)
    return middle - reach, middle + reach


def _effective_size(voices: Sequence[Voice]) -> float:
    """How many equal voices say as much (Kish): old and fresh ones do not count alike."""
    weights = [each.weight for each in voices]
    return float(sum(weights) ** 2 / sum(weight**2 for weight in weights))


def weighted_quantile(weighted: Sequence[tuple[int, float]], share: float) -> int:
    """The first of sorted (value, weight) at which the share of the weight is reached; halfway to
    the next where it is reached exactly, as by two of four."""
    target = share * sum(weight for _, weight in weighted)
    reached = 0.0
    for place, (value, weight) in enumerate(weighted):
        reached += weight
        if math.isclose(reached, target, rel_tol=_ABOUT) and place + 1 < len(weighted):
            return (value + weighted[place + 1][0]) // 2
        if reached >= target:
            return value
    return weighted[-1][0]
