"""What the JSON routes share: refusals as problem+json, answers as they are, who asks."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from kernel.errors import DomainError
from kernel.web import problem
from search_api.answer_json import as_json
from tenants.brand import Brand

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class ApiRoute(APIRoute):
    """Answers refusals as problem+json."""

    def get_route_handler(self) -> Handler:
        """The handler with its refusals turned into answers."""
        handler = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await handler(request)
            except DomainError as error:
                return problem(error)

        return answered


def json_answer(answer: object, status: int = 200) -> Response:
    """The answer as it is: it was checked when it was made, and checking costs more than making."""
    return Response(as_json(answer), status_code=status, media_type="application/json")


def brand_of(request: Request) -> Brand:
    """The brand that the host names."""
    brand: Brand = request.state.brand
    return brand


def language_of(request: Request) -> str:
    """The reader's language."""
    return str(request.state.language)
