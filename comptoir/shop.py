"""The shop's web application: pages, search API, purchase, notices of payment providers."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI
from fastapi.concurrency import run_in_threadpool
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from checkout.payment_providers import page_origins
from checkout.routes import build_router as checkout_router
from comptoir.basket_events import BasketEvents
from comptoir.brand_gate import HEALTH, BrandGate
from comptoir.call_gate import CallGate, KeyGate, ProxyNotice, shop_limits
from comptoir.installation import Installation
from comptoir.query_log_writer import QueryLogWriter
from comptoir.refusals import add_refusals, asked_too_often
from comptoir.search_wiring import search_wiring
from kernel.errors import DomainError
from kernel.web import BodyLimit, SafeHeaders, SameSiteWrites, problem
from mdm.catalogue import resolve
from search_api.cross_origin import PATHS as CROSS_ORIGIN_PATHS
from search_api.cross_origin import CrossOrigin
from search_api.drawings.route import router as drawings
from search_api.routes import build_router as search_router
from tenants.pages.assets import assets_router
from tenants.pages.legal import router as legal
from tenants.pages.rendering import page_environment
from tenants.theme import Theme

_LOG = logging.getLogger("comptoir.shop")


def create_shop(installation: Installation) -> FastAPI:
    """The application of the shop role. Opens its index and model now, not at the first visit."""
    log = QueryLogWriter(installation.database)
    wiring = search_wiring(installation, log)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(log.close)

    app = FastAPI(title="Comptoir", version="1", docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.pages = page_environment(["search_api.pages", "checkout.pages"])
    brands = installation.brands
    add_refusals(app)

    def theme_of(brand_id: str) -> Theme | None:
        brand = brands.brands().get(brand_id)
        return brand.theme if brand else None

    app.add_api_route(HEALTH, _health, include_in_schema=False)

    def current_id(product_id: str) -> str | None:
        with installation.database.platform() as tx:
            return resolve(tx, product_id)

    # First, for it is asked most: routes are looked through in their order.
    app.include_router(
        search_router(
            installation.engine,
            installation.encoder,
            current_id=current_id,
            wiring=wiring,
            brand_ids=brands.brands(),
        )
    )
    app.include_router(assets_router(theme_of))
    app.include_router(drawings)
    app.include_router(legal)
    app.include_router(_purchase(installation))
    # A page with stylesheet and scripts stays under 100 kB on the wire.
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=3)
    app.add_middleware(BasketEvents, ids=wiring.ids, log=log)
    limits = installation.call_limits
    app.add_middleware(
        CallGate, limits=limits, doors=shop_limits(installation.settings), refused=asked_too_often
    )
    app.add_middleware(CrossOrigin)
    app.add_middleware(BrandGate, brands=brands, by_query=installation.settings.brand_by_query)
    app.add_middleware(SameSiteWrites, exempt=("/webhooks/", "/pay/return/", *CROSS_ORIGIN_PATHS))
    app.add_middleware(BodyLimit, limit=256 * 1024)
    settings = installation.settings
    app.add_middleware(
        KeyGate, limits=limits, wrong_keys=settings.limit_wrong_keys, refused=problem_to_programs
    )
    if settings.trusted_proxies is None:
        app.add_middleware(ProxyNotice)
    hosts = page_origins(settings.payment_provider, settings.payment_url)
    app.add_middleware(SafeHeaders, payment_hosts=hosts)
    return app


def problem_to_programs(_: Request, error: DomainError) -> Response:
    """The refusal for callers that bring a key along: programs."""
    return problem(error)


def _purchase(installation: Installation) -> APIRouter:
    """The purchase; where no payment provider is configured, a refusal that says so.

    Browsing does not depend on it: a shop without a provider compares and links.
    """
    try:
        return checkout_router(installation.checkout)
    except DomainError as error:
        _LOG.warning("%s %s", error.message, error.hint)
        refusal = error
    router = APIRouter(include_in_schema=False)

    def refuse() -> None:
        raise refusal

    for path in ("/basket", "/checkout", "/pay", "/order", "/terms", "/v1/quotes", "/v1/purchases"):
        for below in (path, path + "/{rest:path}"):
            router.add_api_route(below, refuse, methods=["GET", "POST"])
    return router


async def _health() -> Response:
    return PlainTextResponse("ready\n")
