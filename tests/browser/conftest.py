"""Real Chromium for tests: found on the machine, or said loudly to be missing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def found() -> str | None:
    """Path of the browser: `COMPTOIR_TEST_CHROMIUM`, else the first known name."""
    given = os.environ.get("COMPTOIR_TEST_CHROMIUM")
    return given or next((path for path in map(shutil.which, NAMES) if path), None)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for a module; skipped where there is none, unless it is required."""
    path = found()
    if path is None:
        if os.environ.get("COMPTOIR_TEST_REQUIRE_ALL"):
            pytest.fail("Chromium is required (COMPTOIR_TEST_REQUIRE_ALL) and is not here.")
        pytest.skip("LEFT OUT: no Chromium here; pages are not looked at in a browser.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
