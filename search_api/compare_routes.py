"""`/compare`: the address shows products beside each other; the form adds and takes away.

The address says everything and can be given to anybody; opening it changes nothing. What a reader
has chosen so far is kept in one cookie of the brand, until the browser is closed, so that products
of several searches come together.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from search_api.comparison import (
    MOST,
    PRODUCT,
    CurrentId,
    compare_address,
    comparison,
    read_ids,
)
from search_api.page import PageRoute, page_of
from search_api.search import Shop
from tenants.asking import brand_of, language_of

_JOINT = "."
Ids = Annotated[list[str], Form()]


def compare_routes(shop: Shop, current_id: CurrentId) -> APIRouter:
    """The page and its form."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/compare", response_class=HTMLResponse)
    def compare(request: Request) -> Response:
        asked = read_ids(request.query_params.getlist(PRODUCT))
        chosen = chosen_for_comparison(request)
        if chosen and not request.query_params.getlist(PRODUCT):
            return RedirectResponse(compare_address(chosen), status_code=303)
        found = comparison(shop, asked, brand_of(request), language_of(request), current_id)
        return page_of(request, "compare.html", found)

    @router.post("/compare")
    def choose(
        request: Request,
        p: Ids = [],  # noqa: B006 - FastAPI copies it
        add: Ids = [],  # noqa: B006
        remove: Ids = [],  # noqa: B006
    ) -> Response:
        """Products `p` (else the ones chosen so far) with others added or taken away."""
        before = read_ids(p) or chosen_for_comparison(request)
        ids = read_ids([*(each for each in before if each not in remove), *add])
        answer = RedirectResponse(compare_address(ids), status_code=303)
        answer.set_cookie(
            _cookie(request),
            _JOINT.join(ids[:MOST]),
            max_age=None if ids else 0,
            path="/",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="lax",
        )
        return answer

    return router


def chosen_for_comparison(request: Request) -> tuple[str, ...]:
    """Ids that the reader has chosen so far, as the cookie says; at most MOST."""
    return read_ids(request.cookies.get(_cookie(request), "").split(_JOINT))[:MOST]


def _cookie(request: Request) -> str:
    return f"compare_{brand_of(request).id}"
