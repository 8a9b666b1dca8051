"""Near titles as pieces of the index: vectors cut into short codes that near vectors share.

Each band of a code says on which side of some fixed planes a vector lies. Nothing is kept but the
codes, so a million titles need no graph of their own. Vectors are kept with the id of the model
that made them; those of another model are made anew and never compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BANDS = 12
BITS = 14
DOUBTFUL = 4
"""Bits of each band that are asked for both ways: those whose plane is nearest."""
_SEED = 20261122


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


def held_codes(vectors: NDArray[Any]) -> Iterator[tuple[str, ...]]:
    """The pieces that a title with this vector carries; none for a vector of nothing."""
    if not len(vectors):
        return
    sides = _sides(vectors)
    codes = ((sides > 0) << _places()).sum(axis=2)
    for vector, row in zip(vectors, codes.tolist(), strict=True):
        yield () if not vector.any() else tuple(_piece(band, code) for band, code in enumerate(row))


def asked_codes(vector: NDArray[Any]) -> list[str]:
    """The pieces to ask for: those of the vector, and of what lies just across a plane."""
    import numpy as np

    if not vector.any():
        return []
    sides = _sides(vector[None, :])[0]
    doubtful = np.argsort(np.abs(sides), axis=1)[:, :DOUBTFUL].tolist()
    codes = ((sides > 0) << _places()).sum(axis=1).tolist()
    return [
        _piece(band, code ^ flipped)
        for band, (code, bits) in enumerate(zip(codes, doubtful, strict=True))
        for flipped in (0, *(1 << bit for bit in bits))
    ]


def _piece(band: int, code: int) -> str:
    return f"v:{band:x}{code:04x}"


def _sides(vectors: NDArray[Any]) -> NDArray[np.float32]:
    """[rows, bands, bits]: how far on which side of each plane."""
    import numpy as np

    found = vectors.astype(np.float32) @ _planes(vectors.shape[1])
    return found.reshape(len(vectors), BANDS, BITS)


def _places() -> NDArray[np.int64]:
    import numpy as np

    return np.arange(BITS, dtype=np.int64)


@lru_cache(maxsize=4)
def _planes(dimensions: int) -> NDArray[np.float32]:
    """The same in every process and on every machine."""
    import numpy as np

    chance = np.random.Generator(np.random.PCG64(_SEED))
    return chance.standard_normal((dimensions, BANDS * BITS)).astype(np.float32)
