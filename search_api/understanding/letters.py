"""Words of one length by the letters they have: which of them can be near to another word.

A slip takes one letter away and adds one at most, so that words of other letters need no
comparison: one in fifty is left, or fewer. Never leaves out a word that is near. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

_BITS = 31


@dataclass(frozen=True, slots=True)
class WordsByLetters:
    """Words with a bit for each letter they have."""

    words: Sequence[str]
    bits: NDArray[np.uint32] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found = np.fromiter(map(_letters, self.words), np.uint32, len(self.words))
        object.__setattr__(self, "bits", found)

    def maybe_within(self, word: str, slips: int) -> list[str]:
        """In their order, all words that are so many slips away, and few others."""
        differing = np.bitwise_count(self.bits ^ np.uint32(_letters(word)))
        return [self.words[place] for place in np.flatnonzero(differing <= 2 * slips).tolist()]


def _letters(word: str) -> int:
    found = 0
    for letter in word:
        found |= 1 << (ord(letter) & _BITS)
    return found


NO_WORDS = WordsByLetters(())
