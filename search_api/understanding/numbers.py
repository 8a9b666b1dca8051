"""Numbers among words: what names one thing is not to be widened. Pure."""

from __future__ import annotations


def has_digit(text: str) -> bool:
    """Whether a word is (or may be part of) a number."""
    return any(char.isdigit() for char in text)


def is_number(text: str) -> bool:
    """A model, article or trade number rather than words."""
    return has_digit(text) and len(text.split()) <= 2
