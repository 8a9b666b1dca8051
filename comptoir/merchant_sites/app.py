"""The site server: every demo merchant's feed, pages, pictures and test switches.

Switches (demo and tests): `POST /{merchant}/test/price {sku, price_minor}`, `POST
/{merchant}/test/outage {every}` (every n-th request answers 503), `?outage=1` on any address.
"""

from __future__ import annotations

from collections.abc import Callable

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from comptoir.demo_market import Market, merchants
from comptoir.demo_market.feeds import google_feed, spreadsheet_export
from comptoir.merchant_sites import atelier_boreal
from comptoir.merchant_sites.conditional import conditional
from comptoir.merchant_sites.pictures import picture
from comptoir.merchant_sites.shop_window import TEMPLATES, shown
from comptoir.merchant_sites.site_state import SiteState

_LOOKS = {"lumiporte": "fr", "werkkontor": "de"}
_MAX_SWITCH_BYTES = 4096
_HOME_ITEMS = 24


class PlannedOutage:
    """ASGI middleware: 503 with Retry-After where a switch or the query asks for it."""

    def __init__(self, app: ASGIApp, site: SiteState) -> None:
        self.app = app
        self.site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Fail now, or pass the request on."""
        if scope["type"] == "http" and self._fails(scope):
            response = PlainTextResponse("Maintenance", 503, headers={"retry-after": "1"})
            await response(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _fails(self, scope: Scope) -> bool:
        merchant, _, rest = scope["path"].lstrip("/").partition("/")
        if rest.startswith("test/"):
            return False
        asked = Request(scope).query_params.get("outage") == "1"
        return asked or self.site.fails_now(merchant)


def _site(request: Request) -> SiteState:
    site: SiteState = request.app.state.site
    return site


def _feed(merchant: str, write: Callable[..., bytes], media_type: str) -> Route:
    kept: dict[tuple[str, object], bytes] = {}

    def answer(request: Request) -> Response:
        site, base = _site(request), str(request.base_url)
        version = (base, site.modified[merchant], len(site.changes), sum(site.changes.values()))
        if (key := (merchant, version)) not in kept:
            kept.clear()
            kept[key] = write(site.market, base, site.changes)
        return conditional(request, kept[key], site.modified[merchant], media_type)

    return Route(str(merchants()[merchant].source["path"]), answer)


def _home(request: Request) -> Response:
    """A little of everything in stock; atelier-boreal has a home of its own."""
    merchant = request.path_params["merchant"]
    if merchant not in _LOOKS:
        raise HTTPException(404)
    site, language = _site(request), _LOOKS[merchant]
    stocked = [offer for offer in site.offers(merchant) if offer.stock]
    offers = stocked[:: len(stocked) // _HOME_ITEMS or 1][:_HOME_ITEMS]
    items = [shown(offer, site.market.by_id[offer.product_id], language) for offer in offers]
    return _page(merchant, items=items, item=None)


def _product(request: Request) -> Response:
    merchant, sku = request.path_params["merchant"], request.path_params["sku"]
    site = _site(request)
    offer = site.offer(merchant, sku) if merchant in _LOOKS else None
    if offer is None:
        raise HTTPException(404)
    item = shown(offer, site.market.by_id[offer.product_id], _LOOKS[merchant])
    return _page(merchant, items=[], item=item)


def _page(merchant: str, **values: object) -> HTMLResponse:
    about = merchants()[merchant]
    return HTMLResponse(TEMPLATES.get_template(f"{merchant}.html").render(about=about, **values))


def _picture(request: Request) -> Response:
    svg = picture(request.path_params["category"], request.path_params["colour"])
    if svg is None:
        raise HTTPException(404)
    headers = {"cache-control": "max-age=86400", "content-security-policy": "default-src 'none'"}
    return Response(svg, media_type="image/svg+xml", headers=headers)


async def _switch(request: Request) -> dict[str, object]:
    """The JSON object of a test switch. Raises 422 for anything else."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MAX_SWITCH_BYTES:
            raise HTTPException(413)
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, dict):
        raise HTTPException(422, "a JSON object is expected")
    return value


async def _set_price(request: Request) -> Response:
    asked = await _switch(request)
    sku, price = asked.get("sku"), asked.get("price_minor")
    if not isinstance(sku, str) or not isinstance(price, int) or isinstance(price, bool):
        raise HTTPException(422, "sku is a text, price_minor a whole number of cents")
    if not 0 < price < 10**9:
        raise HTTPException(422, "price_minor is out of range")
    merchant = request.path_params["merchant"]
    if merchant == "maison-oscar" or not _site(request).set_price(merchant, sku, price):
        raise HTTPException(404, "no such article here")
    return JSONResponse({"merchant": merchant, "sku": sku, "price_minor": price})


async def _set_outage(request: Request) -> Response:
    every = (await _switch(request)).get("every")
    if not isinstance(every, int) or isinstance(every, bool) or not 0 <= every <= 1000:
        raise HTTPException(422, "every is a whole number from 0 to 1000")
    merchant = request.path_params["merchant"]
    if merchant not in merchants():
        raise HTTPException(404)
    _site(request).set_outage(merchant, every)
    return JSONResponse({"merchant": merchant, "every": every})


def create_app(market: Market) -> Starlette:
    """The application. `app.state.site` holds what the switches changed."""
    app = Starlette(
        routes=[
            _feed("lumiporte", google_feed, "application/gzip"),
            _feed("werkkontor", spreadsheet_export, "text/csv; charset=windows-1252"),
            *atelier_boreal.ROUTES,
            Route("/pictures/{category:int}-{colour}.svg", _picture),
            Route("/{merchant}/test/price", _set_price, methods=["POST"]),
            Route("/{merchant}/test/outage", _set_outage, methods=["POST"]),
            Route("/{merchant}/", _home),
            Route("/{merchant}/p/{sku}", _product),
        ]
    )
    site = SiteState(market)
    app.state.site = site
    app.state.odd_pages = atelier_boreal.odd_pages(market)
    app.add_middleware(PlannedOutage, site=site)
    return app
