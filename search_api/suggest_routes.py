"""`/v1/suggest` for programs, and the list that the pages' search box asks for."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from search_api.answer_json import json_answer
from search_api.openapi import REFUSALS, example_of
from search_api.reader_route import ReaderRoute
from search_api.suggest import MOST, SuggestAnswer, Suggestions
from tenants.asking import brand_of, language_of


def suggest_routes(suggestions: Suggestions) -> APIRouter:
    """The route below `/v1`."""
    router = APIRouter(prefix="/v1", route_class=ReaderRoute, tags=["search"], responses=REFUSALS)

    @router.get("/suggest", response_model=SuggestAnswer, openapi_extra=example_of("suggest"))
    def suggest(
        request: Request,
        q: Annotated[str, Query(description="What is typed so far", examples=["lave"])] = "",
        limit: Annotated[str, Query(description="1 to 20; 10 where it is none of these")] = "10",
    ) -> Response:
        """Queries, categories, makers and products that go on from what is typed."""
        found = suggestions.of(q, brand_of(request), language_of(request), read_limit(limit))
        return json_answer(found)

    return router


def read_limit(text: str) -> int:
    """A number from 1 to MOST, else 10."""
    readable = text.isascii() and text.isdigit() and len(text) <= 3
    return min(max(int(text), 1), MOST) if readable else 10
