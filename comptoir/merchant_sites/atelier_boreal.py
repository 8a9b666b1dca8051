"""The shop of atelier-boreal: home, categories, product and group pages, robots.txt and sitemaps.

In: the site's state and a request. Out: pages. It has the faults of real small shops, each once:
a trailing comma, a price for people, a page without markup, a soft 404, a sitemap that lies.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from xml.sax.saxutils import escape

from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from comptoir.demo_market.model import Market, MarketOffer
from comptoir.merchant_sites.conditional import conditional
from comptoir.merchant_sites.product_markup import (
    group_node,
    manner_of,
    product_node,
    product_scripts,
    script_text,
    with_comma_price,
    with_trailing_comma,
)
from comptoir.merchant_sites.shop_window import TEMPLATES, shown
from comptoir.merchant_sites.site_state import SiteState
from kernel.categories import categories

ID = "atelier-boreal"
PER_PAGE = 24
LANGUAGES = ("fr", "de")
GONE, SOFT_404, FORBIDDEN = "ab-retire", "ab-perdu", "/atelier-boreal/fr/reserve"


@dataclass(frozen=True, slots=True)
class OddPages:
    """Article numbers of the pages with a fault."""

    trailing_comma: str
    comma_price: str
    without_markup: str


def is_grouped(offer: MarketOffer) -> bool:
    """True for variants that the sitemap lists only through the page of their group."""
    return offer.group is not None and zlib.crc32(offer.group.encode()) % 4 == 0


def odd_pages(market: Market) -> OddPages:
    """Which pages have which fault; always the same for a market."""
    alone = [offer for offer in market.offers_of(ID) if not is_grouped(offer)]
    plain = [offer for offer in alone if manner_of(offer) == "plain"]
    dear = [offer for offer in plain if offer.price_minor >= 100000 and not offer.list_price_minor]
    return OddPages(
        trailing_comma=plain[0].sku, without_markup=plain[1].sku, comma_price=dear[0].sku
    )


def _state(request: Request) -> SiteState:
    state: SiteState = request.app.state.site
    return state


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")


def _language(request: Request) -> str:
    language = request.path_params.get("language", "fr")
    if language not in LANGUAGES:
        raise HTTPException(404)
    return str(language)


def _page(template: str, language: str, **values: object) -> HTMLResponse:
    html = TEMPLATES.get_template(template).render(language=language, shop=f"/{ID}", **values)
    return HTMLResponse(html, headers={"content-language": language})


def _by_category(market: Market) -> Mapping[int, list[MarketOffer]]:
    found: defaultdict[int, list[MarketOffer]] = defaultdict(list)
    for offer in market.offers_of(ID):
        found[offer.category].append(offer)
    return found


def home(request: Request) -> Response:
    """The categories with their counts."""
    language = _language(request)
    rows = [
        (key, categories()[key].name(language), len(offers), offers[0].picture)
        for key, offers in _by_category(_state(request).market).items()
    ]
    return _page("boreal_home.html", language, rows=sorted(rows, key=lambda row: row[1]))


def category(request: Request) -> Response:
    """One page of a category's articles."""
    language, key = _language(request), request.path_params["category"]
    site = _state(request)
    offers = [offer for offer in site.offers(ID) if offer.category == key]
    text = request.query_params.get("page", "1")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0
    pages = -(-len(offers) // PER_PAGE)
    if not 1 <= number <= pages:
        raise HTTPException(404)
    few = islice(offers, (number - 1) * PER_PAGE, number * PER_PAGE)
    items = [shown(offer, site.market.by_id[offer.product_id], language) for offer in few]
    name = categories()[key].name(language)
    return _page(
        "boreal_category.html",
        language,
        name=name,
        key=key,
        items=items,
        number=number,
        pages=pages,
    )


def _scripts(offer: MarketOffer, site: SiteState, odd: OddPages, base: str) -> list[str]:
    if offer.sku == odd.without_markup:
        return []
    scripts = product_scripts(offer, site.market.by_id[offer.product_id], base)
    if offer.sku == odd.trailing_comma:
        return [with_trailing_comma(script) for script in scripts]
    if offer.sku == odd.comma_price:
        return [with_comma_price(script, offer) for script in scripts]
    return scripts


def product(request: Request) -> Response:
    """An article's page; `ab-perdu` is gone but answers 200, `ab-retire` says 410."""
    language, sku = _language(request), request.path_params["sku"]
    if sku == SOFT_404:
        return _page("boreal_lost.html", language)
    if sku == GONE:
        raise HTTPException(410)
    site = _state(request)
    if (offer := site.offer(ID, sku)) is None:
        raise HTTPException(404)
    goods = site.market.by_id[offer.product_id]
    # Only the page in the article's own language carries the markup; the other points at it.
    odd: OddPages = request.app.state.odd_pages
    scripts = _scripts(offer, site, odd, _base(request)) if language == offer.language else []
    return _page(
        "boreal_product.html",
        language,
        item=shown(offer, goods, language),
        scripts=[Markup(script) for script in scripts],  # noqa: S704 - script_text escapes `</`
        canonical=_base(request) + offer.page,
    )


def group(request: Request) -> Response:
    """All variants of one thing on one page."""
    language, key = _language(request), request.path_params["group"]
    site, base = _state(request), _base(request)
    offers = [
        offer for offer in site.offers(ID) if (offer.group, offer.language) == (key, language)
    ]
    if not offers:
        raise HTTPException(404)
    goods = site.market.by_id
    first = goods[offers[0].product_id]
    name = f"{first.manufacturer} {first.model}"
    nodes = [product_node(offer, goods[offer.product_id], base) for offer in offers]
    script = script_text(group_node(key, name, f"{base}/{ID}/{language}/g/{key}", nodes))
    return _page(
        "boreal_group.html",
        language,
        name=name,
        items=[shown(offer, goods[offer.product_id], language) for offer in offers],
        scripts=[Markup(script)],  # noqa: S704 - script_text escapes `</`
    )


def robots(request: Request) -> Response:
    """What crawlers may fetch and where the sitemap is."""
    lines = [
        "User-agent: *",
        f"Disallow: {FORBIDDEN}",
        f"Disallow: /{ID}/panier",
        "",
        f"Sitemap: {_base(request)}/{ID}/sitemap.xml",
    ]
    return PlainTextResponse("\n".join(lines) + "\n")


def sitemap_index(request: Request) -> Response:
    """The sitemap of sitemaps."""
    base, moment = _base(request), _state(request).modified[ID].date()
    rows = "".join(
        f"<sitemap><loc>{base}/{ID}/sitemap-{language}.xml</loc><lastmod>{moment}</lastmod></sitemap>"
        for language in LANGUAGES
    )
    return _xml(request, "sitemapindex", rows)


def sitemap(request: Request) -> Response:
    """The pages of one language, and in French three addresses that it should not list."""
    language = _language(request)
    paths = _listed_paths(_state(request).market, language)
    if language == "fr":
        paths += [f"/{ID}/fr/p/{GONE}", f"/{ID}/fr/p/{SOFT_404}", FORBIDDEN]
    base = _base(request)
    rows = "".join(f"<url><loc>{escape(base + path)}</loc></url>" for path in paths)
    return _xml(request, "urlset", rows)


def _listed_paths(market: Market, language: str) -> list[str]:
    paths: dict[str, None] = {f"/{ID}/{language}/": None}
    for offer in market.offers_of(ID):
        if offer.language == language:
            listed = f"/{ID}/{language}/g/{offer.group}" if is_grouped(offer) else offer.page
            paths[listed] = None
    return list(paths)


def _xml(request: Request, root: str, rows: str) -> Response:
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{rows}</{root}>\n'
    )
    modified = _state(request).modified[ID]
    return conditional(request, text.encode(), modified, "application/xml")


ROUTES = [
    Route("/robots.txt", robots),
    Route(f"/{ID}/robots.txt", robots),
    Route(f"/{ID}/sitemap.xml", sitemap_index),
    Route(f"/{ID}/sitemap-{{language}}.xml", sitemap),
    Route(f"/{ID}/", home),
    Route(f"/{ID}/{{language}}/", home),
    Route(f"/{ID}/{{language}}/c/{{category:int}}", category),
    Route(f"/{ID}/{{language}}/g/{{group}}", group),
    Route(f"/{ID}/{{language}}/p/{{sku}}", product),
]
