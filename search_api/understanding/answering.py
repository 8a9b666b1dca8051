"""What was understood, for the answer: labels to read, and addresses that undo. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kernel.categories import categories
from search_api.answer import Suggested, Understood
from search_api.cards import money
from search_api.overview import Overview
from search_api.query import ShopQuery, address, without_page
from search_api.understanding.recognition import Piece


def understood(
    pieces: Sequence[Piece], query: ShopQuery, language: str, overview: Overview
) -> tuple[Understood, ...]:
    """Each piece with the address of the search that takes it as words."""
    return tuple(
        Understood(
            kind=piece.kind,
            text=piece.text,
            label=_label(piece, language, overview),
            key=piece.key,
            value=piece.value,
            low=money(piece.low, query.currency),
            high=money(piece.high, query.currency),
            url=as_words(query, piece.undone_as, language),
        )
        for piece in pieces
    )


def as_words(query: ShopQuery, kind: str, language: str) -> str:
    """The address of the same search without this kind of understanding."""
    kinds = tuple(dict.fromkeys((*query.as_words, kind)))
    return address(replace(without_page(query), as_words=kinds), language)


def suggested(text: str | None, query: ShopQuery, language: str) -> Suggested | None:
    """Another text with the address of its search."""
    if text is None:
        return None
    return Suggested(text=text, url=address(replace(without_page(query), text=text), language))


def _label(piece: Piece, language: str, overview: Overview) -> str:
    if piece.kind == "category":
        return categories()[int(piece.value)].name(language)
    if piece.kind == "manufacturer":
        return overview.manufacturers.get(piece.value, piece.text)
    return piece.value or piece.text
