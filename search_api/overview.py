"""What a brand's index holds in all: merchants, makers, departments. Read every few seconds.

The names of chips, the number of merchants compared and the home page come from here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

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
    mark: str = field(init=False, compare=False)
    """The same in every process that has read the same."""

    def __post_init__(self) -> None:
        parts = (self.product_count, self.merchants, self.manufacturers, self.category_counts)
        options = orjson.OPT_NON_STR_KEYS | orjson.OPT_SORT_KEYS
        said = orjson.dumps(parts, option=options)
        object.__setattr__(self, "mark", hashlib.blake2b(said, digest_size=8).hexdigest())


class Overviews:
    """The overview of each brand, a few seconds old."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._renewed = Renewed(self._read, "overview", keep_s=KEEP_S, at_most_s=AT_MOST_S)

    def latest(self, brand_id: str) -> Overview | None:
        """The overview there is, and a newer one begun where due; the first is for `of` to read."""
        is_there = self._renewed.held(brand_id) is not None
        return self._renewed.latest(brand_id) if is_there else None

    def of(self, brand_id: str) -> Overview:
        """The brand's overview, read at once where there is none yet, or only a very old one."""
        return self._renewed.made(brand_id)

    def last(self, brand_id: str) -> Overview:
        """The same, or the last known while the engine is away: for what the law wants told."""
        return self._renewed.last(brand_id)

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
