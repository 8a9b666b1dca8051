"""Ways through the running shop as people go them: by keyboard, without scripts, on a telephone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.demo_visit import Visit, sold_by_oscar, visit
from tests.purchase_setting import CONTACT, GOOD_CARD
from tests.running_demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.oscar]

MOST_TABS = 160
FOCUS_IS_SEEN = """(() => {
  const focused = document.activeElement, box = focused.getBoundingClientRect();
  const drawn = [getComputedStyle(focused), getComputedStyle(focused, '::after')];
  return box.width > 0 && box.bottom > 0 && box.top < innerHeight
    && drawn.some(style => style.outlineStyle !== 'none' && style.outlineWidth !== '0px');
})()"""


def tab_to(page: Page, selector: str, text: str = "") -> None:
    """Press Tab until an element has the focus; every stop on the way must be seen."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        assert page.evaluate(FOCUS_IS_SEEN), page.evaluate("document.activeElement.outerHTML")
        if page.evaluate(
            "([selector, text]) => document.activeElement.matches(selector)"
            " && document.activeElement.textContent.includes(text)",
            [selector, text],
        ):
            return
    raise AssertionError(f"the keyboard never reached {selector} {text}")


def assert_ordered(visiting: Visit) -> None:
    """The page of the order carries the merchant's number, and all steps are done."""
    assert re.fullmatch(r"\d{5,}", visiting.order_number())
    expect(visiting.page.locator(".step-done")).to_have_count(4)
    # What was ordered has left the basket, in the frame of this very page too.
    expect(visiting.page.locator(".basket-link .count")).to_have_count(0)


def test_a_purchase_by_keyboard_alone(demo: Demo, chromium: Browser) -> None:
    product = sold_by_oscar(demo)[1]
    with visit(demo, chromium, "mirabelle") as visiting:
        page = visiting.page
        title = page.request.get(f"{demo.url}/v1/products/{product}").json()["title"]
        visiting.open("/")
        page.keyboard.press("/")
        page.keyboard.type(title[:80])
        page.keyboard.press("Enter")
        page.wait_for_url("**/search?**")
        tab_to(page, f"a[href^='/product/{product}']")
        page.keyboard.press("Enter")
        page.wait_for_url("**/product/**")
        tab_to(page, "form[action^='/basket/lines'] button", "Maison Oscar")
        page.keyboard.press("Enter")
        page.wait_for_url("**/basket**")
        tab_to(page, "a[href='/checkout']")
        page.keyboard.press("Enter")
        page.wait_for_url("**/checkout")
        for name in ("email", "name", "line1", "postcode", "city"):
            tab_to(page, f"[name={name}]")
            page.keyboard.type(CONTACT.as_json()[name])
        tab_to(page, "main form button[type=submit]")
        page.keyboard.press("Enter")
        page.wait_for_url("**/checkout/confirm**")
        tab_to(page, "[name=terms]")
        page.keyboard.press("Space")
        tab_to(page, ".button-large")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{demo.plan.payment}/**")
        for name in ("number", "expiry", "code"):
            if page.evaluate("document.activeElement.name") != name:
                tab_to(page, f"[name={name}]")
            page.keyboard.type(GOOD_CARD[name])
        page.keyboard.press("Enter")
        page.wait_for_url("**/order/**", timeout=60_000)
        assert_ordered(visiting)
        assert visiting.said == []


@pytest.mark.parametrize(("brand", "width"), [("taktwerk", 1280), ("mirabelle", 375)])
def test_a_purchase_without_scripts(demo: Demo, chromium: Browser, brand: str, width: int) -> None:
    product = sold_by_oscar(demo)[2]
    with visit(demo, chromium, brand, width=width, scripts=False) as visiting:
        page = visiting.page
        visiting.open("/")
        page.fill("#search-box", "usb")
        page.keyboard.press("Enter")
        page.wait_for_url("**/search?q=usb")
        visiting.put_into_basket(product)
        page.fill("input[name=quantity][type=number]", "2")
        page.locator(".line-acts button").first.click()
        expect(page.locator("input[name=quantity][type=number]")).to_have_value("2")
        page.click("a[href='/checkout']")
        visiting.fill_contact()
        visiting.press_main_button()
        page.wait_for_url("**/checkout/confirm**")
        visiting.accept_and_confirm()
        visiting.pay()
        assert_ordered(visiting)
        visiting.open("/basket")
        assert page.locator(".line").count() == 0
        assert visiting.said == []


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_whatever_is_pressed_twice_is_ordered_once(
    demo: Demo, chromium: Browser, scripts: bool
) -> None:
    """A double click, the way back, a reload and a second window, before and after paying."""
    with visit(demo, chromium, "taktwerk", scripts=scripts) as visiting:
        page = visiting.page
        visiting.put_into_basket(sold_by_oscar(demo)[6])
        visiting.open("/checkout")
        visiting.fill_contact()
        visiting.press_main_button()
        page.wait_for_url("**/checkout/confirm**")
        confirming = page.url
        second = page.context.new_page()
        second.goto(confirming)

        def confirm(window: Page) -> None:
            window.check("[name=terms]")
            window.locator(".button-large").dblclick()
            window.wait_for_url(f"{demo.plan.payment}/**")

        confirm(page)
        paying = page.url
        page.go_back()
        page.goto(confirming)
        confirm(page)
        confirm(second)
        page.reload()
        assert page.url == second.url == paying
        visiting.pay()
        assert_ordered(visiting)
        ordered = page.url
        page.reload()
        assert_ordered(visiting)
        # The window that stayed behind cannot pay again, nor order what is no longer in the basket.
        second.reload()
        assert second.locator("[name=number]").count() == 0
        second.goto(confirming)
        assert second.url == f"{demo.url}/basket"
        rows = demo.rows(
            "SELECT leg_id, order_ref FROM checkout.leg JOIN checkout.purchase USING (purchase_id) "
            "WHERE basket_id = (SELECT basket_id FROM checkout.purchase WHERE order_ref = :ref)",
            ref=ordered.partition("/order/")[2].partition(".")[0],
        )
        assert len(rows) == 1
        books = demo.provider("GET", "/v1/test/ledger")["payments"]
        taken = [row["status"] for row in books if row["reference"] == rows[0].leg_id]
        assert taken == ["captured"]


def test_a_declined_card_takes_no_money_and_another_one_pays(demo: Demo, chromium: Browser) -> None:
    with visit(demo, chromium, "taktwerk") as visiting:
        visiting.put_into_basket(sold_by_oscar(demo)[3])
        visiting.open("/checkout")
        visiting.fill_contact()
        visiting.press_main_button()
        visiting.page.wait_for_url("**/checkout/confirm**")
        visiting.accept_and_confirm()
        declined = {**GOOD_CARD, "number": "4000 0000 0000 0002"}
        for name, value in declined.items():
            visiting.page.fill(f"[name={name}]", value)
        visiting.page.locator("button.primary").click()
        visiting.page.locator("[role=alert]").wait_for()
        visiting.pay()
        assert_ordered(visiting)


def test_without_the_terms_nothing_is_ordered(demo: Demo, chromium: Browser) -> None:
    with visit(demo, chromium, "mirabelle", scripts=False) as visiting:
        visiting.put_into_basket(sold_by_oscar(demo)[4])
        visiting.open("/checkout")
        visiting.fill_contact()
        visiting.press_main_button()
        visiting.page.wait_for_url("**/checkout/confirm**")
        fields: dict[str, str | float | bool] = {
            field.get_attribute("name") or "": field.get_attribute("value") or ""
            for field in visiting.page.locator("main form input[type=hidden]").all()
        }
        answer = visiting.page.request.post(
            f"{demo.url}/checkout/confirm", form=fields, headers={"sec-fetch-site": "same-origin"}
        )
        assert "error-terms" in answer.text()


def test_filters_on_a_telephone_without_scripts(demo: Demo, chromium: Browser) -> None:
    with visit(demo, chromium, "mirabelle", width=375, scripts=False) as visiting:
        page = visiting.page
        visiting.open("/search?q=smartphone")
        assert not page.locator(".rail").is_visible()
        page.click(".open-filters")
        assert page.locator(".rail").is_visible()
        assert not page.locator("#results").is_visible()
        page.check("[name=merchant][value=maison-oscar]")
        page.fill("[name=price_max]", "600")
        page.click(".rail-send button")
        page.wait_for_url("**merchant=maison-oscar**")
        assert page.locator("#results").is_visible()
        amounts = page.locator("#results .card-offer data").all()
        totals = [float(amount.get_attribute("value") or "inf") for amount in amounts]
        assert totals
        assert max(totals) <= 600
        chips = page.locator(".chip-undo")
        count = chips.count()
        assert count >= 2
        chips.last.click()
        assert page.locator(".chip-undo").count() == count - 1
        assert visiting.said == []


def test_a_filter_with_scripts_changes_the_list_in_place(demo: Demo, chromium: Browser) -> None:
    with visit(demo, chromium, "taktwerk") as visiting:
        page = visiting.page
        visiting.open("/search?q=smartphone")
        before = page.locator(".page-head, #results").first.inner_text()
        page.check(".rail [name=merchant][value=werkkontor]")
        page.wait_for_url("**merchant=werkkontor**")
        page.locator(".chip-undo").first.wait_for()
        assert page.locator(".rail [name=merchant][value=werkkontor]").is_checked()
        page.go_back()
        expect(page.locator(".rail [name=merchant][value=werkkontor]")).not_to_be_checked()
        assert page.locator(".page-head, #results").first.inner_text() == before
        assert visiting.said == []


def test_language_is_switched_and_kept(demo: Demo, chromium: Browser) -> None:
    with visit(demo, chromium, "mirabelle") as visiting:
        page = visiting.page
        visiting.open("/search?q=smartphone&price_max=900")
        page.click(".languages a[hreflang=de]")
        assert page.locator("html").get_attribute("lang") == "de"
        assert "q=smartphone" in page.url
        assert "price_max=900" in page.url
        visiting.open("/")
        assert page.locator("html").get_attribute("lang") == "de"


def test_the_browsers_language_counts_until_one_is_chosen(demo: Demo, chromium: Browser) -> None:
    context = chromium.new_context(locale="de-AT")
    page = context.new_page()
    page.goto(f"{demo.url}/?brand=mirabelle")
    assert page.locator("html").get_attribute("lang") == "de"
    context.close()


def test_the_scheme_follows_the_system_until_one_is_chosen(demo: Demo, chromium: Browser) -> None:
    def ground(page: Page) -> str:
        return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    with visit(demo, chromium, "taktwerk", scheme="auto") as visiting:
        page = visiting.page
        visiting.open("/")
        light = ground(page)
        page.emulate_media(color_scheme="dark")
        dark = ground(page)
        assert dark != light
        page.click("a[href*='scheme=light']")
        assert ground(page) == light
        visiting.open("/basket")
        assert ground(page) == light


def test_slash_goes_to_the_search_box_but_not_while_typing(demo: Demo, chromium: Browser) -> None:
    with visit(demo, chromium) as visiting:
        page = visiting.page
        visiting.open("/search?q=smartphone")
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.id") == "search-box"
        page.fill("#price-max", "")
        page.focus("#price-max")
        page.keyboard.type("1/2")
        assert page.input_value("#price-max") == "1/2"


def test_a_brand_shows_nothing_of_another(demo: Demo, chromium: Browser) -> None:
    with visit(demo, chromium, "mirabelle", scripts=False) as visiting:
        visiting.put_into_basket(sold_by_oscar(demo)[5])
        assert visiting.page.locator(".line").count() == 1
        visiting.open("/?brand=taktwerk")
        visiting.open("/basket")
        assert visiting.page.locator(".line").count() == 0
        assert "Mirabelle" not in visiting.page.inner_text("body")
