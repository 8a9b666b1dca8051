"""A sentence-transformers model, by folder or by name, as an `Encoder`. Needs the extra `models`.

Where HF_HUB_OFFLINE is set a name is looked up in the local cache alone. Texts are cut as for our
own model, and a blank one is the zero vector: a network would give it some direction."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernel.embedding.any_model import ModelFacts, readable, unreadable
from kernel.errors import DomainError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_TEXTS_AT_ONCE = 1_024


def load_sentence_model(source: str) -> SentenceModel:
    """Raises DomainError `embedding_extra_missing` and `embedding_model_unreadable`."""
    if find_spec("sentence_transformers") is None or find_spec("torch") is None:
        raise DomainError(
            "embedding_extra_missing",
            f"EMBEDDING_MODEL is {source}, a sentence-transformers model, and the extra that "
            "runs those is not installed.",
            hint="pip install 'comptoir[models]', or unset EMBEDDING_MODEL for the shipped model.",
            status=500,
        )
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        model = SentenceTransformer(source)
        dimensions = model.get_embedding_dimension()
    except Exception as error:  # whatever the libraries below raise on a bad file
        raise unreadable(source, f"{type(error).__name__}: {error}"[:200]) from error
    if not dimensions:
        raise unreadable(source, "it does not say how long its vectors are")
    return SentenceModel(model, source, int(dimensions))


class SentenceModel:
    """A loaded sentence-transformers model: an `Encoder`."""

    def __init__(self, model: Any, source: str, dimensions: int) -> None:
        self._model = model
        self._source = source
        self._encoding = threading.Lock()
        self.dimensions = dimensions
        self.loaded_at = time.monotonic()
        self.model_id = f"{source.rstrip('/').rpartition('/')[2]}-{_digest(model)[:12]}"

    @property
    def facts(self) -> ModelFacts:
        """What the libraries say of it, and what is on the disk."""
        card = getattr(self._model, "model_card_data", None)
        languages = getattr(card, "language", None) or ()
        folder = Path(self._source)
        files = folder.rglob("*") if folder.is_dir() else ()
        return ModelFacts(
            kind="sentence-transformers",
            source=self._source,
            pieces=len(getattr(self._model, "tokenizer", None) or ()),
            bytes_on_disk=sum(path.stat().st_size for path in files if path.is_file()),
            languages=(languages,) if isinstance(languages, str) else tuple(languages),
            licence=getattr(card, "license", None),
        )

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row for each text: float32 [len(texts), dimensions]."""
        return self._rows(texts, self._model.encode_document)

    def knows(self, word: str) -> bool:
        """Never: how a network's pieces mark the whole words is its own affair."""
        del word
        return False

    def encode_one(self, text: str) -> NDArray[np.float32]:
        """The vector of one query: float32 [dimensions]."""
        vector: NDArray[np.float32] = self._rows([text], self._model.encode_query)[0]
        return vector

    def _rows(self, texts: Sequence[str], encode: Any) -> NDArray[np.float32]:
        import numpy as np

        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            batch = [readable(text) for text in texts[start : start + _TEXTS_AT_ONCE]]
            places = [place for place, text in enumerate(batch) if text.strip()]
            if not places:
                continue
            # The tokenizers below change a setting at each call: one thread at a time.
            with self._encoding:
                rows = encode([batch[place] for place in places], show_progress_bar=False)
            vectors[[start + place for place in places]] = _unit(np.asarray(rows, np.float32))
        return vectors


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    import numpy as np

    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    is_directed = np.isfinite(norms) & (norms > 0)
    unit: NDArray[np.float32] = np.where(is_directed, rows / np.where(is_directed, norms, 1), 0)
    return unit


def _digest(model: Any) -> str:
    """Of the weights, the tokenizer, the modules and their prompts: what shapes the vectors."""
    import torch

    found = hashlib.sha256(f"{model}{sorted(model.prompts.items())}".encode())
    with torch.no_grad():
        for name, tensor in sorted(model.state_dict().items()):
            found.update(name.encode())
            found.update(
                tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data
            )
    tokenizer = getattr(getattr(model, "tokenizer", None), "backend_tokenizer", None)
    if tokenizer is not None:
        found.update(tokenizer.to_str().encode())
    return found.hexdigest()
