"""Draws every page in every state for people to look at: `make screenshots`.

Both brands, French and German, light and dark, 375 and 1280 px, into docs/screenshots (or the
folder given). Names of states after the folder draw only those.
"""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from starlette.testclient import TestClient

from tests.browser.conftest import found
from tests.browser.page_samples import PAGES
from tests.browser.sample_brands import SPEAKS
from tests.browser.sample_shop import files_of_the_shop, serve

WIDTHS = (375, 1280)
SCHEMES = ("light", "dark")


def main() -> None:
    """Draw, with a line for each look."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/screenshots")
    states = sys.argv[2:] or list(PAGES)
    folder.mkdir(parents=True, exist_ok=True)
    path = found()
    if path is None:
        sys.exit("No Chromium here: set COMPTOIR_TEST_CHROMIUM to its path.")
    shop = files_of_the_shop()
    looks = list(product(SPEAKS, SPEAKS.values(), SCHEMES, WIDTHS))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for number, look in enumerate(looks, 1):
            draw(browser, shop, folder, states, look)
            sys.stdout.write(f"{number}/{len(looks)} {' '.join(map(str, look))}\n")
        browser.close()


def draw(
    browser: Browser,
    shop: TestClient,
    folder: Path,
    states: list[str],
    look: tuple[str, str, str, int],
) -> None:
    """One file for each state: `<state>-<brand>-<language>-<scheme>-<width>.png`."""
    name, language, scheme, width = look
    context = browser.new_context(viewport={"width": width, "height": 800})
    serve(context, shop, name, scheme, [], language)
    page = context.new_page()
    for state in states:
        page.goto(f"http://shop.test/{state}")
        file = folder / f"{state}-{name}-{language}-{scheme}-{width}.png"
        page.screenshot(path=file, full_page=True)
    context.close()


if __name__ == "__main__":
    main()
