"""The catalogue in the database, as the matcher asks it: indexed lookups in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from kernel.db import Transaction
from mdm.match.candidates import COMMON
from mdm.match.decide import Contender
from mdm.match.features import offer_features
from mdm.match.neighbours import Neighbours

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class StoredCatalogue:
    """`mdm.match.living_catalogue.LivingCatalogue` on PostgreSQL and this process's vectors."""

    tx: Transaction
    neighbours: Neighbours

    def holders(self, keys: Iterable[str]) -> Iterable[tuple[str, Sequence[str]]]:
        """Ids of offers that hold each key, one more than a key may have to be of use."""
        rows = self.tx.execute(
            sa.text(
                "SELECT k.key, array_agg(m.offer_id) AS offers FROM unnest(CAST(:keys AS text[])) "
                "AS k(key) CROSS JOIN LATERAL (SELECT offer_id FROM mdm.match_key "
                "WHERE match_key.key = k.key ORDER BY offer_id LIMIT :limit) m GROUP BY k.key"
            ),
            {"keys": list(keys), "limit": max(COMMON.values()) + 1},
        )
        return [(row.key, row.offers) for row in rows]

    def nearest(self, vectors: NDArray[Any], count: int) -> Sequence[Sequence[str]]:
        """Ids of the offers with the nearest titles to each vector, nearest first."""
        return self.neighbours.nearest(vectors, count)

    def members(
        self, offer_ids: Sequence[str], *, without: Sequence[str]
    ) -> tuple[list[Contender], NDArray[np.float32]]:
        """All live offers of the products of these offers, with the vectors of their titles."""
        import numpy as np

        if not offer_ids:
            return [], np.zeros((0, self.neighbours.dimensions), dtype=np.float32)
        rows = self.tx.execute(
            sa.text(
                "SELECT o.offer_id, o.merchant_id, o.condition, o.title, o.facts, o.product_id, "
                "v.vector FROM mdm.offer o LEFT JOIN mdm.offer_vector v "
                "ON v.offer_id = o.offer_id AND v.model_id = :model "
                "WHERE o.live AND o.product_id IN "
                "(SELECT product_id FROM mdm.offer WHERE offer_id = ANY(:ids) AND live) "
                "AND NOT o.offer_id = ANY(:without) ORDER BY o.offer_id"
            ),
            {"ids": list(offer_ids), "model": self.neighbours.model_id, "without": list(without)},
        ).all()
        members = [
            Contender(
                row.offer_id,
                row.merchant_id,
                row.condition,
                offer_features(row.title, row.facts),
                row.product_id,
            )
            for row in rows
        ]
        table = np.zeros((len(rows), self.neighbours.dimensions), dtype=np.float32)
        for place, row in enumerate(rows):
            if row.vector is not None:
                table[place] = np.frombuffer(row.vector, dtype=np.float16)
        return members, table

    def word_counts(self, words: Iterable[str]) -> Mapping[str, int]:
        """How many titles use each word; the empty word counts the titles."""
        rows = self.tx.execute(
            sa.text("SELECT word, offers FROM mdm.title_word WHERE word = ANY(:words)"),
            {"words": [*words, ""]},
        )
        return {row.word: row.offers for row in rows}
