"""Products found, as columns: a page shows a tenth of what the second stage puts in order.

In: one column for each thing that hits tell. Out: the columns, or a `Hit` of any place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

Column = NDArray[Any]


class Hit(NamedTuple):
    """A product found, with what the second stage ranks by. `score` is the engine's own scale."""

    product_id: str
    score: float
    in_stock: bool
    offer_count: int
    category_id: int | None = None
    similarity: float | None = None
    """Cosine to the request's vector; None where one of the two has no direction."""
    version: int = 0
    index: str = ""  # type: ignore[assignment]  # nobody looks for a place in this tuple
    """Where the hit was seen and at which version: `read` may answer it from memory."""
    accessories: int = 0
    """Kinds of accessory that the product is (`indexer.accessories`)."""
    before_head: int = 0
    """Words of its title that say only what it is for (`indexer.title_heads`)."""


def id_of(product: str | Hit) -> str:
    """The id of what `Reading.read` is asked for."""
    return product if isinstance(product, str) else product.product_id


@dataclass(frozen=True, slots=True, eq=False)
class Hits(Sequence[Hit]):
    """Hits in their order. `category_ids` are 0 and `similarities` NaN where there is none."""

    product_ids: Sequence[str]
    scores: Column
    in_stock: Column
    offer_counts: Column
    category_ids: Column
    similarities: Column
    versions: Column
    accessories: Column
    before_heads: Column
    seen_in: str
    """The index that all of them are of."""

    @classmethod
    def of(cls, hits: Iterable[Hit]) -> Hits:
        """Hits of one index, given one by one."""
        rows = tuple(hits)
        ids, scores, stock, offers, categories, cosines, versions, indices, kinds, heads = (
            zip(*rows, strict=True) if rows else ((),) * len(Hit._fields)
        )
        return cls(
            ids,
            np.array(scores, dtype=np.float64),
            np.array(stock, dtype=np.bool_),
            np.array(offers, dtype=np.int64),
            np.array([category or 0 for category in categories], dtype=np.int64),
            np.array(cosines, dtype=np.float64),
            np.array(versions, dtype=np.int64),
            np.array(kinds, dtype=np.int64),
            np.array(heads, dtype=np.int64),
            indices[0] if indices else "",
        )

    def __len__(self) -> int:
        return len(self.product_ids)

    @overload
    def __getitem__(self, place: int) -> Hit: ...
    @overload
    def __getitem__(self, place: slice) -> Hits: ...
    def __getitem__(self, place: int | slice) -> Hit | Hits:
        if isinstance(place, slice):
            return Hits(
                self.product_ids[place],
                self.scores[place],
                self.in_stock[place],
                self.offer_counts[place],
                self.category_ids[place],
                self.similarities[place],
                self.versions[place],
                self.accessories[place],
                self.before_heads[place],
                self.seen_in,
            )
        cosine = float(self.similarities[place])
        return Hit(
            self.product_ids[place],
            float(self.scores[place]),
            bool(self.in_stock[place]),
            int(self.offer_counts[place]),
            int(self.category_ids[place]) or None,
            None if cosine != cosine else cosine,  # noqa: PLR0124 - what NaN alone does
            int(self.versions[place]),
            self.seen_in,
            int(self.accessories[place]),
            int(self.before_heads[place]),
        )


NO_HITS = Hits.of(())
