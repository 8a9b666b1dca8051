"""What a set's own pairs can teach beside the shipped evidence: how its two shops put things. Pure.

Not symmetric: the left offer is one shop's, the right the other's, and one of them names editions,
makers and prices where the other does not.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from mdm.normalise.text import folded
from mdm.raw_offer import RawOffer

MAX_WORDS = 80
_WORD = re.compile(r"[^\W\d_]+|\d+(?:\.\d+)?")
# Words of one meaning that part editions of one title.
_EDITIONS = tuple(
    frozenset(words.split())
    for words in (
        "upgrade upg upgr",
        "academic student school education educational edu teacher",
        "mac macintosh osx apple",
        "win windows xp vista pc",
        "pro professional",
        "standard std",
        "premium deluxe ultimate",
        "home basic starter",
        "full retail complete",
        "oem",
        "license licence lic user users seat",
        "server",
        "pack pk",
        "cd dvd",
        "small box jewel case",
        "family",
    )
)
_UNKNOWN = -9.0


@dataclass(frozen=True, slots=True)
class _Said:
    words: tuple[str, ...]
    maker: frozenset[str]
    price: float


class OwnEvidence:
    """Numbers of a pair of offers of one set; how rare words are is the set's."""

    def __init__(self, offers: Sequence[RawOffer]) -> None:
        self._said = {each.sku: _read(each) for each in offers}
        counts = Counter(word for said in self._said.values() for word in set(said.words))
        self._weights = {
            word: math.log(len(offers) / (count + 1)) + 1 for word, count in counts.items()
        }

    def of(self, left_id: str, right_id: str) -> list[float]:
        """A row; its width is the same for all pairs."""
        left, right = self._said[left_id], self._said[right_id]
        makers = left.maker | right.maker
        here, there = set(left.words) - makers, set(right.words) - makers
        return [
            self._cosine(here, there),
            *self._left_over(here, there),
            *self._left_over(there, here),
            *_figures(here, there),
            math.log(left.price / right.price) if left.price and right.price else _UNKNOWN,
            left.price,
            *_beginnings(left, right, makers),
            *_editions(here, there),
            float(len(here)),
            float(len(there)),
            float(len(left.maker & set(right.words))),
        ]

    def _cosine(self, here: set[str], there: set[str]) -> float:
        shared = sum(self._weights[each] ** 2 for each in here & there)
        lengths = [sum(self._weights[each] ** 2 for each in words) for words in (here, there)]
        return shared / (math.sqrt(lengths[0] * lengths[1]) or 1.0)

    def _left_over(self, here: set[str], there: set[str]) -> tuple[float, float]:
        """Words that only one side has: their share of its weight, and the rarest."""
        alone = [self._weights[each] for each in here - there]
        total = sum(self._weights[each] for each in here)
        return sum(alone) / (total or 1.0), max(alone, default=0.0)


def _read(offer: RawOffer) -> _Said:
    words = tuple(_WORD.findall(folded(offer.title or ""))[:MAX_WORDS])
    maker = frozenset(_WORD.findall(folded(offer.manufacturer or ""))[:MAX_WORDS])
    try:
        price = max(float(offer.price or 0), 0.0)
    except ValueError:
        price = 0.0
    return _Said(words, maker, price if math.isfinite(price) else 0.0)


def _figures(here: set[str], there: set[str]) -> tuple[float, float, float]:
    left, right = ({each for each in words if each[0].isdigit()} for words in (here, there))
    return float(len(left - right)), float(len(right - left)), float(len(left & right))


def _beginnings(left: _Said, right: _Said, makers: frozenset[str]) -> tuple[float, float, float]:
    """Whether both begin alike, the maker's name aside, and the share of neighbouring words."""
    first, second = (
        [each for each in said.words if each not in makers][:2] for said in (left, right)
    )
    here, there = (set(zip(said.words, said.words[1:], strict=False)) for said in (left, right))
    return (
        float(first == second),
        float(bool(set(first) & set(second))),
        len(here & there) / (min(len(here), len(there)) or 1),
    )


def _editions(here: set[str], there: set[str]) -> list[float]:
    """For each kind of edition: 1 where only the left names it, -1 where only the right does."""
    named = [float(bool(words & here)) - float(bool(words & there)) for words in _EDITIONS]
    return [sum(map(abs, named)), *named]
