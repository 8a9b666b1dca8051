"""Every page in every state, seen by a browser: accessible, inside its window, silent, no jump.

Rendered from sample models and served under the shop's own security policy.
"""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect
from starlette.testclient import TestClient

from tests.browser.page_samples import PAGES
from tests.browser.sample_brands import brand as sample_brand
from tests.browser.sample_shop import files_of_the_shop, serve

pytestmark = pytest.mark.browser

LOOKS = [("mirabelle", "light", 375), ("taktwerk", "dark", 1280)]


@pytest.fixture(scope="module", name="files_of_the_shop")
def shop_files() -> TestClient:
    return files_of_the_shop()


def complaints_of(page: Page) -> list[str]:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


@pytest.mark.parametrize("state", sorted(PAGES))
def test_a_page_is_accessible_fits_and_complains_of_nothing(
    chromium: Browser, files_of_the_shop: TestClient, state: str
) -> None:
    # Every state in both looks; the slow audit in one of them, by turns.
    audited = sorted(PAGES).index(state) % len(LOOKS)
    for turn, (name, scheme, width) in enumerate(LOOKS):
        context = chromium.new_context(viewport={"width": width, "height": 800})
        try:
            serve(context, files_of_the_shop, name, scheme, [])
            page = context.new_page()
            said = complaints_of(page)
            page.goto(f"http://shop.test/{state}")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert page.locator("h1").count() == 1
            assert page.locator("img:not([width])").count() == 0
            assert said == []
            if turn == audited:
                assert serious(page) == []
        finally:
            context.close()


@pytest.mark.parametrize("brand", ["mirabelle", "taktwerk"])
def test_letters_of_twice_the_size_fit_into_a_telephone(
    chromium_of_large_letters: Browser, files_of_the_shop: TestClient, brand: str
) -> None:
    """No page is wider than the window, and no line of the head lies over another."""
    context = chromium_of_large_letters.new_context(viewport={"width": 375, "height": 800})
    faults = []
    try:
        serve(context, files_of_the_shop, brand, "light", [])
        page = context.new_page()
        for state in PAGES:
            page.goto(f"http://shop.test/{state}")
            assert page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") > 28
            wider = page.evaluate(
                "[...document.querySelectorAll('body *')].filter(e => !e.closest('.hidden') &&"
                " e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML)"
            )
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                faults.append((state, [html[:200] for html in wider[:3]]))
            if page.evaluate(
                "document.querySelector('.brand').getBoundingClientRect().right > "
                "document.querySelector('.tools').getBoundingClientRect().left && "
                "document.querySelector('.brand').getBoundingClientRect().bottom > "
                "document.querySelector('.tools').getBoundingClientRect().top + 1"
            ):
                faults.append((state, ["the name and the basket lie over each other"]))
    finally:
        context.close()
    assert faults == []


@pytest.mark.parametrize("scheme", ["auto", "dark"])
@pytest.mark.parametrize("brand", ["mirabelle", "taktwerk"])
def test_an_order_on_paper_is_dark_on_white_and_says_who_sold(
    chromium: Browser, files_of_the_shop: TestClient, brand: str, scheme: str
) -> None:
    """Also for those who read in the dark; without what can only be clicked."""
    context = chromium.new_context(viewport={"width": 794, "height": 1123}, color_scheme="dark")
    try:
        serve(context, files_of_the_shop, brand, scheme, [])
        page = context.new_page()
        page.goto("http://shop.test/order")
        lightness = (
            "[...getComputedStyle(document.body).color.matchAll(/\\d+/g)]"
            ".slice(0, 3).reduce((sum, part) => sum + +part[0], 0) / 765"
        )
        assert page.evaluate(lightness) > 0.7
        page.emulate_media(media="print")
        assert page.evaluate(lightness) < 0.3
        contact = sample_brand(brand).contact
        assert page.get_by_text(contact.company).first.is_visible()
        assert page.get_by_text(contact.phone).last.is_visible()
        assert page.locator("h1").is_visible()
        for clicked in ("nav", "form button", ".search"):
            assert [e.is_visible() for e in page.locator(clicked).all()].count(True) == 0, clicked
    finally:
        context.close()


def serious(page: Page) -> list[tuple[str, str]]:
    """Rule and element of each serious or critical finding of axe-core."""
    return [
        (row["id"], row["nodes"][0]["html"][:200])
        for row in Axe().run(page).response["violations"]
        if row["impact"] in ("serious", "critical")
    ]


def test_filters_work_without_scripts_from_a_drawer_that_is_a_page(
    chromium: Browser, files_of_the_shop: TestClient
) -> None:
    seen: list[str] = []
    context = chromium.new_context(
        java_script_enabled=False, viewport={"width": 375, "height": 700}
    )
    try:
        serve(context, files_of_the_shop, "mirabelle", "light", seen)
        page = context.new_page()
        page.goto("http://shop.test/search?q=telefon")
        page.click(".open-filters")
        assert page.locator(".rail").is_visible()
        assert not page.locator("#results").is_visible()
        page.locator("[name=merchant][value='Maison Perrault']").check()
        page.click(".rail-send button")
        assert page.locator("#results").is_visible()
        assert "merchant=Maison+Perrault" in seen[-1]
        assert "q=telefon" in seen[-1]
        assert "filters=1" not in seen[-1]
    finally:
        context.close()


def test_with_scripts_a_filter_answers_in_place_and_the_way_back_works(
    chromium: Browser, files_of_the_shop: TestClient
) -> None:
    seen: list[str] = []
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    try:
        serve(context, files_of_the_shop, "taktwerk", "light", seen)
        page = context.new_page()
        said = complaints_of(page)
        page.goto("http://shop.test/search?q=telefon")
        page.locator("[name=merchant][value='Maison Perrault']").check()
        page.wait_for_url("**/search?*merchant=Maison+Perrault*")
        page.locator(".empty").wait_for()
        assert page.evaluate("document.activeElement.name") == "merchant"
        page.go_back()
        page.locator(".card").first.wait_for()
        page.locator("h1").click()
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.id") == "search-box"
        assert said == []
    finally:
        context.close()


def test_keyboard_reaches_the_content_first(
    chromium: Browser, files_of_the_shop: TestClient
) -> None:
    context = chromium.new_context()
    try:
        serve(context, files_of_the_shop, "mirabelle", "light", [])
        page = context.new_page()
        page.goto("http://shop.test/product")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
    finally:
        context.close()


def test_what_was_seen_stays_in_the_browser_and_can_be_forgotten(
    chromium: Browser, files_of_the_shop: TestClient
) -> None:
    seen: list[str] = []
    context = chromium.new_context(viewport={"width": 375, "height": 800})
    try:
        serve(context, files_of_the_shop, "mirabelle", "light", seen)
        page = context.new_page()
        said = complaints_of(page)
        page.goto("http://shop.test/home")
        assert not page.locator("#seen").is_visible()
        page.goto("http://shop.test/product")
        name = page.locator("h1").inner_text()
        page.goto("http://shop.test/home")
        assert page.locator("#seen a").count() == 1
        assert name in page.locator("#seen a").inner_text()
        assert page.locator("#seen a").get_attribute("href") == "/product/prd_0"
        assert serious(page) == []
        assert context.cookies() == []
        page.locator("#seen button").click()
        assert not page.locator("#seen").is_visible()
        page.reload()
        assert not page.locator("#seen").is_visible()
        # What somebody else has put there leads to no other site, and starts nothing.
        bad = '[{"url": "javascript:alert(1)"}, {"url": "//evil.example"}, null, 7]'
        page.evaluate("text => localStorage.setItem('seen-mirabelle', text)", bad)
        page.reload()
        assert not page.locator("#seen").is_visible()
        assert said == []
    finally:
        context.close()


def test_without_scripts_nothing_is_said_of_what_was_seen(
    chromium: Browser, files_of_the_shop: TestClient
) -> None:
    context = chromium.new_context(java_script_enabled=False)
    try:
        serve(context, files_of_the_shop, "mirabelle", "light", [])
        page = context.new_page()
        page.goto("http://shop.test/product")
        page.goto("http://shop.test/home")
        assert not page.locator("#seen").is_visible()
    finally:
        context.close()


def test_a_long_facet_is_searched_without_asking_the_shop(
    chromium: Browser, files_of_the_shop: TestClient
) -> None:
    seen: list[str] = []
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    try:
        serve(context, files_of_the_shop, "mirabelle", "light", seen)
        page = context.new_page()
        page.goto("http://shop.test/search?q=telefon")
        box = page.locator(".facet-search")
        assert box.count() == 1
        makes = page.locator("[name=manufacturer]")
        box.fill("lio n")
        assert [makes.nth(n).is_visible() for n in range(14)].count(True) == 1
        box.press("Enter")
        page.locator("h1").click()
        assert len(seen) == 1
        box.fill("AURÉLIO")
        assert [makes.nth(n).is_visible() for n in range(14)].count(True) == 14
    finally:
        context.close()


def test_another_variant_keeps_the_place_and_is_a_link_without_scripts(
    chromium: Browser, files_of_the_shop: TestClient
) -> None:
    seen: list[str] = []
    for scripts in (True, False):
        context = chromium.new_context(
            viewport={"width": 375, "height": 500}, java_script_enabled=scripts
        )
        try:
            serve(context, files_of_the_shop, "mirabelle", "light", seen)
            page = context.new_page()
            page.goto("http://shop.test/product")
            link = page.locator(".variant").nth(1)
            link.scroll_into_view_if_needed()
            before = link.bounding_box()
            assert before is not None
            link.click()
            page.wait_for_url("**/product/prd_1")
            assert seen[-1] == "/product/prd_1"
            page.locator("h1").wait_for()
            after = page.locator(".variant").nth(1).bounding_box()
            assert after is not None
            if scripts:
                assert abs(after["y"] - before["y"]) < 2
        finally:
            context.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_product_is_seen_from_all_sides(
    chromium: Browser, files_of_the_shop: TestClient, scripts: bool
) -> None:
    context = chromium.new_context(
        viewport={"width": 375, "height": 800}, java_script_enabled=scripts
    )
    try:
        serve(context, files_of_the_shop, "mirabelle", "light", [])
        page = context.new_page()
        page.goto("http://shop.test/product-pictures")
        pictures = page.locator(".gallery-row > li")
        assert pictures.count() == page.locator(".thumbs a").count() == 5
        expect(pictures.nth(0)).to_be_in_viewport()
        expect(pictures.nth(3)).not_to_be_in_viewport()
        page.locator(".thumbs a").nth(3).click()
        expect(pictures.nth(3)).to_be_in_viewport()
        # The way back leads to the page before, not through pictures.
        assert page.url.endswith("#picture-4") != scripts
    finally:
        context.close()
