"""Numbers among words: what names one thing is not to be widened. Pure."""

from __future__ import annotations

from indexer.analysis import is_measure

_MODEL = 3
"""Letters and digits of the shortest number that is a name."""


def has_digit(text: str) -> bool:
    """Whether a word is (or may be part of) a number."""
    return any(char.isdigit() for char in text)


def is_number(text: str) -> bool:
    """A model, article or trade number rather than words."""
    return has_digit(text) and len(text.split()) <= 2


def names_a_model(word: str) -> bool:
    """Whether a word is a number by which a thing is called (`g502`, `501`): no size, no count."""
    return has_digit(word) and len(word) >= _MODEL and not is_measure(word)
