"""Answers as JSON: some hundreds of parts, written by the quickest encoder of dataclasses."""

from __future__ import annotations

import msgspec
from fastapi import Response

from search_api.answer import SearchAnswer
from search_api.plain_dataclass import changed
from search_api.product_card import ProductCard

_ENCODER = msgspec.json.Encoder()


def as_json(answer: object) -> bytes:
    """Any answer of `search_api.answer` as UTF-8 JSON; its shape is checked where it is made."""
    if isinstance(answer, SearchAnswer):
        # Cards are nine tenths of it, and most of each was written for an answer before.
        answer = changed(answer, products=[_card(card) for card in answer.products])
    return _ENCODER.encode(answer)


def json_answer(answer: object, status: int = 200) -> Response:
    """The answer as it is: it was checked when it was made, and checking costs more than making."""
    return Response(as_json(answer), status_code=status, media_type="application/json")


def _card(card: ProductCard) -> msgspec.Raw:
    added = (card.highlight, card.sponsored, card.sponsored_by)
    return msgspec.Raw(
        b'%b"highlight":%b,"sponsored":%b,"sponsored_by":%b}'
        % (card.written, *map(_ENCODER.encode, added))
    )
