"""How much a word says: rare words name a product, common ones its kind. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable

from mdm.match.features import Features, is_code

# A catalogue of few offers knows little about words: these stand in for what it has not seen.
_PRIOR_OFFERS = 2000
_PRIOR_WORD = 8.0
_PRIOR_NUMBER = 20.0
_PRIOR_CODE = 0.5


class Rarity(dict[str, float]):
    """Weight of each word, between 0 (in every title) and about 1 (in none).

    `count` tells how many of the `offers` carry a word.
    """

    def __init__(self, offers: int, count: Callable[[str], int]) -> None:
        super().__init__()
        self._offers = offers + _PRIOR_OFFERS
        self._count = count
        self._sums: dict[Features, float] = {}
        self._lengths: dict[Features, float] = {}

    def __missing__(self, word: str) -> float:
        if is_code(word):
            prior = _PRIOR_CODE
        elif any(letter.isdigit() for letter in word):
            prior = _PRIOR_NUMBER
        else:
            prior = _PRIOR_WORD
        share = self._offers / (self._count(word) + prior)
        weight = self[word] = math.log1p(share) / math.log1p(self._offers * 2)
        return weight

    def of_title(self, features: Features) -> float:
        """Weight of all words of a title together."""
        weight = self._sums.get(features)
        if weight is None:
            weight = self._sums[features] = sum(map(self.__getitem__, features.words))
        return weight

    def length_of(self, features: Features) -> float:
        """Length of the vector of weights of all pieces of a title."""
        length = self._lengths.get(features)
        if length is None:
            total = sum(self[each] ** 2 for each in features.pieces)
            length = self._lengths[features] = math.sqrt(total)
        return length
