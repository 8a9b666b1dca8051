"""All routes of reading: home, results, product, and the same as JSON under `/v1`.

Needs `request.state.brand`, `.language` (and `.scheme`), and `request.app.state.pages` with the
templates of `search_api.pages`. Refusals are problem+json for programs and pages for people.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from indexer.engine import Engine
from kernel.embedding.encoder import Encoder
from kernel.errors import NotFound
from search_api.answer import ProductPage
from search_api.answering import Answering
from search_api.compare_routes import chosen_for_comparison, compare_routes
from search_api.comparison import CurrentId
from search_api.crawler_routes import crawler_routes, kept_address
from search_api.events import note_visit
from search_api.export_routes import export_routes
from search_api.instantsearch import instantsearch_routes
from search_api.overview import Overviews
from search_api.page import PageRoute, origin_of, page_of
from search_api.product import card_of, product_page
from search_api.query import STAY, read_query, redirect_address
from search_api.query_id import MARK
from search_api.search import Shop
from search_api.search_routes import search_routes
from search_api.sitemap import Sitemaps
from search_api.structured_data import product_data
from search_api.suggest import Suggestions
from search_api.suggest_routes import suggest_routes
from search_api.wiring import Wiring, WorthOf
from search_api.worth import worth_page
from tenants.asking import brand_of, language_of

_OFFER = re.compile(r"^[A-Za-z0-9_-]{1,64}$")


def build_router(
    engine: Engine,
    encoder: Encoder,
    *,
    current_id: CurrentId = lambda _: None,
    wiring: Wiring | None = None,
    brand_ids: Iterable[str] = (),
) -> APIRouter:
    """The router to include in the shop's application.

    `current_id` is asked only for ids that the brand's index does not hold, so the way of a search
    makes no query to the database. The words of the indices of `brand_ids` are read from now on,
    and what fell most there is looked for, beside everything else: for the first reader as well.
    """
    wired = wiring or Wiring()
    shop = Shop(engine, encoder, Overviews(engine))
    for brand_id in brand_ids:
        shop.snapshots.of(brand_id)
        shop.falls.begin(brand_id)
    answering = Answering(
        shop,
        cache=wired.cache,
        ids=wired.ids,
        log=wired.log,
        keep_ms=wired.keep_ms,
        unchanged_s=wired.unchanged_s,
        index_stamp=wired.index_stamp,
    )
    suggestions = Suggestions(engine, shop.overviews, wired.frequent, shop.snapshots)

    def product_of(request: Request, product_id: str) -> ProductPage:
        return _product_or_refusal(shop, product_id, request, current_id)

    router = APIRouter()
    router.include_router(search_routes(answering, product_of))
    router.include_router(suggest_routes(suggestions))
    router.include_router(_pages(answering, suggestions, current_id, wired.worth_of))
    router.include_router(compare_routes(shop, current_id))
    router.include_router(crawler_routes(Sitemaps(engine, shop.overviews)))
    router.include_router(instantsearch_routes(answering))
    router.include_router(export_routes(shop, wired))
    return router


def _pages(
    answering: Answering, suggestions: Suggestions, current_id: CurrentId, worth_of: WorthOf
) -> APIRouter:
    router = APIRouter(route_class=PageRoute, include_in_schema=False)
    shop = answering.shop

    @router.get("/", response_class=HTMLResponse)
    def home(request: Request) -> Response:
        found = shop.home(brand_of(request), language_of(request))
        return page_of(request, "home.html", found, canonical="/")

    @router.get("/search", response_class=HTMLResponse)
    def results(request: Request) -> Response:
        brand = brand_of(request)
        query = read_query(request.query_params.multi_items(), brand.currency)
        answer = answering.answer(query, brand, language_of(request), "page")
        if answer.redirect is not None and STAY not in request.query_params:
            return RedirectResponse(redirect_address(answer.redirect), status_code=303)
        return page_of(
            request,
            "results.html",
            answer,
            query=answer.query,
            chosen=chosen_for_comparison(request),
            canonical=kept_address(query, brand),
        )

    @router.get("/suggest", response_class=HTMLResponse)
    def suggest(request: Request, q: str = "") -> Response:
        found = suggestions.of(q, brand_of(request), language_of(request))
        return page_of(request, "suggestions.html", found)

    @router.get("/product/{product_id}", response_class=HTMLResponse)
    def product(request: Request, product_id: str) -> Response:
        brand = brand_of(request)
        page = product_page(shop, product_id, brand, language_of(request))
        if page is None:
            now = _moved_to(shop, product_id, request, current_id)
            query = f"?{request.url.query}" if request.url.query else ""
            return RedirectResponse(f"/product/{now}{query}", status_code=308)
        mark = request.query_params.get(MARK, "")
        known = note_visit(mark, "click", page.id, brand.id, answering.ids, answering.log)
        return page_of(
            request,
            "product.html",
            page,
            mark=mark if known else "",
            chosen=chosen_for_comparison(request),
            canonical=page.url,
            data=product_data(page, origin_of(request)),
        )

    @router.get("/product/{product_id}/worth", response_class=HTMLResponse)
    def worth(request: Request, product_id: str) -> Response:
        brand, language = brand_of(request), language_of(request)
        card = card_of(shop, product_id, brand, language)
        if card is None:
            now = _moved_to(shop, product_id, request, current_id)
            return RedirectResponse(f"/product/{now}/worth", status_code=308)
        worths = worth_of(brand, card.id)
        if worths is None:
            raise _unknown()
        return page_of(request, "worth.html", worth_page(card, worths))

    @router.post("/out", status_code=204)
    def out(request: Request, mark: str = "", product: str = "", offer: str = "") -> Response:
        """What a browser says by itself (`ping`) when a reader leaves for a merchant's shop."""
        note_visit(
            mark,
            "offer_out",
            product,
            brand_of(request).id,
            answering.ids,
            answering.log,
            offer_id=offer if _OFFER.match(offer) else "",
        )
        return Response(status_code=204)

    @router.get("/legal/ranking", response_class=HTMLResponse)
    def ranking(request: Request) -> Response:
        statement = shop.ranking(brand_of(request), language_of(request))
        return page_of(request, "legal_ranking.html", statement, canonical=request.url.path)

    return router


def _product_or_refusal(
    shop: Shop, product_id: str, request: Request, current_id: CurrentId
) -> ProductPage:
    """The product's page, also for one that was merged into another."""
    brand, language = brand_of(request), language_of(request)
    found = product_page(shop, product_id, brand, language)
    if found is None:
        now = _moved_to(shop, product_id, request, current_id)
        found = product_page(shop, now, brand, language)
    if found is None:
        raise _unknown()
    return found


def _moved_to(shop: Shop, product_id: str, request: Request, current_id: CurrentId) -> str:
    """The id to go to; NotFound where the brand does not show that either."""
    could_be_one = len(product_id) <= 64 and product_id.isascii() and product_id.isprintable()
    now = current_id(product_id) if could_be_one else None
    if now is None or now == product_id:
        raise _unknown()
    if now not in shop.engine.read(brand_of(request).id, [now]):
        raise _unknown()
    return now


def _unknown() -> NotFound:
    return NotFound(
        "product_unknown",
        "There is no such product here.",
        hint="Search for it by name: it may have left the catalogue.",
    )
