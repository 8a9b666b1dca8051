"""Nearest titles by their vectors: a process's own index over the vectors that mdm has stored.

Vectors are kept with the id of the model that made them; those of another model are made anew and
never compared. Exact up to some ten thousand vectors, a navigable graph beyond.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import sqlalchemy as sa

from kernel.db import Transaction

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EXACT_UP_TO = 60_000
_PAGE = 50_000


class TitleEncoder(Protocol):
    """Texts to unit vectors, as `kernel.embedding` does it."""

    @property
    def model_id(self) -> str:
        """Names the model; changes whenever its vectors change."""
        ...

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        ...

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One unit row for each text."""
        ...


class Neighbours:
    """Vectors by offer id, growing with what is stored. Not for several threads at once."""

    def __init__(self, model_id: str, dimensions: int) -> None:
        import numpy as np

        self.model_id = model_id
        self.dimensions = dimensions
        self._rows = np.zeros((0, dimensions), dtype=np.float32)
        self._ids: list[str] = []
        self._places: dict[str, int] = {}
        self._seen = 0
        self._graph: Any = None

    def refresh(self, tx: Transaction) -> None:
        """Take up what was stored since the last time, by whichever process."""
        import numpy as np

        while True:
            rows = tx.execute(
                sa.text(
                    "SELECT stored, offer_id, vector FROM mdm.offer_vector "
                    "WHERE model_id = :model AND stored > :seen ORDER BY stored LIMIT :page"
                ),
                {"model": self.model_id, "seen": self._seen, "page": _PAGE},
            ).all()
            if not rows:
                return
            table = np.frombuffer(b"".join(row.vector for row in rows), dtype=np.float16)
            self._add([row.offer_id for row in rows], table.reshape(len(rows), -1))
            self._seen = rows[-1].stored

    def nearest(self, vectors: NDArray[Any], count: int) -> list[list[str]]:
        """The nearest offers of each vector, nearest first."""
        if not self._ids or not len(vectors):
            return [[] for _ in range(len(vectors))]
        count = min(count, len(self._ids))
        if self._graph is None:
            return [
                [self._ids[place] for place in row]
                for row in nearest_rows(vectors, self._rows, count)
            ]
        found = self._graph.search(vectors, count, threads=1)
        return [
            [self._ids[int(key)] for key in row if int(key) < len(self._ids)]
            for row in found.keys.reshape(len(vectors), -1)
        ]

    def _add(self, offer_ids: Sequence[str], vectors: NDArray[Any]) -> None:
        """Add vectors; a newer one of the same offer blots out the older."""
        import numpy as np

        old = [self._places[each] for each in offer_ids if each in self._places]
        start = len(self._ids)
        self._ids += offer_ids
        self._places.update((each, start + place) for place, each in enumerate(offer_ids))
        if self._graph is not None:
            self._graph.remove(np.array(old, dtype=np.uint64))
            self._add_to_graph(start, vectors)
            return
        self._rows = np.concatenate([self._rows, vectors.astype(np.float32)])
        self._rows[old] = 0.0
        if len(self._ids) > EXACT_UP_TO:
            from usearch.index import Index

            self._graph = Index(ndim=self._rows.shape[1], metric="cos", dtype="i8", connectivity=12)
            self._add_to_graph(0, self._rows)
            self._graph.remove(np.flatnonzero(~self._rows.any(axis=1)).astype(np.uint64))
            self._rows = self._rows[:0]

    def _add_to_graph(self, start: int, vectors: NDArray[Any]) -> None:
        import numpy as np

        keys = np.arange(start, start + len(vectors), dtype=np.uint64)
        # One thread: the same vectors in the same order give the same graph.
        self._graph.add(keys, vectors.astype(np.float32), threads=1)


def nearest_rows(
    vectors: NDArray[Any], table: NDArray[Any], count: int, step: int = 512
) -> list[list[int]]:
    """Places in the table of the nearest rows to each vector, nearest first; exact."""
    import numpy as np

    found: list[list[int]] = []
    count = min(count, len(table))
    for start in range(0, len(vectors), step):
        likeness = vectors[start : start + step] @ table.T
        best = np.argpartition(-likeness, count - 1, axis=1)[:, :count]
        order = np.argsort(-np.take_along_axis(likeness, best, axis=1), axis=1, kind="stable")
        found += np.take_along_axis(best, order, axis=1).tolist()
    return found
