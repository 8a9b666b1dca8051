"""The catalogue in the database, as the matcher asks it: indexed lookups in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from kernel.db import Prepared, Transaction
from mdm.living_index import LivingIndex
from mdm.match.decision import Contender, Ruled
from mdm.match.features import offer_features
from mdm.match.kept_reading import unpacked
from mdm.match.living_catalogue import Readings
from mdm.stewardship.decisions import ruled_for
from mdm.unique_items import SEAT

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mdm.match.living_catalogue import Contenders

_OFFER = (
    f"SELECT o.offer_id, o.merchant_id, {SEAT} AS seat, o.title, o.facts, "  # noqa: S608
    "o.product_id, "
    "extract(epoch FROM p.created_at) AS since, v.vector FROM mdm.offer o "
    "JOIN mdm.product p USING (product_id) LEFT JOIN mdm.offer_vector v "
    "ON v.offer_id = o.offer_id AND v.model_id = :model "
    "WHERE o.live AND o.{} = ANY(:ids) ORDER BY o.offer_id"
)
_OFFERS = Prepared(sa.text(_OFFER.format("offer_id")))
_MEMBERS = Prepared(sa.text(_OFFER.format("product_id")))

_NONE: Readings = {}


@dataclass(frozen=True, slots=True)
class StoredCatalogue:
    """`mdm.match.living_catalogue.LivingCatalogue` on PostgreSQL."""

    tx: Transaction
    index: LivingIndex
    model_id: str
    dimensions: int

    def offers(self, offer_ids: Collection[str], readings: Readings = _NONE) -> Contenders:
        """Those of these offers that are live."""
        return self._contenders(_OFFERS, offer_ids, readings)

    def members(self, product_ids: Collection[str], readings: Readings = _NONE) -> Contenders:
        """All live offers of these products."""
        return self._contenders(_MEMBERS, product_ids, readings)

    def ruled(self, offer_ids: Collection[str]) -> Ruled:
        """What stewards decided about these offers."""
        return ruled_for(self.tx, offer_ids)

    def _contenders(
        self, statement: Prepared, ids: Collection[str], readings: Readings
    ) -> Contenders:
        rows = statement.all(self.tx, {"ids": list(ids), "model": self.model_id}) if ids else []
        contenders = [_contender(row, readings.get(row.offer_id)) for row in rows]
        return contenders, self._vectors(rows)

    def _vectors(self, rows: Sequence[Any]) -> NDArray[np.float32]:
        import numpy as np

        table = np.zeros((len(rows), self.dimensions), dtype=np.float32)
        for place, row in enumerate(rows):
            if row.vector is not None:
                table[place] = np.frombuffer(row.vector, dtype=np.float16)
        return table


def _contender(row: Any, reading: bytes | None) -> Contender:
    """An offer as the index knows it; where it does not, its title is read."""
    kept = unpacked(reading) if reading else None
    return Contender(
        row.offer_id,
        row.merchant_id,
        row.seat,
        kept.features if kept else offer_features(row.title, row.facts),
        row.product_id,
        float(row.since),
        kept.pieces if kept else b"",
    )
