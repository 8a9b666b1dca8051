"""Real Chromium for tests: found on the machine, or said loudly to be missing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def found() -> str | None:
    """Path of the browser: `COMPTOIR_TEST_CHROMIUM`, else the first known name."""
    given = os.environ.get("COMPTOIR_TEST_CHROMIUM")
    return given or next((path for path in map(shutil.which, NAMES) if path), None)


Start = Callable[..., Browser]


@pytest.fixture(scope="module")
def start_chromium() -> Iterator[Start]:
    """Starts browsers; skipped where there is none, unless it is required."""
    path = found()
    if path is None:
        if os.environ.get("COMPTOIR_TEST_REQUIRE_ALL"):
            pytest.fail("Chromium is required (COMPTOIR_TEST_REQUIRE_ALL) and is not here.")
        pytest.skip("LEFT OUT: no Chromium here; pages are not looked at in a browser.")
    with sync_playwright() as playwright:
        yield lambda *settings: playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", *settings]
        )


@pytest.fixture(scope="module")
def chromium(start_chromium: Start) -> Iterator[Browser]:
    """One browser for a module."""
    browser = start_chromium()
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def chromium_of_large_letters(start_chromium: Start) -> Iterator[Browser]:
    """The browser of somebody who has set letters to twice the usual size."""
    browser = start_chromium("--blink-settings=defaultFontSize=32")
    yield browser
    browser.close()
