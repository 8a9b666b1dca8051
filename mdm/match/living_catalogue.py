"""What the matcher asks of the catalogue that is already there, and a catalogue with nothing in it.

The matcher itself knows no database: ingestion gives it `mdm.stored_catalogue`, an evaluation the
empty one, and both run the same code with the same thresholds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from mdm.match.decide import Contender

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class LivingCatalogue(Protocol):
    """Bounded questions about the live offers of the catalogue."""

    def holders(self, keys: Iterable[str]) -> Iterable[tuple[str, Sequence[str]]]:
        """For each blocking key that is held, ids of offers that hold it: a bounded number."""
        ...

    def nearest(self, vectors: NDArray[Any], count: int) -> Sequence[Sequence[str]]:
        """Ids of the offers with the nearest titles to each vector, nearest first."""
        ...

    def members(
        self, offer_ids: Sequence[str], *, without: Sequence[str]
    ) -> tuple[list[Contender], NDArray[np.float32]]:
        """All live offers of the products of these offers, with the vectors of their titles."""
        ...

    def word_counts(self, words: Iterable[str]) -> Mapping[str, int]:
        """How many titles use each word; the empty word counts the titles."""
        ...


class EmptyCatalogue:
    """No offer yet."""

    def __init__(self, dimensions: int) -> None:
        self._dimensions = dimensions

    def holders(self, keys: Iterable[str]) -> Iterable[tuple[str, Sequence[str]]]:
        """None."""
        del keys
        return ()

    def nearest(self, vectors: NDArray[Any], count: int) -> Sequence[Sequence[str]]:
        """None for any of them."""
        del count
        return [()] * len(vectors)

    def members(
        self, offer_ids: Sequence[str], *, without: Sequence[str]
    ) -> tuple[list[Contender], NDArray[np.float32]]:
        """None."""
        import numpy as np

        del offer_ids, without
        return [], np.zeros((0, self._dimensions), dtype=np.float32)

    def word_counts(self, words: Iterable[str]) -> Mapping[str, int]:
        """None."""
        del words
        return {}
