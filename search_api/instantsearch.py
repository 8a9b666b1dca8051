"""The door for InstantSearch front ends (JavaScript, React, Vue, iOS, Android).

`POST /v1/instantsearch`, and the same under the paths that its client libraries know, so that only
the host is configured. Read-only: records cannot be written and keys are not looked at.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import JSONResponse

from kernel.errors import DomainError
from kernel.web import RefusingRoute
from search_api.answer_json import json_answer
from search_api.answering import Answering
from search_api.instantsearch_answer import facet_hits_answer, hits_answer
from search_api.instantsearch_query import AskedFacet, AskedHits, read_request
from search_api.json_body import raw_body, read_json
from search_api.openapi import INSTANTSEARCH
from search_api.reader_route import for_readers
from tenants.asking import brand_of, count_calls, language_of
from tenants.brand import Brand

MOST_REQUESTS = 20


class _ClientRoute(RefusingRoute):
    """Refusals with the `message` that the clients show."""

    def refused(self, request: Request, error: DomainError) -> Response:
        del request
        refusal = for_readers(error)
        said = {**refusal.as_problem(), "message": refusal.message}
        wait = refusal.retry_after_s
        headers = {"retry-after": str(wait)} if wait is not None else None
        return JSONResponse(said, status_code=refusal.status, headers=headers)


def instantsearch_routes(answering: Answering) -> APIRouter:
    """The endpoint, and its paths of old."""
    router = APIRouter(route_class=_ClientRoute, tags=["instantsearch"])

    def several(request: Request, raw: Annotated[bytes, Depends(raw_body)]) -> Response:
        """Several requests in one call: products (`hits`) or values of a facet (`facetHits`).

        The index name chooses the order: `products` by relevance, `products_price_asc`,
        `products_price_desc`, `products_newest`. What cannot be answered is refused, never ignored:
        another name by 404.
        """
        body = read_json(raw)
        rows = body.get("requests") if isinstance(body, dict) else None
        if not isinstance(rows, list) or not 1 <= len(rows) <= MOST_REQUESTS:
            raise _malformed(f"requests: a list of 1 to {MOST_REQUESTS} requests")
        count_calls(request, len(rows) - 1)
        brand, language = brand_of(request), _language(request)
        return json_answer({"results": [_result(answering, row, brand, language) for row in rows]})

    router.add_api_route(
        "/v1/instantsearch", several, methods=["POST"], openapi_extra=INSTANTSEARCH
    )
    for path in ("/1/indexes/*/queries", "/1/indexes/%2A/queries"):
        router.add_api_route(path, several, methods=["POST"], include_in_schema=False)

    @router.post("/1/indexes/{index}/query", include_in_schema=False)
    def one(request: Request, index: str, raw: Annotated[bytes, Depends(raw_body)]) -> Response:
        row = {**_object(raw), "indexName": index}
        return json_answer(_result(answering, row, brand_of(request), _language(request)))

    @router.post("/1/indexes/{index}/facets/{facet}/query", include_in_schema=False)
    def values(
        request: Request, index: str, facet: str, raw: Annotated[bytes, Depends(raw_body)]
    ) -> Response:
        row = {**_object(raw), "indexName": index, "type": "facet", "facet": facet}
        return json_answer(_result(answering, row, brand_of(request), _language(request)))

    return router


def _object(raw: bytes) -> dict[str, Any]:
    body = read_json(raw) if raw.strip() else {}
    if not isinstance(body, dict):
        raise _malformed("The body is not a JSON object.")
    return body


def _malformed(message: str) -> DomainError:
    return DomainError("body_invalid", message, status=400)


def _language(request: Request) -> str:
    """Front ends on other sites choose by `?lang=` or by the browser's own languages."""
    return language_of(request)


def _result(answering: Answering, row: object, brand: Brand, language: str) -> dict[str, Any]:
    overview = answering.shop.overviews.of(brand.id)
    asked = read_request(row, brand, language, overview)
    if isinstance(asked, AskedFacet):
        found = answering.answer(asked.hits.query, brand, language, "instantsearch", logged=False)
        return facet_hits_answer(found, asked)
    return _hits(answering, asked, brand, language)


def _hits(answering: Answering, asked: AskedHits, brand: Brand, language: str) -> dict[str, Any]:
    found = answering.answer(asked.query, brand, language, "instantsearch", logged=asked.counted)
    return hits_answer(found, asked)
