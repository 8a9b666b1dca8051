"""What the matcher asks of the catalogue that is already there, and a catalogue with nothing in it.

The matcher itself knows no database: ingestion gives it `mdm.stored_catalogue`, an evaluation the
empty one, and both run the same code with the same thresholds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Protocol

from mdm.match.candidates import PieceIndex
from mdm.match.decision import NOTHING_RULED, Contender, Ruled
from mdm.match.recent_offers import RecentOffers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Contenders = tuple[list[Contender], NDArray[np.float32]]
    """Offers, with the vectors of their titles as rows."""

Readings = Mapping[str, bytes]
"""What an index keeps of offers (`mdm.match.features.packed`): they need not be read again."""
_NONE: Readings = {}


class LivingCatalogue(Protocol):
    """Bounded questions about the live offers of the catalogue."""

    @property
    def index(self) -> PieceIndex:
        """The offers by the pieces of their titles."""
        ...

    def offers(self, offer_ids: Collection[str], readings: Readings = _NONE) -> Contenders:
        """Those of these offers that are live."""
        ...

    def members(self, product_ids: Collection[str], readings: Readings = _NONE) -> Contenders:
        """All live offers of these products."""
        ...

    def ruled(self, offer_ids: Collection[str]) -> Ruled:
        """What stewards decided about these offers."""
        ...


class EmptyCatalogue:
    """No offer yet."""

    def __init__(self, dimensions: int) -> None:
        self._dimensions = dimensions
        self.index = RecentOffers()

    def offers(self, offer_ids: Collection[str], readings: Readings = _NONE) -> Contenders:
        """None."""
        import numpy as np

        del offer_ids, readings
        return [], np.zeros((0, self._dimensions), dtype=np.float32)

    def members(self, product_ids: Collection[str], readings: Readings = _NONE) -> Contenders:
        """None."""
        return self.offers(product_ids, readings)

    def ruled(self, offer_ids: Collection[str]) -> Ruled:
        """Nothing."""
        del offer_ids
        return NOTHING_RULED
