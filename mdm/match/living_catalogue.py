"""What the matcher asks of the catalogue that is already there, and a catalogue with nothing in it.

The matcher itself knows no database: ingestion gives it `mdm.stored_catalogue`, an evaluation the
empty one, and both run the same code with the same thresholds. Answers are plain rows, so that they
can be handed to another process.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from mdm.match.candidates import PieceIndex
from mdm.match.decision import NOTHING_RULED, Contender, Ruled
from mdm.match.features import offer_features
from mdm.match.kept_reading import unpacked
from mdm.match.recent_offers import RecentOffers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Contenders = tuple[list[Contender], NDArray[np.float32]]
    """Offers, with the vectors of their titles as rows."""

Readings = Mapping[str, bytes]
"""What an index keeps of offers (`mdm.match.features.packed`): they need not be read again."""
_NONE: Readings = {}


class LivingOffer(NamedTuple):
    """A live offer as the catalogue knows it. `vector` holds half floats; `title` and `facts` may
    be None where nobody is going to read them."""

    offer_id: str
    merchant_id: str
    condition: str
    product_id: str
    since: float
    vector: bytes | None
    title: str | None
    facts: Mapping[str, Any] | None


class LivingCatalogue(Protocol):
    """Bounded questions about the live offers of the catalogue."""

    @property
    def index(self) -> PieceIndex:
        """The offers by the pieces of their titles."""
        ...

    def offers(
        self, offer_ids: Collection[str], read: Collection[str] = ()
    ) -> Sequence[LivingOffer]:
        """Those of these offers that are live, by their ids; `read` are those whose readings are at
        hand."""
        ...

    def members(self, product_ids: Collection[str]) -> Sequence[LivingOffer]:
        """All live offers of these products, by their ids."""
        ...

    def ruled(self, offer_ids: Collection[str]) -> Ruled:
        """What stewards decided about these offers."""
        ...


def contenders_of(
    offers: Sequence[LivingOffer], dimensions: int, readings: Readings = _NONE
) -> Contenders:
    """Offers as the index knows them; where it does not, their titles are read."""
    import numpy as np

    table = np.zeros((len(offers), dimensions), dtype=np.float32)
    for place, each in enumerate(offers):
        if each.vector is not None:
            table[place] = np.frombuffer(each.vector, dtype=np.float16)
    return [_contender(each, readings.get(each.offer_id)) for each in offers], table


def _contender(offer: LivingOffer, reading: bytes | None) -> Contender:
    kept = unpacked(reading) if reading else None
    return Contender(
        offer.offer_id,
        offer.merchant_id,
        offer.condition,
        kept.features if kept else offer_features(offer.title or "", offer.facts or {}),
        offer.product_id,
        offer.since,
        kept.pieces if kept else b"",
    )


class EmptyCatalogue:
    """No offer yet."""

    def __init__(self) -> None:
        self.index = RecentOffers()

    def offers(
        self, offer_ids: Collection[str], read: Collection[str] = ()
    ) -> Sequence[LivingOffer]:
        """None."""
        del offer_ids, read
        return ()

    def members(self, product_ids: Collection[str]) -> Sequence[LivingOffer]:
        """None."""
        del product_ids
        return ()

    def ruled(self, offer_ids: Collection[str]) -> Ruled:
        """Nothing."""
        del offer_ids
        return NOTHING_RULED
