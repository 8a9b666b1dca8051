"""What every kind of model has in common: its facts, what it reads of a text, how a file of it is
refused. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kernel.errors import DomainError

MAX_CHARACTERS = 4_000
"""Of one text: the longest titles and specifications; the rest says little new."""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What people ask about a model; what it does not say is 0, () or None."""

    kind: str
    source: str
    """Its folder, or the name it was loaded by."""
    pieces: int
    bytes_on_disk: int
    languages: tuple[str, ...]
    licence: str | None


def unreadable(path: Path | str, reason: str) -> DomainError:
    """The refusal for a model file that cannot be used."""
    return DomainError(
        "embedding_model_unreadable",
        f"The embedding model file {path} cannot be used: {reason}",
        hint="Unset EMBEDDING_MODEL for the shipped model, or name a model2vec or "
        "sentence-transformers folder. If the shipped file is damaged, install Comptoir again.",
        status=500,
    )


def readable(text: str) -> str:
    """At most MAX_CHARACTERS; lone surrogates, which UTF-8 cannot carry, become question marks."""
    text = text[:MAX_CHARACTERS]
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
