"""All routes of reading: home, results, product, and the same as JSON under `/v1`.

Needs `request.state.brand`, `.language` (and `.scheme`), and `request.app.state.pages` with the
templates of `search_api.pages`. Refusals are problem+json for programs and pages for people.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute

from indexer.engine import Engine
from kernel.embedding.encoder import Encoder
from kernel.errors import DomainError, NotFound
from kernel.web import problem
from search_api.answer import ProductPage, SearchAnswer, as_json
from search_api.overview import Overviews
from search_api.product import product_page
from search_api.query import ShopQuery, read_query
from search_api.search import Shop
from tenants.brand import Brand
from tenants.pages.rendering import render

CurrentId = Callable[[str], str | None]
"""The id that a product has now, for one that was merged away; None where there is none."""

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def _parameter(name: str, description: str, *, several: bool = False) -> dict[str, Any]:
    text: dict[str, Any] = {"type": "string"}
    return {
        "name": name,
        "in": "query",
        "description": description,
        "schema": {"type": "array", "items": text} if several else text,
    }


# Read whole and forgivingly by `read_query`; here they are only described.
PARAMETERS = [
    _parameter("q", "Words, make, GTIN or article number"),
    _parameter("category", "Id of a category; a name may follow: 328-laptops", several=True),
    _parameter("manufacturer", "Key of a maker", several=True),
    _parameter("merchant", "Id of a merchant", several=True),
    _parameter("availability", "in_stock, backorder, preorder, unknown, ...", several=True),
    _parameter("price_min", "Lowest total with delivery, in major units"),
    _parameter("price_max", "Highest total with delivery, in major units"),
    _parameter("sort", "relevance, price_asc, price_desc or newest"),
    _parameter("page", "From 1"),
]


def build_router(
    engine: Engine, encoder: Encoder, *, current_id: CurrentId = lambda _: None
) -> APIRouter:
    """The router to include in the shop's application.

    `current_id` is asked only for ids that the brand's index does not hold, so the way of a search
    makes no query to the database.
    """
    shop = Shop(engine, encoder, Overviews(engine))
    router = APIRouter()
    router.include_router(_pages(shop, current_id))
    router.include_router(_api(shop, current_id))
    return router


class _PageRoute(APIRoute):
    """Shows refusals as pages."""

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()

        async def shown(request: Request) -> Response:
            try:
                return await handler(request)
            except NotFound:
                return _page(request, "not_found.html", None, status=404)
            except DomainError as error:
                return _page(request, "error.html", None, status=error.status, reference="")

        return shown


class _ApiRoute(APIRoute):
    """Answers refusals as problem+json."""

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await handler(request)
            except DomainError as error:
                return problem(error)

        return answered


def _pages(shop: Shop, current_id: CurrentId) -> APIRouter:
    router = APIRouter(route_class=_PageRoute, include_in_schema=False)

    @router.get("/", response_class=HTMLResponse)
    def home(request: Request) -> Response:
        return _page(request, "home.html", shop.home(_brand(request), _language(request)))

    @router.get("/search", response_class=HTMLResponse)
    def results(request: Request) -> Response:
        answer = _answer(shop, request)
        return _page(request, "results.html", answer, query=answer.query)

    @router.get("/product/{product_id}", response_class=HTMLResponse)
    def product(request: Request, product_id: str) -> Response:
        page = product_page(shop, product_id, _brand(request), _language(request))
        if page is None:
            now = _moved_to(shop, product_id, request, current_id)
            query = f"?{request.url.query}" if request.url.query else ""
            return RedirectResponse(f"/product/{now}{query}", status_code=308)
        return _page(request, "product.html", page)

    @router.get("/legal/ranking", response_class=HTMLResponse)
    def ranking(request: Request) -> Response:
        statement = shop.ranking(_brand(request), _language(request))
        return _page(request, "legal_ranking.html", statement)

    return router


def _api(shop: Shop, current_id: CurrentId) -> APIRouter:
    router = APIRouter(prefix="/v1", route_class=_ApiRoute, tags=["search"])

    @router.get("/search", response_model=SearchAnswer, openapi_extra={"parameters": PARAMETERS})
    def search(request: Request) -> Response:
        """Products by words and conditions, with facets; totals include delivery."""
        return _json(_answer(shop, request))

    @router.get("/products/{product_id}", response_model=ProductPage)
    def product(
        request: Request, product_id: Annotated[str, Path(description="Id of a product")]
    ) -> Response:
        """A product with its offers in the brand's order."""
        brand, language = _brand(request), _language(request)
        found = product_page(shop, product_id, brand, language)
        if found is None:
            now = _moved_to(shop, product_id, request, current_id)
            found = product_page(shop, now, brand, language)
        if found is None:
            raise _unknown()
        return _json(found)

    return router


def _json(answer: object) -> Response:
    """The answer as it is: it was checked when it was made, and checking costs more than making."""
    return Response(as_json(answer), media_type="application/json")


def _answer(shop: Shop, request: Request) -> SearchAnswer:
    brand = _brand(request)
    query: ShopQuery = read_query(request.query_params.multi_items(), brand.currency)
    return shop.search(query, brand, _language(request))


def _moved_to(shop: Shop, product_id: str, request: Request, current_id: CurrentId) -> str:
    """The id to go to; NotFound where the brand does not show that either."""
    could_be_one = len(product_id) <= 64 and product_id.isascii() and product_id.isprintable()
    now = current_id(product_id) if could_be_one else None
    if now is None or now == product_id:
        raise _unknown()
    if now not in shop.engine.read(_brand(request).id, [now]):
        raise _unknown()
    return now


def _unknown() -> NotFound:
    return NotFound(
        "product_unknown",
        "There is no such product here.",
        hint="Search for it by name: it may have left the catalogue.",
    )


def _brand(request: Request) -> Brand:
    brand: Brand = request.state.brand
    return brand


def _language(request: Request) -> str:
    return str(request.state.language)


def _page(
    request: Request, template: str, model: object, *, status: int = 200, **context: object
) -> HTMLResponse:
    path = request.url.path
    html = render(
        request.app.state.pages,
        template,
        brand=_brand(request),
        language=_language(request),
        scheme=getattr(request.state, "scheme", "auto"),
        page=model,
        here=f"{path}?{request.url.query}" if request.url.query else path,
        basket_count=_basket_count(request),
        **context,
    )
    return HTMLResponse(html, status_code=status)


def _basket_count(request: Request) -> int:
    """What the basket's cookie says; the basket itself is read by the purchase alone."""
    stated = request.cookies.get("basket_count", "")
    return int(stated) if stated.isascii() and stated.isdigit() and len(stated) <= 3 else 0
