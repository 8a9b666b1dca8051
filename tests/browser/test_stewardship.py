"""Pages of stewardship in a browser: accessible, inside a telephone's window, worked by keys."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, BrowserContext, Page

from comptoir.backoffice import create_backoffice
from tests.comptoir.stewards_at_work import fill, installation, key
from tests.conftest import fresh_database

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def office(
    postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """Address of a served back office with eight questions, and an operator's key."""
    opened = installation(fresh_database(postgres_url), tmp_path_factory.mktemp("office"))
    fill(opened, 8, manufacturer="Geräuschunterdrückungskopfhörerwerke")
    server = uvicorn.Server(
        uvicorn.Config(create_backoffice(opened), host="127.0.0.1", port=0, log_level="warning")
    )
    serving = threading.Thread(target=server.run, daemon=True)
    serving.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}", key(opened)
    server.should_exit = True
    serving.join(10)
    opened.database.close()


def sign_in(context: BrowserContext, office: tuple[str, str], language: str) -> Page:
    address, secret = office
    page = context.new_page()
    page.goto(f"{address}/sign-in?lang={language}")
    page.fill("[name=key]", secret)
    page.locator("main button").click()
    page.wait_for_url("**/stewardship")
    return page


def first(page: Page) -> str:
    found = page.locator(".questions a").first.get_attribute("href")
    assert found is not None
    return found


def shows(page: Page, text: str) -> None:
    page.locator(".review-head", has_text=text).wait_for()


@pytest.mark.parametrize(
    ("language", "scheme", "width"), [("de", "dark", 320), ("fr", "light", 1280)]
)
def test_pages_are_accessible_fit_and_complain_of_nothing(
    chromium: Browser, office: tuple[str, str], language: str, scheme: str, width: int
) -> None:
    context = chromium.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    try:
        page = sign_in(context, office, language)
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        review = first(page)
        page.goto(office[0] + review)
        product = page.locator(".side-product a").first.get_attribute("href")
        assert product is not None
        for turn, path in enumerate((review, "/stewardship/history", "/stewardship", product)):
            page.goto(office[0] + path)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
            assert page.locator("h1").count() == 1
            # The slow audit by turns; the page that is looked at all day in both looks.
            if turn == 0 or turn % 2 == (language == "de"):
                found = Axe().run(page).response["violations"]
                assert [(row["id"], row["nodes"][0]["html"][:200]) for row in found] == []
        assert said == []
    finally:
        context.close()


def test_the_queue_is_worked_by_keys(chromium: Browser, office: tuple[str, str]) -> None:
    context = chromium.new_context()
    try:
        page = sign_in(context, office, "en")
        address = office[0] + first(page)
        page.goto(address)
        page.keyboard.press("j")
        page.wait_for_url(lambda url: url != address)
        page.keyboard.press("k")
        page.wait_for_url(address)
        page.keyboard.press("a")
        page.wait_for_url("**?done=*")
        assert "Same product" in page.locator(".said").inner_text()
        shows(page, "7 questions are open")
        page.keyboard.press("r")
        shows(page, "6 questions are open")
        page.keyboard.press("u")
        shows(page, "7 questions are open")
        page.goto(address)
        assert "Same product" in page.locator(".decided").inner_text()
        page.keyboard.press("u")
        shows(page, "8 questions are open")
        assert page.url.startswith(address)
    finally:
        context.close()


def test_everything_works_without_scripts(chromium: Browser, office: tuple[str, str]) -> None:
    context = chromium.new_context(
        java_script_enabled=False, viewport={"width": 320, "height": 640}
    )
    try:
        page = sign_in(context, office, "en")
        page.goto(office[0] + first(page))
        page.locator("button[value=reject]").click()
        assert "Different products" in page.locator(".said").inner_text()
        page.locator(".said button").click()
        shows(page, "8 questions are open")
        page.locator("[data-key='j s']").click()
        assert page.locator("h1").is_visible()
    finally:
        context.close()
