"""Products that are near in meaning, and the category that most of them share. No SQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from indexer.engine import Engine, Filters, Neighbour, SearchRequest
from kernel.embedding.encoder import Encoder

_HINT = 0.3
"""Cosine below which products are near by accident."""
_LOOKED_AT = 10


@dataclass(frozen=True, slots=True)
class Nearest:
    """Of one brand's index, as one model reads texts."""

    engine: Engine
    encoder: Encoder
    brand_id: str

    def products(self, text: str, filters: Filters, limit: int) -> tuple[Neighbour, ...]:
        """Best first. An index that is yet to be rebuilt with this model answers none, no error."""
        return self.engine.neighbours(
            self.brand_id,
            self.encoder.encode_one(text),
            filters=filters,
            limit=limit,
            model_id=self.encoder.model_id,
        )

    def common_category(self, near: Sequence[Neighbour]) -> int | None:
        """The category of most of the nearest ten, where they are not merely random."""
        ids = [row.product_id for row in near[:_LOOKED_AT] if row.similarity >= _HINT]
        if not ids:
            return None
        request = SearchRequest(filters=Filters(product_ids=tuple(ids)), limit=len(ids))
        hits = self.engine.search(self.brand_id, request).hits
        counted = Counter(hit.category_id for hit in hits if hit.category_id is not None)
        category, count = next(iter(counted.most_common(1)), (None, 0))
        return category if 2 * count >= len(ids) else None


def near_enough(near: Sequence[Neighbour], floor: float) -> list[str]:
    """Ids of products whose cosine is not below the floor, nearest first."""
    return [row.product_id for row in near if row.similarity >= floor]
