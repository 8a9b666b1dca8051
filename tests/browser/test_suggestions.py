"""The search box proposes while one types: by keyboard, by touch; not at all without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from starlette.testclient import TestClient

from search_api.suggest import SuggestAnswer, Suggestion
from tenants.pages.rendering import render
from tests.browser.sample_brands import euros
from tests.browser.sample_shop import BRANDS, ENVIRONMENT, HEADERS, files_of_the_shop, serve
from tests.browser.test_pages import complaints_of, serious

pytestmark = pytest.mark.browser

FOUND = (
    Suggestion(type="query", text="nordlys book", url="/results?q=nordlys+book"),
    Suggestion(type="category", text="Ordinateurs portables", url="/results?category=328"),
    Suggestion(type="manufacturer", text="Nordlys <b>", url="/results?manufacturer=nordlys"),
    Suggestion(type="product", text="Nordlys Book 14", url="/product", from_total=euros(89900)),
)


@dataclass
class Box:
    """The search box of a page, and what was asked of the shop."""

    page: Page
    asked: list[str] = field(default_factory=list)
    fails: bool = False

    def type(self, text: str) -> None:
        """Type, and wait for the list."""
        self.page.focus("#search-box")
        self.page.keyboard.type(text)
        expect(self.page.locator("#suggestions")).to_be_visible()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def marked(self) -> str | None:
        """Text of the option that the box names as the active one."""
        place = self.page.get_attribute("#search-box", "aria-activedescendant")
        selected = self.page.locator("[role=option][aria-selected=true]")
        if place is None:
            assert selected.count() == 0
            return None
        assert selected.get_attribute("id") == place
        return selected.locator(".suggestion-text").inner_text()

    def is_open(self) -> bool:
        told = self.page.get_attribute("#search-box", "aria-expanded") == "true"
        assert told == self.page.locator("#suggestions").is_visible()
        return told


@contextmanager
def _box(browser: Browser, *, state: str = "home", width: int = 1280) -> Iterator[Box]:
    context = browser.new_context(viewport={"width": width, "height": 800})
    try:
        serve(context, files_of_the_shop(), "mirabelle", "light", [])
        page = context.new_page()
        box = Box(page)

        def answer(route: Route) -> None:
            box.asked.append(route.request.url.split("=", 1)[1])
            if box.fails:
                route.abort()
                return
            model = SuggestAnswer(query="nor", read_as=None, suggestions=FOUND)
            brand, template = BRANDS["mirabelle"], "suggestions.html"
            body = render(ENVIRONMENT, template, brand=brand, language="fr", page=model)
            route.fulfill(status=200, headers=HEADERS, body=body)

        context.route("**/suggest?*", answer)
        said = complaints_of(page)
        page.goto(f"http://shop.test/{state}")
        yield box
        assert [each for each in said if "ERR_FAILED" not in each] == []
    finally:
        context.close()


def test_arrows_choose_and_enter_goes_there(chromium: Browser) -> None:
    with _box(chromium) as box:
        box.type("nor")
        assert box.marked() is None
        box.press("ArrowDown")
        assert box.marked() == "nordlys book"
        box.press("ArrowUp", "ArrowUp")
        assert box.marked() == "Nordlys Book 14"
        box.press("ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown")
        assert box.marked() == "Nordlys <b>"
        assert box.page.input_value("#search-box") == "nor"
        assert box.page.evaluate("document.activeElement.id") == "search-box"
        box.press("Enter")
        box.page.wait_for_url("**/results?manufacturer=nordlys")


def test_enter_without_a_choice_searches_what_was_typed(chromium: Browser) -> None:
    with _box(chromium) as box:
        box.type("nor")
        box.press("ArrowDown", "ArrowUp", "Enter")
        box.page.wait_for_url("**/search?q=nor")


def test_escape_closes_the_list_and_keeps_the_words(chromium: Browser) -> None:
    with _box(chromium) as box:
        box.type("nor")
        box.press("ArrowDown", "Escape")
        assert not box.is_open()
        assert box.marked() is None
        assert box.page.input_value("#search-box") == "nor"
        box.press("ArrowDown")
        assert box.is_open()
        assert box.marked() == "nordlys book"
        box.press("Alt+ArrowUp")
        assert not box.is_open()
        box.press("Alt+ArrowDown", "Tab")
        assert not box.is_open()
        assert box.page.evaluate("document.activeElement.type") == "submit"


def test_the_list_is_told_and_is_accessible(chromium: Browser) -> None:
    with _box(chromium, state="results", width=375) as box:
        box.type("x")
        box.press("ArrowDown")
        expect(box.page.locator("#suggestions-told")).to_have_text("4 suggestions")
        named = box.page.get_by_role("combobox", name="Chercher des produits", exact=True)
        expect(named).to_have_attribute("aria-controls", "suggestions")
        assert serious(box.page) == []
        assert box.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        heights = box.page.evaluate(
            "[...document.querySelectorAll('[role=option]')].map(o => o.offsetHeight)"
        )
        assert min(heights) >= 44


def test_a_press_on_an_option_goes_there(chromium: Browser) -> None:
    with _box(chromium) as box:
        box.type("nor")
        box.page.get_by_role("option").nth(1).click()
        box.page.wait_for_url("**/results?category=328")


def test_one_question_for_words_typed_fast_and_none_for_none(chromium: Browser) -> None:
    with _box(chromium) as box:
        box.type("nord")
        assert box.asked == ["nord"]
        box.page.fill("#search-box", "  ")
        expect(box.page.locator("#suggestions")).to_be_hidden()
        assert box.asked == ["nord"]


def test_where_nothing_answers_the_box_still_searches(chromium: Browser) -> None:
    with _box(chromium) as box:
        box.fails = True
        box.page.focus("#search-box")
        box.page.keyboard.type("nor")
        box.page.wait_for_timeout(400)
        assert box.asked == ["nor"]
        assert not box.is_open()
        box.press("Enter")
        box.page.wait_for_url("**/search?q=nor")


def test_without_scripts_it_is_a_plain_search_box(chromium: Browser) -> None:
    context = chromium.new_context(java_script_enabled=False)
    try:
        files: TestClient = files_of_the_shop()
        serve(context, files, "mirabelle", "light", [])
        page = context.new_page()
        page.goto("http://shop.test/home")
        expect(page.get_by_role("combobox")).to_have_count(0)
        expect(page.locator("#suggestions")).to_be_hidden()
        page.fill("#search-box", "nor")
        page.press("#search-box", "Enter")
        page.wait_for_url("**/search?q=nor")
    finally:
        context.close()
