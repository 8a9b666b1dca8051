"""What a shop answered, read: every field checked, nothing converted, no content in complaints."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from checkout.merchant_connectors._shop_orders import unreadable

_Model = TypeVar("_Model", bound=BaseModel)
_T = TypeVar("_T")


class Malformed(Exception):
    """The shop's answer has not the shape that it should have."""


class Answer(BaseModel):
    """Types are taken as they are: no text becomes a number, no decimal a count."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


def read(model: type[_Model], value: object) -> _Model:
    """A checked part of an answer. Raises Malformed, naming the field and not its content."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])[:200]
        raise Malformed(f"{model.__name__} {where}: {first['msg']}") from error


def read_list(model: type[_Model], value: object, most: int) -> list[_Model]:
    """A checked list of at most so many."""
    if not isinstance(value, list) or len(value) > most:
        raise Malformed(f"no list of at most {most} {model.__name__}")
    return [read(model, row) for row in value]


def answered(how: Callable[[], _T]) -> _T:
    """What was read of an answer to a question; NoAnswer where it cannot be read."""
    try:
        return how()
    except Malformed as error:
        raise unreadable(str(error)) from error
