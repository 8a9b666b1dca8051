"""The native door: `/v1/search` by address and by body, `/v1/products/{id}`, `/v1/events`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from kernel.errors import NotFound
from search_api.answer import ProductPage, SearchAnswer
from search_api.answer_json import json_answer, written_answer
from search_api.answering import Answering
from search_api.events import EventsAnswer, EventsBody, take_events
from search_api.json_body import raw_body
from search_api.more_like_this import SimilarProducts, more_like_this
from search_api.openapi import EXAMPLES, PARAMETERS, REFUSALS, body_of, example_of
from search_api.query import read_query
from search_api.reader_route import ReaderRoute
from search_api.search_body import SearchBody, read_search_body
from tenants.asking import brand_of, language_of

ProductOf = Callable[[Request, str], ProductPage]
"""The page of a product, also of one that was merged into another; raises NotFound."""


def search_routes(answering: Answering, product_of: ProductOf) -> APIRouter:
    """The routes below `/v1` that programs read products by."""
    router = APIRouter(prefix="/v1", route_class=ReaderRoute, tags=["search"], responses=REFUSALS)

    @router.get(
        "/search",
        response_model=SearchAnswer,
        openapi_extra={"parameters": PARAMETERS} | example_of("search"),
    )
    def search(request: Request) -> Response:
        """Products by words and conditions, with facets; totals include delivery.

        What cannot be read is left out and named in `ignored`: links never break.
        """
        pairs = request.query_params.multi_items()
        brand = brand_of(request)
        explain = request.query_params.get("explain") in {"1", "true"}
        query = read_query(pairs, brand.currency)
        return written_answer(
            answering.written(query, brand, language_of(request), "api", explain=explain)
        )

    @router.post(
        "/search",
        response_model=SearchAnswer,
        openapi_extra=body_of(SearchBody, EXAMPLES["search_bodies"]) | example_of("search"),
    )
    def search_by_body(request: Request, raw: Annotated[bytes, Depends(raw_body)]) -> Response:
        """The same answer as by address. What cannot be read is refused and named."""
        brand = brand_of(request)
        asked = read_search_body(raw, brand, language_of(request))
        return written_answer(
            answering.written(asked.query, brand, asked.language, "api", explain=asked.explain)
        )

    @router.get(
        "/products/{product_id}", response_model=ProductPage, openapi_extra=example_of("product")
    )
    def product(
        request: Request,
        product_id: Annotated[
            str, Path(description="Id of a product", examples=[EXAMPLES["product_id"]])
        ],
    ) -> Response:
        """A product with its offers in the brand's order."""
        return json_answer(product_of(request, product_id))

    @router.get("/products/{product_id}/similar", response_model=SimilarProducts)
    def similar(
        request: Request,
        product_id: Annotated[
            str, Path(description="Id of a product", examples=[EXAMPLES["product_id"]])
        ],
    ) -> Response:
        """Products near in meaning to this one, nearest first, without its own variants."""
        brand = brand_of(request)
        found = more_like_this(answering.shop, product_id[:64], brand, language_of(request))
        if found is None:
            raise NotFound("product_unknown", "There is no such product here.")
        return json_answer(SimilarProducts(id=product_id, products=found))

    @router.post(
        "/events",
        response_model=EventsAnswer,
        status_code=202,
        openapi_extra=body_of(EventsBody, EXAMPLES["event_bodies"]),
    )
    def events(request: Request, raw: Annotated[bytes, Depends(raw_body)]) -> Response:
        """What became of an answer: `click`, `offer_out`, `add_to_basket`, up to 50 in a batch.

        An event names the `query_id` of the answer and the place of the product in the whole list.
        It counts once, for a day after the answer, and only where that answer showed the product.
        """
        brand = brand_of(request)
        taken = take_events(raw, brand.id, answering.ids, answering.log)
        return json_answer(taken, status=202)

    return router
