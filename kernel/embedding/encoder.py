"""The port of the embedding models, and which one a setting means.

In: texts. Out: one row a text, a finite float32 unit vector, or all zeros where the model sees
nothing in it (blank text, no known piece): a zero vector is near to nothing and is never stored in
an index. Vectors of two `model_id`s must never be compared. Nothing large is imported, and nothing
downloaded, before a model is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from kernel.embedding.any_model import ModelFacts, unreadable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHIPPED_MODEL = Path(__file__).parent / "static"


class Encoder(Protocol):
    """A loaded model, shared by threads. `model_id` changes with whatever shapes the vectors."""

    @property
    def model_id(self) -> str:
        """Name and digest."""
        ...

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        ...

    @property
    def facts(self) -> ModelFacts:
        """What people ask about it."""
        ...

    @property
    def loaded_at(self) -> float:
        """`time.monotonic()` at its loading: who loaded later knows the newer setting."""
        ...

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Texts of products: float32 [len(texts), dimensions]."""
        ...

    def encode_one(self, text: str) -> NDArray[np.float32]:
        """A shopper's query: float32 [dimensions]."""
        ...

    def knows(self, word: str) -> bool:
        """Whether a word (folded) stands whole in a vocabulary of words that people write.

        False says little: rare words are known in pieces, and some models by pieces alone."""
        ...


def load_encoder(model: str | Path | None = None) -> Encoder:
    """The model that EMBEDDING_MODEL means, loaded once in a process.

    None is the shipped one; a folder is a model2vec or a sentence-transformers model; any other
    text is the name of a sentence-transformers model. Raises DomainError
    `embedding_model_unreadable`, naming the file, and `embedding_extra_missing`, saying what to
    install."""
    if model is None:
        return _load(str(SHIPPED_MODEL))
    folder = Path(model).expanduser()
    if folder.exists():
        return _load(str(folder.resolve()))
    if isinstance(model, Path) or _is_path(model):
        raise unreadable(folder, "there is no such folder")
    return _load(model)


@cache
def _load(source: str) -> Encoder:
    folder = Path(source)
    if _is_sentence_model(folder):
        from kernel.embedding.sentence_model import load_sentence_model

        return load_sentence_model(source)
    from kernel.embedding.static_model import load_static_model

    return load_static_model(folder)


def _is_path(name: str) -> bool:
    """Names of models have one slash at most; anything else was meant as a folder."""
    return name.startswith((".", "/", "~")) or name.count("/") > 1 or "\\" in name


def _is_sentence_model(source: Path) -> bool:
    """A name, or a folder as sentence-transformers (modules.json) or transformers save them."""
    if not source.exists() or (source / "modules.json").exists():
        return True
    try:
        head = (source / "config.json").read_bytes()[: 1 << 20]
    except OSError:
        return False
    return b'"model2vec"' not in head and b'"architectures"' in head
