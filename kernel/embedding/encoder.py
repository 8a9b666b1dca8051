"""Texts -> vectors, from a model2vec folder (config.json, model.safetensors, tokenizer.json). Read
without model2vec's own classes: theirs change the tokenizer at each call, which fails in threads.

Every row is a finite float32 unit vector, or all zeros where no piece of the text is known. Nothing
is downloaded and no large library is imported before a model is loaded. An Encoder is read-only
after loading, so threads share it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from kernel.errors import DomainError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

T = TypeVar("T")

SHIPPED_MODEL = Path(__file__).parent / "static"

CONFIG, TABLE, TOKENIZER = "config.json", "model.safetensors", "tokenizer.json"

MAX_CHARACTERS = (
    4_000  # of one text: the longest titles and specifications; the rest says little new
)
_MAX_PIECES = 512  # of one text, as model2vec does
_MAX_FILE_BYTES = 1 << 30
_PIECES_AT_ONCE = 16_384  # bounds the memory of one gather to 16 MB at 256 dimensions
_TEXTS_AT_ONCE = 1_024


@dataclass(frozen=True, slots=True)
class _Table:
    """Piece i is row `mapping[i]` (or i) times `weights[i]` (or 1); `unknown` is skipped."""

    rows: NDArray[Any]
    weights: NDArray[Any] | None
    mapping: NDArray[Any] | None
    unknown: int | None


class Encoder:
    """A loaded static model. `model_id` changes with the files that shape the vectors."""

    def __init__(self, tokenizer: Tokenizer, table: _Table, model_id: str) -> None:
        self._tokenizer = tokenizer
        self._table = table
        self.model_id = model_id
        self.dimensions = int(table.rows.shape[1])

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row for each text: float32 [len(texts), dimensions]."""
        import numpy as np

        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            batch = [_readable(t) for t in texts[start : start + _TEXTS_AT_ONCE]]
            self._pool(self._pieces(batch), vectors[start : start + _TEXTS_AT_ONCE])
        return vectors

    def encode_one(self, text: str) -> NDArray[np.float32]:
        """The vector of one query: float32 [dimensions]."""
        vector: NDArray[np.float32] = self.encode([text])[0]
        return vector

    def _pieces(self, texts: list[str]) -> list[list[int]]:
        unknown = self._table.unknown
        encoded = self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        return [[i for i in e.ids if i != unknown] for e in encoded]

    def _pool(self, pieces: list[list[int]], out: NDArray[np.float32]) -> None:
        """Write each list's unit mean into its row of `out`, a bounded part at a time."""
        start = 0
        while start < len(pieces):
            end, total = start, 0
            while end < len(pieces) and (
                end == start or total + len(pieces[end]) <= _PIECES_AT_ONCE
            ):
                total += len(pieces[end])
                end += 1
            self._pool_part(pieces[start:end], out[start:end])
            start = end

    def _pool_part(self, pieces: list[list[int]], out: NDArray[np.float32]) -> None:
        import numpy as np

        lengths = np.fromiter(map(len, pieces), dtype=np.int64, count=len(pieces))
        filled = np.flatnonzero(lengths)
        if not filled.size:
            return
        ids = np.fromiter(chain.from_iterable(pieces), dtype=np.int64, count=int(lengths.sum()))
        table = self._table
        rows = ids if table.mapping is None else table.mapping[ids]
        gathered = table.rows[rows].astype(np.float32)
        if table.weights is not None:
            gathered *= table.weights[ids, None]
        starts = np.cumsum(lengths[filled]) - lengths[filled]
        sums = np.add.reduceat(gathered, starts, axis=0)
        norms = np.sqrt(np.einsum("ij,ij->i", sums, sums))
        known = norms > 0
        out[filled[known]] = sums[known] / norms[known, None]


def load_encoder(model_path: Path | None = None) -> Encoder:
    """The encoder of a model folder (None: the shipped one), loaded once in a process.

    Raises DomainError `embedding_model_unreadable`, naming the file, when one is missing, damaged
    or belongs to another kind of model."""
    return _load((model_path or SHIPPED_MODEL).expanduser().resolve())


@cache
def _load(folder: Path) -> Encoder:
    # the servers' processes are the parallelism: more threads would only fight for their cores
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    config = _read(folder / CONFIG, _parse_config)
    digests = {name: _digest(folder / name) for name in (TABLE, TOKENIZER)}
    _verify(folder, config, digests)
    tokenizer = _read(folder / TOKENIZER, _parse_tokenizer)
    tensors = _read(folder / TABLE, _parse_table)
    unknown = _read(folder / TOKENIZER, _parse_unknown_piece)
    table = _read(folder / TABLE, lambda _: _assemble(tensors, tokenizer.get_vocab_size(), unknown))
    name = str(config.get("name") or folder.name)
    both = "".join(digests.values()).encode()
    return Encoder(tokenizer, table, f"{name}-{hashlib.sha256(both).hexdigest()[:12]}")


def _read(path: Path, parse: Callable[[Path], T]) -> T:
    try:
        return parse(path)
    except DomainError:
        raise
    except Exception as error:  # tokenizers raises no narrower one on a bad file
        raise _refused(path, f"{type(error).__name__}: {error}"[:200]) from error


def _refused(path: Path, reason: str) -> DomainError:
    return DomainError(
        "embedding_model_unreadable",
        f"The embedding model file {path} cannot be used: {reason}",
        hint="Unset EMBEDDING_MODEL for the shipped model, or point it at a model2vec folder. "
        "If the shipped file is damaged, install Comptoir again.",
        status=500,
    )


def _parse_config(path: Path) -> dict[str, Any]:
    if path.stat().st_size > 1 << 20:
        raise ValueError("larger than 1 MiB")
    config = json.loads(path.read_bytes())
    if not isinstance(config, dict):
        raise TypeError("not a JSON object")
    return config


def _digest(path: Path) -> str:
    def of_file(path: Path) -> str:
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise ValueError("larger than 1 GiB")
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    return _read(path, of_file)


def _verify(folder: Path, config: dict[str, Any], digests: dict[str, str]) -> None:
    """A model of ours names its files' digests; another's need not."""
    named = config.get("sha256", {})
    for name, digest in digests.items():
        if isinstance(named, dict) and named.get(name, digest) != digest:
            raise _refused(folder / name, f"its content is not the one that {CONFIG} names")


def _parse_tokenizer(path: Path) -> Tokenizer:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.enable_truncation(_MAX_PIECES)
    return tokenizer


def _parse_unknown_piece(path: Path) -> int | None:
    model = json.loads(path.read_bytes())["model"]
    if isinstance(number := model.get("unk_id"), int):
        return number
    found = model["vocab"].get(model.get("unk_token")) if isinstance(model["vocab"], dict) else None
    return found if isinstance(found, int) else None


def _parse_table(path: Path) -> dict[str, NDArray[Any]]:
    import numpy as np
    from safetensors.numpy import load_file

    tensors = load_file(path)
    if "embeddings" not in tensors or tensors["embeddings"].ndim != 2:
        raise ValueError("it holds no two-dimensional tensor named 'embeddings'")
    for name, tensor in tensors.items():
        if tensor.dtype.kind == "f" and not np.isfinite(tensor).all():
            raise ValueError(f"the tensor '{name}' holds numbers that are not finite")
    return tensors


def _assemble(tensors: dict[str, NDArray[Any]], pieces: int, unknown: int | None) -> _Table:
    rows, weights, mapping = tensors["embeddings"], tensors.get("weights"), tensors.get("mapping")
    if weights is not None and weights.shape != (pieces,):
        raise ValueError(f"its {weights.shape} weights do not fit the tokenizer's {pieces} pieces")
    if mapping is None and len(rows) != pieces:
        raise ValueError(f"its {len(rows)} rows do not fit the tokenizer's {pieces} pieces")
    if mapping is not None and (mapping.shape != (pieces,) or _outside(mapping, len(rows))):
        raise ValueError("its mapping does not fit its table and the tokenizer")
    return _Table(rows, weights, mapping, unknown)


def _outside(mapping: NDArray[Any], rows: int) -> bool:
    return bool(mapping.min() < 0 or mapping.max() >= rows)


def _readable(text: str) -> str:
    """At most MAX_CHARACTERS; lone surrogates, which UTF-8 cannot carry, become question marks."""
    text = text[:MAX_CHARACTERS]
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
