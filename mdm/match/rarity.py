"""How much a word says: rare words name a product, common ones its kind. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from mdm.match.features import Features, is_code

# A catalogue of few offers knows little about words: these stand in for what it has not seen.
_PRIOR_OFFERS = 2000
_PRIOR_WORD = 8.0
_PRIOR_NUMBER = 20.0
_PRIOR_CODE = 0.5
_DIGIT = re.compile(r"\d")


MOST_WORDS = 500_000
"""Weights that are kept at a time."""
# Codes that weigh less than this are norms and sockets.
TELLING = 0.3
MAX_COMPARED = 120
"""Letters of a title that are compared as such."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """Sums of weights over one offer: its words, all pieces, all that title and description say."""

    text: str
    words: float
    words_length: float
    pieces_length: float
    codes: frozenset[str]
    said: frozenset[str]
    said_weight: float


class Rarity(dict[str, float]):
    """Weight of each word, between 0 (in every title) and about 1 (in none).

    `count` tells how many of the `offers` carry a word.
    """

    def __init__(self, offers: int, count: Callable[[str], int]) -> None:
        super().__init__()
        self._offers = offers + _PRIOR_OFFERS
        self._scale = 1 / math.log1p(self._offers * 2)
        self._count = count
        self._weighed: dict[Features, Weighed] = {}

    def __missing__(self, word: str) -> float:
        if len(self) >= MOST_WORDS:
            self.clear()
        share = self._offers / (self._count(word) + _prior(word))
        weight = self[word] = math.log1p(share) * self._scale
        return weight

    def forget_offers(self) -> None:
        """Another comparison begins: of the last one only the weights of words are kept."""
        self._weighed.clear()

    def holders(self, word: str) -> int:
        """How many offers carry a word."""
        return self._count(word)

    def weighed(self, features: Features) -> Weighed:
        """What an offer weighs, worked out once for all of its pairs."""
        found = self._weighed.get(features)
        if found is None:
            found = self._weighed[features] = self._weigh(features)
        return found

    def _weigh(self, features: Features) -> Weighed:
        reading = features.reading
        words = [self[each] for each in features.words]
        said = reading.described | reading.tokens
        return Weighed(
            text=reading.text[:MAX_COMPARED],
            words=sum(words),
            words_length=math.sqrt(sum(each * each for each in words)),
            pieces_length=math.sqrt(sum([self[each] ** 2 for each in features.pieces])),
            codes=features.all_codes | reading.parts,
            said=said,
            said_weight=sum(map(self.__getitem__, said)),
        )


@lru_cache(maxsize=200_000)
def _prior(word: str) -> float:
    if not _DIGIT.search(word):
        return _PRIOR_WORD
    return _PRIOR_CODE if word[0] not in "#$" and is_code(word) else _PRIOR_NUMBER
