"""What a question says the thing is to be without, for the answer, and how that is undone. Pure."""

from __future__ import annotations

from indexer.analysis import query_words
from search_api.understanding.numbers import is_number
from search_api.understanding.recognition import Piece
from search_api.understanding.written import as_typed

DENIED = "denied"


def denied_pieces(text: str, language: str, typed: str) -> tuple[Piece, ...]:
    """A piece for each denial of the words that were searched, written as the shopper did."""
    words = [word.text for word in query_words(text, language) if word.denied]
    return tuple(Piece("denied", word) for word in as_typed(words, f"{text} {typed}"))


def affirmed(text: str, language: str) -> str:
    """The text with what it denies as plain words; the same text where it denies nothing."""
    words = query_words(text, language)
    if not any(word.denied for word in words):
        return text
    return " ".join(word.denied or word.text for word in words)


def stands_alone(text: str, language: str) -> bool:
    """Whether nothing is near in meaning: to a number, and to what is to be without something."""
    return is_number(text) or any(word.denied for word in query_words(text, language))
