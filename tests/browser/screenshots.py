"""Draws every page of the running demonstration for people to look at: `make screenshots`.

Both brands, light and dark, 375 and 1280 px, in the brand's own language; home, results and product
in French and German. Files: <brand>-<page>-<language>-<width>-<scheme>.png in docs/screenshots.
Without --data the demonstration is started in a folder of its own and stopped again.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from comptoir.demo.plan import DemoPlan
from tests.browser.conftest import found
from tests.browser.demo_visit import SPEAKS, Visit, sold_by_oscar, visit, walk
from tests.browser.small_png import small_png
from tests.running_demo import Demo, is_running, kept_port, share_oscar

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
WIDTHS = (375, 1280)
SCHEMES = ("light", "dark")
IN_BOTH_LANGUAGES = ("home", "results", "product")
# Long lists: their beginning is enough.
LONG = ("results", "results-all", "results-similar")


@contextmanager
def running(folder: Path) -> Iterator[Demo]:
    """The demonstration of that folder, started where it does not run."""
    share_oscar(folder / "oscar")
    demo = Demo(DemoPlan(folder.absolute(), kept_port(folder)))
    if not is_running(demo.plan):
        demo.start()
    try:
        yield demo
    finally:
        demo.stop()


def draw(
    demo: Demo, browser: Browser, folder: Path, look: tuple[str, str, int, str], pages: set[str]
) -> int:
    """Go through the shop once in that look; answers how many pages were drawn."""
    brand, language, width, scheme = look
    drawn = 0

    def keep(name: str, visiting: Visit) -> None:
        nonlocal drawn
        if pages and name not in pages:
            return
        if language != SPEAKS[brand] and name not in IN_BOTH_LANGUAGES:
            return
        page = visiting.page
        # A picture further down is fetched only when it comes near: ask for all of them.
        page.evaluate("document.querySelectorAll('img').forEach(i => i.loading = 'eager')")
        page.wait_for_load_state("networkidle")
        file = folder / f"{brand}-{name}-{language}-{width}-{scheme}.png"
        seen = page.screenshot(full_page=name not in LONG, animations="disabled")
        file.write_bytes(small_png(browser, seen))
        drawn += 1

    with visit(demo, browser, brand, language=language, scheme=scheme, width=width) as visiting:
        walk(visiting, sold_by_oscar(demo)[0], keep)
    return drawn


def main() -> None:
    """Draw, with a line for each look."""
    parser = argparse.ArgumentParser(description="Draw the pages of the demonstration.")
    parser.add_argument("--data", type=Path, help="data folder of a demonstration")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--brand", choices=list(SPEAKS))
    parser.add_argument("--width", type=int, choices=WIDTHS)
    parser.add_argument("--scheme", choices=SCHEMES)
    parser.add_argument("--language", choices=list(SPEAKS.values()))
    parser.add_argument("pages", nargs="*", help="names of pages; all without")
    chosen = parser.parse_args()
    path = found()
    if path is None:
        sys.exit("No Chromium here: set COMPTOIR_TEST_CHROMIUM to its path.")
    chosen.folder.mkdir(parents=True, exist_ok=True)
    looks = list(
        product(
            [chosen.brand] if chosen.brand else SPEAKS,
            [chosen.language] if chosen.language else SPEAKS.values(),
            [chosen.width] if chosen.width else WIDTHS,
            [chosen.scheme] if chosen.scheme else SCHEMES,
        )
    )
    with (
        tempfile.TemporaryDirectory() as scratch,
        running(chosen.data or Path(scratch)) as demo,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for number, look in enumerate(looks, 1):
            count = draw(demo, browser, chosen.folder, look, set(chosen.pages))
            sys.stdout.write(f"{number}/{len(looks)} {' '.join(map(str, look))}: {count} pages\n")
            sys.stdout.flush()
        browser.close()


if __name__ == "__main__":
    main()
