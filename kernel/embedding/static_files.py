"""A model2vec folder (config.json, model.safetensors, tokenizer.json) -> what encodes with it.

Read without model2vec's own classes: theirs change the tokenizer at each call, which fails in
threads. Every damage is a DomainError that names the file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from kernel.embedding.any_model import unreadable
from kernel.errors import DomainError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

T = TypeVar("T")

CONFIG, TABLE, TOKENIZER = "config.json", "model.safetensors", "tokenizer.json"
MAX_PIECES = 512
"""Of one text, as model2vec does."""
_MAX_FILE_BYTES = 1 << 30
_MAX_CONFIG_BYTES = 1 << 20

# What treats each part of a text between two blanks by itself, whatever stands beside it.
_LOCAL_NORMALIZERS = {"BertNormalizer", "Lowercase", "NFD", "NFKD", "StripAccents"}
_SPLITTERS = {"BertPreTokenizer", "Whitespace", "WhitespaceSplit"}
_LOCAL_SPLITTERS = _SPLITTERS | {"Digits", "Punctuation"}


@dataclass(frozen=True, slots=True)
class Table:
    """Piece i is row `mapping[i]` (or i) times `weights[i]` (or 1); `unknown` is skipped."""

    rows: NDArray[Any]
    weights: NDArray[Any] | None
    mapping: NDArray[Any] | None
    unknown: int | None

    def vectors(self, pieces: NDArray[np.int64]) -> NDArray[np.float32]:
        """The row of each piece: float32 [len(pieces), dimensions]."""
        import numpy as np

        rows = pieces if self.mapping is None else self.mapping[pieces]
        gathered: NDArray[np.float32] = self.rows[rows].astype(np.float32)
        if self.weights is not None:
            gathered *= self.weights[pieces, None]
        return gathered


@dataclass(frozen=True, slots=True)
class StaticFiles:
    """All that a folder holds. `splits_at_blanks`: a text's pieces are those of its parts between
    blanks, one after the other."""

    folder: Path
    tokenizer: Tokenizer
    table: Table
    config: dict[str, Any]
    model_id: str
    splits_at_blanks: bool

    def bytes_on_disk(self) -> int:
        """Of the three files."""
        return sum((self.folder / name).stat().st_size for name in (CONFIG, TABLE, TOKENIZER))


def read_static_files(folder: Path) -> StaticFiles:
    """Raises DomainError `embedding_model_unreadable`, naming the file, when one is missing,
    damaged or belongs to another kind of model."""
    config = _read(folder / CONFIG, _parse_config)
    digests = {name: _read(folder / name, _digest) for name in (TABLE, TOKENIZER)}
    _verify(folder, config, digests)
    # What is read of the description is small, and the rest gone before the tokenizer is made.
    unknown, splits_at_blanks = _read(folder / TOKENIZER, _parse_description)
    tokenizer = _read(folder / TOKENIZER, _parse_tokenizer)
    tensors = _read(folder / TABLE, _parse_table)
    pieces = tokenizer.get_vocab_size()
    table = _read(folder / TABLE, lambda _: _assemble(tensors, pieces, unknown))
    both = hashlib.sha256("".join(digests.values()).encode()).hexdigest()
    name = str(config.get("name") or folder.name)
    return StaticFiles(folder, tokenizer, table, config, f"{name}-{both[:12]}", splits_at_blanks)


def _read(path: Path, parse: Callable[[Path], T]) -> T:
    try:
        return parse(path)
    except DomainError:
        raise
    except Exception as error:  # tokenizers raises no narrower one on a bad file
        raise unreadable(path, f"{type(error).__name__}: {error}"[:200]) from error


def _parse_config(path: Path) -> dict[str, Any]:
    import orjson

    if path.stat().st_size > _MAX_CONFIG_BYTES:
        raise ValueError("larger than 1 MiB")
    config = orjson.loads(path.read_bytes())
    if not isinstance(config, dict):
        raise TypeError("not a JSON object")
    return config


def _digest(path: Path) -> str:
    if path.stat().st_size > _MAX_FILE_BYTES:
        raise ValueError("larger than 1 GiB")
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _verify(folder: Path, config: dict[str, Any], digests: dict[str, str]) -> None:
    """A model of ours names its files' digests; another's need not."""
    named = config.get("sha256", {})
    for name, digest in digests.items():
        if isinstance(named, dict) and named.get(name, digest) != digest:
            raise unreadable(folder / name, f"its content is not the one that {CONFIG} names")


def _parse_description(path: Path) -> tuple[int | None, bool]:
    """The unknown piece, and whether parts between blanks are independent."""
    import orjson

    described = orjson.loads(path.read_bytes())
    return _unknown_piece(described), _splits_at_blanks(described)


def _parse_tokenizer(path: Path) -> Tokenizer:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_buffer(path.read_bytes())
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_PIECES)
    return tokenizer


def _unknown_piece(described: dict[str, Any]) -> int | None:
    model = described["model"]
    if isinstance(number := model.get("unk_id"), int):
        return number
    vocab = model.get("vocab")
    found = vocab.get(model.get("unk_token")) if isinstance(vocab, dict) else None
    return found if isinstance(found, int) else None


def _splits_at_blanks(described: dict[str, Any]) -> bool:
    added = described.get("added_tokens") or ()
    splitters = _kinds(described.get("pre_tokenizer"), "pretokenizers")
    return (
        _kinds(described.get("normalizer"), "normalizers") <= _LOCAL_NORMALIZERS
        and bool(splitters & _SPLITTERS)
        and splitters <= _LOCAL_SPLITTERS
        and not described["model"].get("dropout")
        and not any(" " in token["content"] for token in added)
    )


def _kinds(part: dict[str, Any] | None, members: str) -> set[str]:
    """The type of a step, or those of a sequence of steps."""
    if part is None:
        return set()
    if part["type"] == "Sequence":
        return {step["type"] for step in part[members]}
    return {part["type"]}


def _parse_table(path: Path) -> dict[str, NDArray[Any]]:
    import numpy as np
    from safetensors.numpy import load_file

    tensors = load_file(path)
    if "embeddings" not in tensors or tensors["embeddings"].ndim != 2:
        raise ValueError("it holds no two-dimensional tensor named 'embeddings'")
    for name, tensor in tensors.items():
        if tensor.dtype.kind == "f" and not np.isfinite(tensor).all():
            raise ValueError(f"the tensor '{name}' holds numbers that are not finite")
    # Queries meet few of the rows: mapped, the others are in no process's memory.
    tensors["embeddings"] = _mapped(path, "embeddings", tensors["embeddings"])
    return tensors


def _mapped(path: Path, name: str, tensor: NDArray[Any]) -> NDArray[Any]:
    """The tensor as it lies in its file, which begins with the places of all (safetensors)."""
    import numpy as np
    import orjson

    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        begin, _ = orjson.loads(stream.read(length))[name]["data_offsets"]
    at = 8 + length + begin
    return np.asarray(np.memmap(path, tensor.dtype, "r", offset=at, shape=tensor.shape))


def _assemble(tensors: dict[str, NDArray[Any]], pieces: int, unknown: int | None) -> Table:
    rows, weights, mapping = tensors["embeddings"], tensors.get("weights"), tensors.get("mapping")
    if weights is not None and weights.shape != (pieces,):
        raise ValueError(f"its {weights.shape} weights do not fit the tokenizer's {pieces} pieces")
    if mapping is None and len(rows) != pieces:
        raise ValueError(f"its {len(rows)} rows do not fit the tokenizer's {pieces} pieces")
    if mapping is not None and (mapping.shape != (pieces,) or _outside(mapping, len(rows))):
        raise ValueError("its mapping does not fit its table and the tokenizer")
    return Table(rows, weights, mapping, unknown)


def _outside(mapping: NDArray[Any], rows: int) -> bool:
    return bool(mapping.min() < 0 or mapping.max() >= rows)
