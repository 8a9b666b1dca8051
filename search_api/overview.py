"""What a brand's index holds in all: merchants, makers, departments. Read every few seconds.

The names of chips, the number of merchants compared and the home page come from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from indexer.engine import Engine, FacetField, SearchRequest, Sort
from search_api.renewed import Renewed

KEEP_S, AT_MOST_S = 5.0, 60.0
"""Read anew beside the questions after the one, within a question after the other."""


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
    """The overview of each brand, a few seconds old."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._renewed = Renewed(self._read, "overview", keep_s=KEEP_S, at_most_s=AT_MOST_S)

    def of(self, brand_id: str) -> Overview:
        """The brand's overview, read at once where there is none yet, or only a very old one."""
        return self._renewed.made(brand_id)

    def _read(self, brand_id: str) -> Overview:
        fields = (FacetField.CATEGORY, FacetField.MANUFACTURER, FacetField.MERCHANT)
        found = self._engine.search(
            brand_id, SearchRequest(facets=fields, facet_size=2_000, sort=Sort.NEWEST, limit=1)
        )
        facets = found.counts().facets
        newest = self._engine.read(brand_id, found.hits)
        return Overview(
            product_count=found.total,
            merchants={row.value: row.label for row in facets[FacetField.MERCHANT]},
            manufacturers={row.value: row.label for row in facets[FacetField.MANUFACTURER]},
            category_counts={int(row.value): row.count for row in facets[FacetField.CATEGORY]},
            updated_at=next((document.updated_at for document in newest.values()), None),
        )
