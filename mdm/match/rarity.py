"""How much a word says: rare words name a product, common ones its kind. Pure."""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from mdm.match.features import Features, is_code
from mdm.match.piece_counts import piece_number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Counts = Callable[[NDArray[np.uint64]], NDArray[np.uint64]]

# A catalogue of few offers knows little about words: these stand in for what it has not seen.
_PRIOR_OFFERS = 2000
_PRIORS = (8.0, 20.0, 0.5)
_WORD, _NUMBER, _CODE = range(3)
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
    codes: frozenset[str]
    said: frozenset[str]
    said_weight: float


class Rarity(dict[str, float]):
    """Weight of each word, between 0 (in every title) and about 1 (in none).

    `count` tells how many of the `offers` carry a word, `counts` of many (by `piece_numbers`).
    """

    def __init__(
        self, offers: int, count: Callable[[str], int], counts: Counts | None = None
    ) -> None:
        super().__init__()
        self._offers = offers + _PRIOR_OFFERS
        self._scale = 1 / math.log1p(self._offers * 2)
        self._count = count
        self._counts = counts
        self._lengths: dict[Features, float] = {}
        self._weighed: dict[Features, Weighed] = {}

    def __missing__(self, word: str) -> float:
        if len(self) >= MOST_WORDS:
            self.clear()
        share = self._offers / (self._count(word) + _PRIORS[_kind(word)])
        weight = self[word] = math.log1p(share) * self._scale
        return weight

    def forget_offers(self) -> None:
        """Another comparison begins: of the last one only the weights of words are kept."""
        self._lengths.clear()
        self._weighed.clear()

    def measure(self, offers: Sequence[tuple[Features, bytes]]) -> None:
        """Weigh all pieces of many offers at once; with the pieces as `numbered` gives them."""
        import numpy as np

        if self._counts is None or not offers:
            return
        pieces = np.frombuffer(b"".join(each for _, each in offers), dtype=np.uint64)
        held = self._counts(pieces & np.uint64(0xFFFFFFFF))
        priors = np.array(_PRIORS)[pieces >> np.uint64(32)]
        weights = np.log1p(self._offers / (held + priors)) * self._scale
        ends = np.cumsum([len(each) // 8 for _, each in offers])
        sums = np.diff(np.cumsum(weights * weights)[ends - 1], prepend=0.0)
        self._lengths.update(zip((each for each, _ in offers), np.sqrt(sums).tolist(), strict=True))

    @property
    def offers(self) -> int:
        """How many offers there are."""
        return self._offers - _PRIOR_OFFERS

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
            codes=features.all_codes | reading.parts,
            said=said,
            said_weight=sum(map(self.__getitem__, said)),
        )

    def pieces_length(self, features: Features) -> float:
        """What all pieces of an offer weigh together: of most candidates nothing else is asked."""
        length = self._lengths.get(features)
        if length is None:
            length = math.sqrt(sum([self[each] ** 2 for each in features.pieces]))
            self._lengths[features] = length
        return length


def numbered(pieces: Iterable[str]) -> bytes:
    """Pieces as they are kept to be weighed again: the number of each, and what kind it is of."""
    return array("Q", [_kind(each) << 32 | piece_number(each) for each in pieces]).tobytes()


@lru_cache(maxsize=200_000)
def _kind(word: str) -> int:
    if not _DIGIT.search(word):
        return _WORD
    return _CODE if word[0] not in "#$" and is_code(word) else _NUMBER
