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
"""What an index keeps of offers (`mdm.match.kept_reading`): they need not be read again."""
_NONE: Readings = {}
_Found = tuple[Contender, bytes | None]


class LivingOffer(NamedTuple):
    """A live offer as the catalogue knows it. `vector` holds half floats."""

    offer_id: str
    merchant_id: str
    condition: str
    product_id: str
    since: float
    vector: bytes | None
    title: str
    facts: Mapping[str, Any]


class LivingCatalogue(Protocol):
    """Bounded questions about the live offers of the catalogue."""

    @property
    def index(self) -> PieceIndex:
        """The offers by the pieces of their titles."""
        ...

    def offers(self, offer_ids: Collection[str]) -> Sequence[LivingOffer]:
        """Those of these offers that are live, by their ids."""
        ...

    def products(self, offer_ids: Collection[str]) -> Mapping[str, str]:
        """Of those of these offers that are live: their products, by their ids."""
        ...

    def members(self, product_ids: Collection[str]) -> Sequence[LivingOffer]:
        """All live offers of these products, by their ids."""
        ...

    def around(
        self, product_ids: Collection[str], offer_ids: Collection[str]
    ) -> tuple[Sequence[LivingOffer], Ruled]:
        """All live offers of these products, by their ids; what stewards decided about them and
        about these offers, where there are any of the products."""
        ...

    def ruled(self, offer_ids: Collection[str]) -> Ruled:
        """What stewards decided about these offers."""
        ...


def contenders_of(
    offers: Sequence[LivingOffer], dimensions: int, readings: Readings = _NONE
) -> Contenders:
    """Offers as the index knows them; where it does not, their titles are read."""
    return _beside_vectors(
        [(_contender(each, readings.get(each.offer_id)), each.vector) for each in offers],
        dimensions,
    )


def contenders_kept(
    readings: Readings,
    products: Mapping[str, str],
    others: Sequence[LivingOffer],
    dimensions: int,
) -> Contenders:
    """Offers as the index keeps them, with what is known of their products, and others of which it
    keeps nothing: all in the order of their ids."""
    found: list[_Found] = [_kept(*each, products) for each in readings.items()]
    found += ((_contender(each, None), each.vector) for each in others)
    return _beside_vectors(sorted(found, key=lambda each: each[0].offer_id), dimensions)


def _beside_vectors(found: Sequence[_Found], dimensions: int) -> Contenders:
    import numpy as np

    table = np.zeros((len(found), dimensions), dtype=np.float32)
    for place, (_, vector) in enumerate(found):
        if vector is not None:
            table[place] = np.frombuffer(vector, dtype=np.float16)
    return [each for each, _ in found], table


def _kept(offer_id: str, reading: bytes, products: Mapping[str, str]) -> _Found:
    kept = unpacked(reading)
    contender = Contender(
        offer_id,
        kept.merchant_id,
        kept.condition,
        kept.features,
        products.get(offer_id),
        pieces=kept.pieces,
    )
    return contender, kept.vector


def _contender(offer: LivingOffer, reading: bytes | None) -> Contender:
    kept = unpacked(reading) if reading else None
    return Contender(
        offer.offer_id,
        offer.merchant_id,
        offer.condition,
        kept.features if kept else offer_features(offer.title, offer.facts),
        offer.product_id,
        offer.since,
        kept.pieces if kept else b"",
    )


class EmptyCatalogue:
    """No offer yet."""

    def __init__(self) -> None:
        self.index = RecentOffers()

    def offers(self, offer_ids: Collection[str]) -> Sequence[LivingOffer]:
        """None."""
        del offer_ids
        return ()

    def products(self, offer_ids: Collection[str]) -> Mapping[str, str]:
        """None."""
        del offer_ids
        return {}

    def members(self, product_ids: Collection[str]) -> Sequence[LivingOffer]:
        """None."""
        del product_ids
        return ()

    def around(
        self, product_ids: Collection[str], offer_ids: Collection[str]
    ) -> tuple[Sequence[LivingOffer], Ruled]:
        """None, nothing."""
        del product_ids, offer_ids
        return (), NOTHING_RULED

    def ruled(self, offer_ids: Collection[str]) -> Ruled:
        """Nothing."""
        del offer_ids
        return NOTHING_RULED
