"""Answers as JSON: some hundreds of parts, written by the quickest encoder of dataclasses."""

from __future__ import annotations

import msgspec
from fastapi import Response

from search_api.answer import Degraded, SearchAnswer
from search_api.plain_dataclass import changed
from search_api.product_card import ProductCard

_ENCODER = msgspec.json.Encoder()
_FIRST, _IGNORED = b'{"query_id":""', b'"ignored":'


def as_json(answer: object) -> bytes:
    """Any answer of `search_api.answer` as UTF-8 JSON; its shape is checked where it is made."""
    if isinstance(answer, SearchAnswer):
        # Cards are nine tenths of it, and most of each was written for an answer before.
        answer = changed(answer, products=[_card(card) for card in answer.products])
    return _ENCODER.encode(answer)


def with_own_parts(
    written: bytes,
    query_id: str,
    ignored: tuple[str, ...],
    degraded: Degraded | None,
    took_ms: float,
) -> bytes:
    """The JSON of a search answer without `query_id` and `explain`, with the parts that each asking
    has of its own: they stand first and last (`search_api.answer.SearchAnswer`)."""
    begin, middle = written[: len(_FIRST)], written[len(_FIRST) :].rpartition(_IGNORED)[0]
    if begin != _FIRST or not middle:
        raise ValueError("this is not how an answer is written")
    named, *own = map(_ENCODER.encode, (query_id, ignored, degraded, took_ms))
    form = b'{"query_id":%b%b"ignored":%b,"degraded":%b,"explain":null,"took_ms":%b}'
    return form % (named, middle, *own)


def json_answer(answer: object, status: int = 200) -> Response:
    """The answer as it is: it was checked when it was made, and checking costs more than making."""
    return written_answer(as_json(answer), status)


def written_answer(written: bytes, status: int = 200) -> Response:
    """An answer that is JSON already."""
    return Response(written, status_code=status, media_type="application/json")


def _card(card: ProductCard) -> msgspec.Raw:
    added = (card.highlight, card.sponsored, card.sponsored_by)
    return msgspec.Raw(
        b'%b"highlight":%b,"sponsored":%b,"sponsored_by":%b}'
        % (card.written, *map(_ENCODER.encode, added))
    )
