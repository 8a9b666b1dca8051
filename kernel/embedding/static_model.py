"""A static model: a text's vector is the sum of its pieces' rows, brought to unit length.

Words come again and again, so the sum of each part between two blanks is kept while there is room;
what a text is given never depends on what is kept. Nothing else changes after loading: threads
share a model, and a process may fork with it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, repeat
from pathlib import Path
from typing import TYPE_CHECKING

from kernel.embedding.any_model import MAX_CHARACTERS, ModelFacts, readable
from kernel.embedding.static_files import MAX_PIECES, StaticFiles, read_static_files

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_TEXTS_AT_ONCE = 512
_CHARACTERS_AT_ONCE = 8 * MAX_CHARACTERS  # bounds the memory of one step to some 16 MB
_KEPT_BYTES = 32 << 20
_LONGEST_KEPT = 32  # characters: longer parts are rarely met twice


def load_static_model(folder: Path) -> StaticModel:
    """Raises DomainError `embedding_model_unreadable`, naming the file."""
    # the servers' processes are the parallelism: more threads would only fight for their cores
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    return StaticModel(read_static_files(folder))


class StaticModel:
    """A loaded static model: an `Encoder`."""

    def __init__(self, files: StaticFiles) -> None:
        self.model_id = files.model_id
        self.dimensions = int(files.table.rows.shape[1])
        self.loaded_at = time.monotonic()
        self._files = files
        self._kept = _Kept(self.dimensions)
        self._keeping = threading.Lock()

    @property
    def facts(self) -> ModelFacts:
        """What its config.json says, and what is on the disk."""
        config = self._files.config
        languages = config.get("languages") or config.get("language") or ()
        return ModelFacts(
            kind="static",
            source=str(self._files.folder),
            pieces=self._files.tokenizer.get_vocab_size(),
            bytes_on_disk=self._files.bytes_on_disk(),
            languages=tuple(str(each) for each in languages) if not isinstance(languages, str)
            else (languages,),
            licence=config.get("licence") or config.get("license"),
        )  # fmt: skip

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row for each text: float32 [len(texts), dimensions]."""
        import numpy as np

        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        start = 0
        for batch in _batches(texts):
            out = vectors[start : start + len(batch)]
            if self._files.splits_at_blanks:
                self._sum_parts(batch, out)
            else:
                out[:] = self._sum_whole(batch)[0]
            _to_unit_length(out)
            start += len(batch)
        return vectors

    def encode_one(self, text: str) -> NDArray[np.float32]:
        """The vector of one query: float32 [dimensions]; that of `encode`, in half the time."""
        import numpy as np

        if not self._files.splits_at_blanks:
            whole: NDArray[np.float32] = self.encode([text])[0]
            return whole
        cut = readable(text)
        parts = cut.split(" ")
        kept = self._kept
        rows = [kept.rows.get(part, -1) for part in parts]
        missing = list(dict.fromkeys(p for p, row in zip(parts, rows, strict=True) if row < 0))
        fresh, counts = self._sum_whole(missing) if missing else (kept.sums, kept.pieces)
        places = {part: place for place, part in enumerate(missing)}
        out = np.zeros((1, self.dimensions), dtype=np.float32)
        pieces = 0
        for part, row in zip(parts, rows, strict=True):
            sums, of, place = (
                (kept.sums, kept.pieces, row) if row >= 0 else (fresh, counts, places[part])
            )
            out[0] += sums[place]
            pieces += int(of[place])
        if missing:
            self._keep(missing, fresh, counts)
        if pieces > MAX_PIECES:
            out = self._sum_whole([cut])[0]
        _to_unit_length(out)
        vector: NDArray[np.float32] = out[0]
        return vector

    def knows(self, word: str) -> bool:
        """Whether the word is one piece: slips of the hand are several."""
        place: int | None = self._files.tokenizer.token_to_id(word)
        return place is not None and place != self._files.table.unknown

    def _sum_parts(self, texts: list[str], out: NDArray[np.float32]) -> None:
        """Sums of the texts by way of their parts between blanks."""
        import numpy as np

        split = [text.split(" ") for text in texts]
        parts = list(chain.from_iterable(split))
        lengths = np.fromiter(map(len, split), dtype=np.int64, count=len(split))
        kept = self._kept
        rows = np.fromiter(map(kept.rows.get, parts, repeat(-1)), dtype=np.int64, count=len(parts))
        pieces = kept.pieces[rows]
        fresh = self._look_up(parts, rows, pieces)

        def sums_of(chosen: NDArray[np.int64]) -> NDArray[np.float32]:
            found = kept.sums[np.maximum(chosen, 0)]
            missing = np.flatnonzero(chosen < 0)
            found[missing] = fresh[-1 - chosen[missing]]
            return found

        _add_up(rows, lengths, sums_of, out)
        # The tokenizer cuts a text behind a number of pieces, maybe within a part.
        counts = np.add.reduceat(pieces, np.cumsum(lengths) - lengths)
        for place in np.flatnonzero(counts > MAX_PIECES):
            out[place] = self._sum_whole([texts[place]])[0]

    def _look_up(
        self, parts: list[str], rows: NDArray[np.int64], pieces: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Sums of the parts whose row is -1; their rows become -1 - place in these sums."""
        import numpy as np

        missing = np.flatnonzero(rows < 0)
        distinct = {part: n for n, part in enumerate(dict.fromkeys(parts[n] for n in missing))}
        fresh, counts = self._sum_whole(list(distinct))
        if missing.size:
            which = np.array([distinct[parts[place]] for place in missing], dtype=np.int64)
            rows[missing], pieces[missing] = -1 - which, counts[which]
            self._keep(list(distinct), fresh, counts)
        return fresh

    def _keep(self, parts: list[str], sums: NDArray[np.float32], pieces: NDArray[np.int64]) -> None:
        """Keep new parts; where there is no room, begin again with these."""
        chosen = [place for place, part in enumerate(parts) if len(part) <= _LONGEST_KEPT]
        # Never waited for: a thread that finds it taken, or a forked process that inherits it
        # taken, does without.
        if not chosen or not self._keeping.acquire(blocking=False):
            return
        try:
            if not self._kept.has_room(len(chosen)):
                self._kept = _Kept(self.dimensions)
            if self._kept.has_room(len(chosen)):
                self._kept.add([parts[n] for n in chosen], sums[chosen], pieces[chosen])
        finally:
            self._keeping.release()

    def _sum_whole(self, texts: list[str]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The sum and the number of pieces of each text, by way of the tokenizer."""
        import numpy as np

        encoded = self._files.tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        unknown = self._files.table.unknown
        ids = [each.ids for each in encoded]
        pieces = np.fromiter(map(len, ids), dtype=np.int64, count=len(ids))
        known = [[i for i in row if i != unknown] if unknown in row else row for row in ids]
        sums = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        lengths = np.fromiter(map(len, known), dtype=np.int64, count=len(known))
        flat = np.fromiter(chain.from_iterable(known), dtype=np.int64, count=int(lengths.sum()))
        _add_up(flat, lengths, self._files.table.vectors, sums)
        return sums, pieces


class _Kept:
    """Parts of texts with their sums. Rows are filled before they can be found, and stay."""

    def __init__(self, dimensions: int) -> None:
        import numpy as np

        self._room = max(_KEPT_BYTES // (4 * dimensions), 64)
        self.sums = np.zeros((self._room, dimensions), dtype=np.float32)
        self.pieces = np.zeros(self._room, dtype=np.int64)
        self.rows: dict[str, int] = {"": 0}

    def has_room(self, count: int) -> bool:
        return len(self.rows) + count <= self._room

    def add(self, parts: list[str], sums: NDArray[np.float32], pieces: NDArray[np.int64]) -> None:
        start = len(self.rows)
        fresh = [n for n, part in enumerate(parts) if part not in self.rows]
        end = start + len(fresh)
        self.sums[start:end], self.pieces[start:end] = sums[fresh], pieces[fresh]
        self.rows.update((parts[n], start + place) for place, n in enumerate(fresh))


def _batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """Texts as they are read, a bounded number and length at a time."""
    batch: list[str] = []
    characters = 0
    for text in texts:
        cut = readable(text)
        characters += len(cut)
        if batch and (characters > _CHARACTERS_AT_ONCE or len(batch) == _TEXTS_AT_ONCE):
            yield batch
            batch, characters = [], len(cut)
        batch.append(cut)
    if batch:
        yield batch


def _add_up(
    flat: NDArray[np.int64],
    lengths: NDArray[np.int64],
    vectors_of: Callable[[NDArray[np.int64]], NDArray[np.float32]],
    out: NDArray[np.float32],
) -> None:
    """Row n of `out` becomes the sum of the vectors of its `lengths[n]` entries of `flat`.

    Always in their order, so that a sum is the same whatever stands beside it. The first entries
    of all rows are added at once, then the second ones: several times faster than `reduceat`."""
    import numpy as np

    longest_first = np.argsort(-lengths, kind="stable")
    falling = lengths[longest_first]
    starts = (np.cumsum(lengths) - lengths)[longest_first]
    sums = np.zeros_like(out)
    longest = int(falling[0]) if falling.size else 0
    alive = np.searchsorted(-falling, -np.arange(longest), side="left")
    for place, count in enumerate(alive.tolist()):
        sums[:count] += vectors_of(flat[starts[:count] + place])
    out[longest_first] = sums


def _to_unit_length(vectors: NDArray[np.float32]) -> None:
    """In place; what has no direction becomes the zero vector."""
    import numpy as np

    norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    is_directed = np.isfinite(norms) & (norms > 0)
    vectors[~is_directed] = 0
    vectors /= np.where(is_directed, norms, 1)[:, None]
