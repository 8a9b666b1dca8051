"""The shop drawn from sample models: its own files, its own security policy, no database.

A browser context is told what to answer; no port is opened.
"""

from __future__ import annotations

from fastapi import FastAPI
from playwright.sync_api import BrowserContext, Route
from starlette.testclient import TestClient

from kernel.web import PAGE_POLICY
from search_api.answer import ProductPage
from search_api.drawings.route import router as drawings
from search_api.structured_data import product_data
from tenants.pages.assets import assets_router
from tenants.pages.rendering import page_environment, render
from tests.browser.page_samples import PAGES
from tests.browser.sample_brands import SPEAKS, brand

BRANDS = {name: brand(name) for name in SPEAKS}
ENVIRONMENT = page_environment(["search_api.pages", "checkout.pages"])
HEADERS = {"content-type": "text/html", "content-security-policy": PAGE_POLICY.format(forms="")}


def files_of_the_shop() -> TestClient:
    """Stylesheets, scripts and drawings, as the shop serves them."""
    app = FastAPI()
    app.include_router(drawings)
    app.include_router(assets_router(lambda key: BRANDS[key].theme))
    return TestClient(app)


def html(state: str, name: str, scheme: str, here: str, language: str | None = None) -> str:
    """The page of that state, in the brand's own language unless another is given."""
    template, model = PAGES[state]
    spoken = language or SPEAKS[name]
    page = model(spoken)
    kept = {}
    if isinstance(page, ProductPage):
        kept = {"canonical": page.url, "data": product_data(page, "http://shop.test")}
    return render(
        ENVIRONMENT,
        template,
        brand=BRANDS[name],
        language=spoken,
        scheme=scheme,
        page=page,
        here=here,
        query="telefon" if template == "results.html" else "",
        basket_count=3,
        reference="7F3A",
        origin="http://shop.test",
        **kept,
    )


def serve(
    context: BrowserContext,
    shop: TestClient,
    name: str,
    scheme: str,
    seen: list[str],
    language: str | None = None,
) -> None:
    """Answers `/<state>?...` with a page and everything else with the shop's own files."""

    def answer(route: Route) -> None:
        path = "/" + route.request.url.split("/", 3)[3]
        if path.startswith(("/static/", "/drawings/")):
            got = shop.get(path)
            route.fulfill(status=got.status_code, headers=dict(got.headers), body=got.content)
            return
        seen.append(path)
        state = path[1:].split("?")[0].removesuffix("/prd_1")
        if state == "search":
            state = "results-none" if "merchant=Maison" in path else "results"
        route.fulfill(status=200, headers=HEADERS, body=html(state, name, scheme, path, language))

    context.route("**/*", answer)
