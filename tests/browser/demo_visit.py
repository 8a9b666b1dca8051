"""A visit to the running demonstration in Chromium: what is clicked, and what must not happen.

Everything that a page says on the console, and every request to another host, is kept in `said`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Browser, Page, Request, Response

from tests.purchase_setting import CONTACT, GOOD_CARD
from tests.running_demo import Demo

SPEAKS = {"mirabelle": "fr", "taktwerk": "de"}
LIVES_IN = {"mirabelle": "FR", "taktwerk": "DE"}


@dataclass
class Visit:
    """A shopper of one brand with an empty basket."""

    demo: Demo
    page: Page
    brand: str
    said: list[str] = field(default_factory=list)

    def open(self, path: str) -> Response:
        """Go to an address of the shop."""
        answer = self.page.goto(self.demo.url + path)
        assert answer is not None
        return answer

    def path(self) -> str:
        """Where the visit is now, without the host."""
        return "/" + self.page.url.split("/", 3)[3]

    def put_into_basket(self, product_id: str) -> None:
        """Buy Maison Oscar's offer on a product's page, by its button."""
        self.open(f"/product/{product_id}")
        self.page.locator("tr", has_text="Maison Oscar").locator("button").first.click()
        self.page.wait_for_url("**/basket**")

    def fill_contact(self) -> None:
        """Give an address in the brand's country."""
        for name, value in CONTACT.as_json().items():
            if name not in ("country", "line2", "phone"):
                self.page.fill(f"[name={name}]", value)
        self.page.select_option("[name=country]", LIVES_IN[self.brand])

    def press_main_button(self) -> None:
        """The button of the page's main form."""
        self.page.locator("main form button[type=submit]").last.click()

    def accept_and_confirm(self) -> None:
        """Tick the terms and press the button that names the amount."""
        self.page.check("[name=terms]")
        self.page.locator(".button-large").click()
        self.page.wait_for_url(f"{self.demo.plan.payment}/**")

    def pay(self) -> None:
        """Fill in the first sample card; ends on the order's page."""
        for name, value in GOOD_CARD.items():
            self.page.fill(f"[name={name}]", value)
        self.page.locator("button.primary").click()
        self.page.wait_for_url("**/order/**", timeout=60_000)

    def order_number(self) -> str:
        """The number that the merchant gave the order."""
        return self.page.locator("dd.number").inner_text()


@contextmanager
def visit(
    demo: Demo,
    browser: Browser,
    brand: str = "mirabelle",
    *,
    language: str | None = None,
    scheme: str = "light",
    width: int = 1280,
    scripts: bool = True,
) -> Iterator[Visit]:
    """Open a window of that width on one of the shops."""
    context = browser.new_context(
        viewport={"width": width, "height": 800}, java_script_enabled=scripts
    )
    chosen = {"brand": brand, "lang": language or SPEAKS[brand], "scheme": scheme}
    context.add_cookies(
        [{"name": name, "value": value, "url": demo.url} for name, value in chosen.items()]
    )
    page = context.new_page()
    page.set_default_timeout(30_000)
    visiting = Visit(demo, page, brand)
    ours = (demo.plan.shop, demo.plan.payment, "data:", "about:")

    def asked(request: Request) -> None:
        if not request.url.startswith(ours):
            visiting.said.append(f"asked {request.url}")

    page.on("console", lambda message: visiting.said.append(f"{page.url}: {message.text}"))
    page.on("pageerror", lambda error: visiting.said.append(f"{page.url}: {error}"))
    page.on("request", asked)
    try:
        yield visiting
    finally:
        context.close()


def sold_by_oscar(demo: Demo, count: int = 20) -> list[str]:
    """Products that Maison Oscar has plenty of and delivers to both countries."""
    rows = demo.rows(
        "SELECT product_id FROM mdm.offer WHERE merchant_id = 'maison-oscar' AND live "
        "AND availability = 'in_stock' AND quantity > 8 AND condition = 'new' "
        'AND delivery @> \'[{"country": "FR"}, {"country": "DE"}]\' '
        "ORDER BY offer_id DESC LIMIT :count",
        count=count,
    )
    return [row.product_id for row in rows]


Look = Callable[[str, Visit], None]
"""Told the name of a page when it is open."""


def walk(visiting: Visit, product_id: str, look: Look) -> None:
    """Every page of the shop once, a purchase among them."""
    words = {"mirabelle": "smartphone", "taktwerk": "waschmaschine"}[visiting.brand]
    plain = {
        "home": "/",
        "results": f"/search?q={words}",
        "results-all": "/search",
        "results-similar": "/search?q=xqzzy+blorf",
        "results-none": f"/search?q={words}&price_max=0.01",
        "product": f"/product/{product_id}",
        "worth": f"/product/{product_id}/worth",
        "basket-empty": "/basket",
        "terms": "/terms",
        "notice": "/legal/notice",
        "privacy": "/legal/privacy",
        "ranking": "/legal/ranking",
    }
    for name, path in plain.items():
        assert visiting.open(path).status == 200, path
        look(name, visiting)
    choose_two(visiting, words)
    look("compare", visiting)
    assert visiting.open("/product/prd_unknown").status == 404
    look("not-found", visiting)
    # Chromium itself reports the status of a page it was sent to on purpose.
    visiting.said[:] = [line for line in visiting.said if "status of 404" not in line]
    visiting.put_into_basket(product_id)
    look("basket", visiting)
    visiting.open("/checkout")
    look("contact", visiting)
    send_as_it_is(visiting.page)
    look("contact-wrong", visiting)
    visiting.said[:] = [line for line in visiting.said if "status of 422" not in line]
    visiting.fill_contact()
    visiting.press_main_button()
    visiting.page.wait_for_url("**/checkout/confirm**")
    look("confirm", visiting)
    visiting.accept_and_confirm()
    look("payment", visiting)
    visiting.pay()
    look("order", visiting)


def choose_two(visiting: Visit, words: str) -> None:
    """Tick the first two results and compare them."""
    visiting.open(f"/search?q={words}")
    for box in visiting.page.locator(".card-compare input").all()[:2]:
        box.check()
    visiting.page.locator(".compare-bar button").click()
    visiting.page.wait_for_url("**/compare?**")


def send_as_it_is(page: Page) -> None:
    """Send the form of the page past the browser's own checks, so that the shop has to refuse."""
    page.evaluate("document.querySelector('main form').noValidate = true")
    page.fill("[name=email]", "nobody")
    page.locator("main form button[type=submit]").last.click()
    page.locator(".field-wrong").first.wait_for()
