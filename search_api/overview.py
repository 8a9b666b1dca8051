"""What a brand's index holds in all: merchants, makers, departments. Asked once in a few seconds.

The names of chips, the number of merchants compared and the home page come from here.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from indexer.engine import Engine, FacetField, SearchRequest, Sort

KEEP_S = 5.0


@dataclass(frozen=True, slots=True)
class Overview:
    """Labels and counts by value; merchants and makers by id or key, categories by id."""

    product_count: int
    merchants: Mapping[str, str]
    manufacturers: Mapping[str, str]
    category_counts: Mapping[int, int]
    updated_at: str | None = None
    """When the newest change of a product that is shown happened."""


class Overviews:
    """The overview of each brand, kept for a few seconds."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._kept: dict[str, tuple[float, Overview]] = {}

    def of(self, brand_id: str) -> Overview:
        """The brand's overview, at most KEEP_S old."""
        kept = self._kept.get(brand_id)
        if kept is not None and time.monotonic() - kept[0] < KEEP_S:
            return kept[1]
        overview = self._read(brand_id)
        self._kept[brand_id] = (time.monotonic(), overview)
        return overview

    def _read(self, brand_id: str) -> Overview:
        fields = (FacetField.CATEGORY, FacetField.MANUFACTURER, FacetField.MERCHANT)
        found = self._engine.search(
            brand_id, SearchRequest(facets=fields, facet_size=2_000, sort=Sort.NEWEST, limit=1)
        )
        newest = [datetime.fromtimestamp(hit.updated_at, UTC).isoformat() for hit in found.hits]
        return Overview(
            product_count=found.total,
            merchants={row.value: row.label for row in found.facets[FacetField.MERCHANT]},
            manufacturers={row.value: row.label for row in found.facets[FacetField.MANUFACTURER]},
            category_counts={
                int(row.value): row.count for row in found.facets[FacetField.CATEGORY]
            },
            updated_at=newest[0] if newest else None,
        )
