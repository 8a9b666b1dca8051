"""`/v1/export` and `/v1/export/changes`: the catalogue of a brand, for partners with a key."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response

from kernel.errors import DomainError
from search_api.answer_json import json_answer
from search_api.export import (
    MOST_PER_PAGE,
    PER_PAGE,
    ChangesPage,
    ExportPage,
    changes,
    partner,
    walk,
)
from search_api.openapi import REFUSALS, example_of
from search_api.reader_route import ReaderRoute
from search_api.search import Shop
from search_api.wiring import Wiring
from tenants.asking import brand_of
from tenants.brand import Brand
from tenants.call_limits import Limit as CallLimit

PAGES_A_MINUTE = CallLimit("export", 120)
Authorization = Annotated[str, Header(description="Bearer cpk_..., a partner's key")]
Cursor = Annotated[str, Query(description="`next` or `changes` of a page before, as it is")]
Limit = Annotated[str, Query(description=f"Products on a page, 1 to {MOST_PER_PAGE}")]


def export_routes(shop: Shop, wiring: Wiring) -> APIRouter:
    """The routes below `/v1/export`."""
    router = APIRouter(prefix="/v1", route_class=ReaderRoute, tags=["export"], responses=REFUSALS)

    def reader(request: Request, authorization: str) -> Brand:
        brand = brand_of(request)
        wiring.limits.check(PAGES_A_MINUTE, partner(wiring, brand, authorization).key_id)
        return brand

    @router.get("/export", response_model=ExportPage, openapi_extra=example_of("export"))
    def export(
        request: Request,
        authorization: Authorization = "",
        cursor: Cursor = "",
        limit: Limit = str(PER_PAGE),
    ) -> Response:
        """Every product of the shop, page by page; go on with `next` until it is null.

        Then follow `changes` to stay up to date, removals included.
        """
        brand = reader(request, authorization)
        return json_answer(walk(shop, wiring, brand, cursor[:200], _limit(limit)))

    @router.get(
        "/export/changes", response_model=ChangesPage, openapi_extra=example_of("export_changes")
    )
    def export_changes(
        request: Request,
        cursor: Cursor = "",
        authorization: Authorization = "",
        limit: Limit = str(PER_PAGE),
    ) -> Response:
        """What has changed since the cursor. 410: begin with `/v1/export` again."""
        brand = reader(request, authorization)
        return json_answer(changes(shop, wiring, brand, cursor[:200], _limit(limit)))

    return router


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise DomainError("field_invalid", "The field limit is not as it should be.",
                          hint=f"A number from 1 to {MOST_PER_PAGE}.")  # fmt: skip
    return min(max(int(text), 1), MOST_PER_PAGE)
