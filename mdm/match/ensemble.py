"""A small ensemble of decision trees read from a JSON file: numbers in, log odds out. Pure.

Every node keeps the mean of what lies below it, so that a score is told as a sum of contributions:
each step down a tree moves the odds, and that move belongs to the number the step asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from kernel.errors import DomainError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FORMAT = 1
MAX_DEPTH = 12
# So many rows at once stay in the processor's cache with all trees.
_AT_ONCE = 128


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Nodes of all trees in one table. A leaf leads to itself, so that all trees end together.

    `names` are the columns that a row has to have, in order; `roots` the first node of each tree;
    `onward` the two nodes behind each: where the row's number is not above the threshold, and where
    it is.
    """

    names: tuple[str, ...]
    base: float
    depth: int
    roots: NDArray[np.intp]
    column: NDArray[np.intp]
    threshold: NDArray[np.float64]
    onward: NDArray[np.intp]
    value: NDArray[np.float64]

    def log_odds(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """[n, columns] -> [n]."""
        import numpy as np

        found = np.empty(len(rows))
        for start in range(0, len(rows), _AT_ONCE):
            some = rows[start : start + _AT_ONCE]
            numbers, first = some.ravel(), np.arange(len(some))[:, None] * some.shape[1]
            nodes = np.repeat(self.roots[None, :], len(some), axis=0)
            for _ in range(self.depth):
                is_above = numbers.take(self.column.take(nodes) + first) > self.threshold.take(
                    nodes
                )
                nodes = self.onward.take(2 * nodes + is_above)
            found[start : start + _AT_ONCE] = self.value.take(nodes).sum(axis=1)
        return self.base + found

    def contributions(self, row: Sequence[float]) -> dict[str, float]:
        """How far each column moves the log odds of a row; added to `start` they are its score."""
        import numpy as np

        given = np.asarray(row, dtype=np.float64)
        moved = np.zeros(len(self.names))
        nodes = self.roots
        for _ in range(self.depth):
            column = self.column[nodes]
            steps = self.onward[2 * nodes + (given[column] > self.threshold[nodes])]
            np.add.at(moved, column, self.value[steps] - self.value[nodes])
            nodes = steps
        return dict(zip(self.names, moved.tolist(), strict=True))

    @property
    def start(self) -> float:
        """The log odds before anything is known of a pair."""
        return self.base + float(self.value[self.roots].sum())


def read_ensemble(path: Path, names: Sequence[str]) -> Ensemble:
    """Read an ensemble made for these columns. DomainError `match_model_unreadable` otherwise."""
    try:
        data = orjson.loads(path.read_bytes())
        if data["format"] != FORMAT or tuple(data["names"]) != tuple(names):
            raise ValueError("it was made for other evidence")
        return _ensemble(data)
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise DomainError(
            "match_model_unreadable",
            f"The matching model {path} cannot be used: {error}",
            hint="Install Comptoir again, or train it: comptoir match train",
            status=500,
        ) from error


def _ensemble(data: dict[str, Any]) -> Ensemble:
    import numpy as np

    roots: list[int] = []
    nodes: list[tuple[int, float, int, int, float]] = []
    for tree in data["trees"]:
        start = len(nodes)
        roots.append(start)
        for place, (column, threshold, below, above, value) in enumerate(tree):
            if not (place <= below < len(tree) and place <= above < len(tree)):
                raise ValueError("a tree leads outside itself")
            if not 0 <= column < len(data["names"]):
                raise ValueError("a tree asks for a column that is not there")
            nodes.append((column, threshold, start + below, start + above, value))
    table = np.array(nodes, dtype=np.float64)
    if not np.isfinite(table).all() or not 0 < int(data["depth"]) <= MAX_DEPTH:
        raise ValueError("it holds numbers that cannot be meant")
    return Ensemble(
        names=tuple(data["names"]),
        base=float(data["base"]),
        depth=int(data["depth"]),
        roots=np.array(roots, dtype=np.intp),
        column=table[:, 0].astype(np.intp),
        threshold=table[:, 1],
        onward=table[:, 2:4].astype(np.intp).ravel(),
        value=table[:, 4],
    )
