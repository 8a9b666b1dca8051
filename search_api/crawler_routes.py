"""What search engines read: `/robots.txt`, the sitemaps, and which results they may keep."""

from __future__ import annotations

from fastapi import APIRouter, Path, Request, Response

from search_api.page import PageRoute, origin_of
from search_api.query import ShopQuery, address
from search_api.sitemap import Sitemaps
from tenants.asking import brand_of
from tenants.brand import Brand

_NOT_FOR_CRAWLERS = (
    "/basket", "/checkout", "/compare", "/handoff", "/order", "/out", "/pay", "/suggest", "/v1/",
    "/1/",
)  # fmt: skip
_KEPT = {"Cache-Control": "public, max-age=3600"}


def crawler_routes(sitemaps: Sitemaps) -> APIRouter:
    """The routes; each brand has its own on its own host."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/robots.txt")
    def robots(request: Request) -> Response:
        lines = [
            "User-agent: *",
            *(f"Disallow: {path}" for path in _NOT_FOR_CRAWLERS),
            "",
            f"Sitemap: {origin_of(request)}/sitemap.xml",
        ]
        return Response("\n".join(lines) + "\n", media_type="text/plain", headers=_KEPT)

    @router.get("/sitemap.xml")
    def index(request: Request) -> Response:
        return _xml(sitemaps.index(brand_of(request), origin_of(request)))

    @router.get("/sitemaps/{number}.xml")
    def page(request: Request, number: int = Path(ge=0, le=100_000)) -> Response:
        return _xml(sitemaps.page(brand_of(request), number, origin_of(request)))

    return router


def kept_address(query: ShopQuery, brand: Brand) -> str | None:
    """The path under which results may be kept: all products, or one category with nothing else
    chosen. None for every other list, of which there is no end.
    """
    plain = ShopQuery(query.currency, categories=query.categories, page=query.page)
    if query != plain or len(query.categories) > 1:
        return None
    return address(query, brand.languages[0])


def _xml(text: str) -> Response:
    return Response(text, media_type="application/xml", headers=_KEPT)
