"""Answers as JSON: some hundreds of parts, written by the quickest encoder of dataclasses."""

from __future__ import annotations

import msgspec
from fastapi import Response

_ENCODER = msgspec.json.Encoder()


def as_json(answer: object) -> bytes:
    """Any answer of `search_api.answer` as UTF-8 JSON; its shape is checked where it is made."""
    return _ENCODER.encode(answer)


def json_answer(answer: object, status: int = 200) -> Response:
    """The answer as it is: it was checked when it was made, and checking costs more than making."""
    return Response(as_json(answer), status_code=status, media_type="application/json")
