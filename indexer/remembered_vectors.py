"""Vectors of texts met before: a product whose price changed is not read by the model again.

Bounded, the least recently used go first; for all threads of a process.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from indexer.engine import Vector
from kernel.embedding.encoder import Encoder

MOST = 20_000


class RememberedVectors:
    """At most `most` rows, of whatever models."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._rows: OrderedDict[tuple[str, str], Vector] = OrderedDict()
        self._turn = threading.Lock()

    def encode(self, encoder: Encoder, texts: Sequence[str]) -> Vector:
        """As `encoder.encode`: one row for each text, float32 [len(texts), dimensions]."""
        names = [(encoder.model_id, text) for text in texts]
        with self._turn:
            found = {name: self._rows[name] for name in names if name in self._rows}
            for name in found:
                self._rows.move_to_end(name)
        missing = list(dict.fromkeys(name for name in names if name not in found))
        if missing:
            # Rows of their own: one of a large array would keep the whole of it.
            rows = encoder.encode([text for _, text in missing])
            found |= {name: row.copy() for name, row in zip(missing, rows, strict=True)}
            self._keep({name: found[name] for name in missing[-self._most :]})
        if not names:
            return np.zeros((0, encoder.dimensions), dtype=np.float32)
        return np.stack([found[name] for name in names])

    def _keep(self, rows: dict[tuple[str, str], Vector]) -> None:
        with self._turn:
            self._rows.update(rows)
            while len(self._rows) > self._most:
                self._rows.popitem(last=False)
