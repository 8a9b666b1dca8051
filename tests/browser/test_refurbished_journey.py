"""A refurbished article is called so on every page from the basket to the order, on a telephone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser

from tests.browser.demo_visit import visit
from tests.running_demo import Demo

pytestmark = pytest.mark.browser
WORDS = {"mirabelle": r"Reconditionné(, |$)", "taktwerk": r"Generalüberholt(, |$)"}


def refurbished(demo: Demo) -> str:
    """A product that Maison Oscar sells refurbished and in no other condition."""
    rows = demo.rows(
        "SELECT product_id FROM mdm.offer WHERE merchant_id = 'maison-oscar' AND live "
        "AND availability = 'in_stock' AND quantity > 4 AND delivery @> "
        '\'[{"country": "FR"}, {"country": "DE"}]\' GROUP BY product_id '
        "HAVING bool_and(condition = 'refurbished') ORDER BY product_id LIMIT 1"
    )
    return str(rows[0].product_id)


@pytest.mark.parametrize("brand", WORDS)
def test_the_condition_is_said_up_to_the_order(demo: Demo, chromium: Browser, brand: str) -> None:
    product = refurbished(demo)
    with visit(demo, chromium, brand, width=390, scripts=False) as visiting:
        page = visiting.page

        def assert_said() -> None:
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            condition = page.locator("li.line .line-condition").inner_text()
            assert re.match(WORDS[brand], condition), condition

        visiting.put_into_basket(product)
        assert_said()
        page.click("a[href='/checkout']")
        visiting.fill_contact()
        visiting.press_main_button()
        page.wait_for_url("**/checkout/confirm**")
        assert_said()
        visiting.accept_and_confirm()
        visiting.pay()
        assert_said()
