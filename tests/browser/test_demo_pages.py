"""Every page of the running shop, both brands, light and dark: accessible, inside its window,
silent, light. An order is placed on the way."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, Request

from tests.browser.demo_visit import Visit, sold_by_oscar, visit, walk
from tests.running_demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.oscar]

MOST_BYTES = 100_000
WIDTHS = (320, 375, 1280)


def serious(page: Page) -> list[str]:
    """Rule, and element, of each serious or critical finding of axe-core."""
    return [
        f"{row['id']}: {row['nodes'][0]['html'][:200]}"
        for row in Axe().run(page).response["violations"]
        if row["impact"] in ("serious", "critical")
    ]


def overflowing(page: Page, widths: tuple[int, ...] = WIDTHS) -> list[str]:
    """The widths at which one would have to scroll sideways, with the first elements to blame."""
    found = []
    before = page.viewport_size
    for width in widths:
        page.set_viewport_size({"width": width, "height": 800})
        blamed = page.evaluate(
            "[...document.querySelectorAll('body *')].filter(e => document.documentElement."
            "scrollWidth > innerWidth && e.getBoundingClientRect().right > innerWidth + 1)"
            ".slice(0, 3).map(e => e.outerHTML.slice(0, 120))"
        )
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{width}: {blamed}")
    if before is not None:
        page.set_viewport_size(before)
    return found


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 375)])
@pytest.mark.parametrize("brand", ["mirabelle", "taktwerk"])
def test_every_page_is_accessible_fits_and_says_nothing(
    demo: Demo, chromium: Browser, brand: str, scheme: str, width: int
) -> None:
    faults: list[str] = []
    seen: list[str] = []

    def look(name: str, visiting: Visit) -> None:
        page = visiting.page
        seen.append(name)
        faults.extend(f"{name}: {line}" for line in overflowing(page))
        faults.extend(f"{name}: {line}" for line in serious(page))
        if name == "payment":
            return  # the provider's page: not of our templates
        if page.locator("h1").count() != 1:
            faults.append(f"{name}: not one heading of the first level")
        if page.evaluate("document.documentElement.dataset.scheme") != scheme:
            faults.append(f"{name}: is not {scheme}")

    with visit(demo, chromium, brand, scheme=scheme, width=width) as visiting:
        walk(visiting, sold_by_oscar(demo)[0], look)
        assert visiting.said == []
    assert faults == []
    assert len(seen) == 20


@pytest.mark.parametrize("path", ["/", "/search?q=smartphone", "/search", "/basket", "/terms"])
@pytest.mark.parametrize("brand", ["mirabelle", "taktwerk"])
def test_a_page_is_light_and_two_requests_stand_before_its_first_paint(
    demo: Demo, chromium: Browser, brand: str, path: str
) -> None:
    sent: list[Request] = []

    def note(request: Request) -> None:
        sent.append(request)

    with visit(demo, chromium, brand) as visiting:
        visiting.page.on("requestfinished", note)
        visiting.open(path)
        visiting.page.wait_for_load_state("networkidle")
        kinds = [request.resource_type for request in sent]
        weight = sum(
            request.sizes()["responseBodySize"]
            for request in sent
            if request.resource_type != "image"
        )
        blocking = visiting.page.evaluate(
            "document.querySelectorAll('head link[rel=stylesheet]').length + document."
            "querySelectorAll('script[src]:not([defer]):not([async])').length"
        )
    assert kinds.count("document") == 1
    assert 1 + blocking <= 2
    assert weight < MOST_BYTES, f"{weight} bytes"


def test_pictures_keep_their_place_before_they_come(demo: Demo, chromium: Browser) -> None:
    with visit(demo, chromium) as visiting:
        visiting.page.route("**/drawings/**", lambda route: route.abort())
        visiting.open("/search")
        bare = visiting.page.evaluate("document.body.scrollHeight")
        visiting.page.unroute("**/drawings/**")
        visiting.open("/search")
        visiting.page.wait_for_load_state("networkidle")
        assert visiting.page.evaluate("document.body.scrollHeight") == bare
        assert visiting.page.locator("img:not([width])").count() == 0


def test_no_picture_is_broken(demo: Demo, chromium: Browser) -> None:
    with visit(demo, chromium, "taktwerk") as visiting:
        for number in range(1, 4):
            visiting.open(f"/search?page={number}")
            visiting.page.evaluate(
                "document.querySelectorAll('img').forEach(image => image.loading = 'eager')"
            )
            visiting.page.wait_for_load_state("networkidle")
            broken = visiting.page.evaluate(
                "[...document.images].filter(image => !image.complete || !image.naturalWidth)"
                ".map(image => image.src)"
            )
            assert broken == []
        assert visiting.said == []
