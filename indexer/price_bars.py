"""The bars that prices are counted in: one scale for every currency and both engines. Pure.

1, 1.5, 2, 3, 5, 7 times the powers of ten, in minor units: as fine for cables as for cars.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

_STEPS = (100, 150, 200, 300, 500, 700)
EDGES: Final = (
    0,
    *(step * 10**power for power in range(8) for step in _STEPS),
    100 * 10**8,
)
"""Bar i holds totals from EDGES[i] (included) to EDGES[i + 1] (excluded)."""


def bar_of(total_minor: int) -> int:
    """The bar that a total stands in; what is dearer than the last edge stands in none of them."""
    return bisect_right(EDGES, total_minor) - 1
