"""Bodies of requests: bounded, strict, refused with the name of the field that is wrong.

In: bytes from anybody. Out: a checked model, or DomainError 400 (no JSON) or 422 (wrong field).
"""

from __future__ import annotations

from typing import TypeVar

import orjson
from fastapi import Request
from pydantic import BaseModel, ConfigDict, ValidationError

from kernel.errors import DomainError

_MOST_NAMED = 5


class StrictBody(BaseModel):
    """A body that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


BodyT = TypeVar("BodyT", bound=BaseModel)


async def raw_body(request: Request) -> bytes:
    """The body; its size is bounded by `kernel.web.BodyLimit`."""
    return await request.body()


def read_json(raw: bytes) -> object:
    """The value of a body. The reader itself refuses what is nested too deeply (1,024 levels)."""
    if not raw.strip():
        raise _refused("The body is empty.", "Send a JSON object.", status=400)
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise _refused("The body is not JSON.", str(error)[:200], status=400) from None


def read_body(raw: bytes, model: type[BodyT]) -> BodyT:
    """The body as the model; the first wrong fields are named in the refusal."""
    value = read_json(raw)
    if not isinstance(value, dict):
        raise _refused("The body is not a JSON object.", "Send {...}.", status=400)
    try:
        return model.model_validate(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        said = [f"{_name(row['loc'])}: {row['msg']}" for row in found[:_MOST_NAMED]]
        raise field_refused(_name(found[0]["loc"]), "; ".join(said)) from None


def field_refused(field: str, hint: str) -> DomainError:
    """422 for one field, named in the message as it is written in the body."""
    return DomainError("field_invalid", f"The field {field} is not as it should be.", hint=hint)


def _refused(message: str, hint: str, *, status: int) -> DomainError:
    return DomainError("body_invalid", message, hint=hint, status=status)


def _name(place: tuple[int | str, ...]) -> str:
    """`events[3].position`; a name from outside is cut and made printable."""
    name = ""
    for step in place:
        if isinstance(step, int):
            name += f"[{step}]"
        else:
            plain = "".join(c if c.isprintable() else "?" for c in step[:40])
            name += f".{plain}" if name else plain
    return name or "body"
