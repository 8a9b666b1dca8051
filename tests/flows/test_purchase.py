"""From an offer to an order inside a real shop: pages, hosted payment page, django-oscar."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from checkout.merchant_connectors import open_connector
from checkout.merchant_connectors.port import OrderStatus
from checkout.purchase.advance import advance
from checkout.states import LegState, Reason
from kernel.db import Database
from tests.peers import FaultyWire, Shop, Simulator, running_shop, running_simulator
from tests.purchase_setting import (
    CONTACT,
    Setting,
    add_merchant,
    add_offer,
    bundled_brand,
    hidden_fields,
    pay_at,
)
from tests.small_merchant import Article, SmallMerchant

pytestmark = pytest.mark.oscar

_SKUS = (f"FLOW-{number}" for number in itertools.count(1))
ARTICLES = 12


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """The payment simulator as a process of its own."""
    with running_simulator(tmp_path_factory.mktemp("payments")) as running:
        yield running


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A real django-oscar shop with a dozen kettles."""
    with running_shop(tmp_path_factory.mktemp("oscar")) as running:
        sheet = {"title": "Bouilloire", "currency": "EUR", "price_minor": 4990, "stock": 5}
        running.load(*(sheet | {"sku": f"FLOW-{n + 1}"} for n in range(ARTICLES)))
        yield running


@pytest.fixture(scope="module")
def small() -> Iterator[SmallMerchant]:
    """A second merchant, with another system."""
    running = SmallMerchant()
    yield running
    running.close()


@pytest.fixture(scope="module")
def setting(database: Database, simulator: Simulator, shop: Shop, small: SmallMerchant) -> Setting:
    """One brand, two merchants with systems of different makes."""
    add_merchant(database, "lumio", connector="oscar")
    add_merchant(database, "norden")
    return Setting(
        database=database,
        brand=bundled_brand(database),
        simulator=simulator,
        connectors={"lumio": shop.connector(), "norden": small.connector()},
        provider=simulator.provider(),
    )


def kettle(setting: Setting, shop: Shop) -> tuple[str, str]:
    """A kettle that nobody bought yet: SKU and offer."""
    sku = next(_SKUS)
    shop.set_article(sku, price=4990, stock=5, delivery={"FR": 490})
    return sku, add_offer(setting.database, "lumio", sku, 4990)


def buy(client: TestClient, *offers: str) -> str:
    """Through the pages up to the button; answers the address of the hand-off."""
    for offer in offers:
        assert client.post("/basket/lines", data={"offer_id": offer}).status_code == 303
    given = client.post("/checkout", data=CONTACT.as_json())
    page = client.get(given.headers["location"])
    assert page.status_code == 200
    fields = hidden_fields(page.text) | {"terms": "accepted"}
    return str(client.post("/checkout/confirm", data=fields).headers["location"])


def pay_next(client: TestClient, handoff: str) -> str:
    """Pay the next payment of an order; answers where the shop leads on to."""
    order_ref = handoff.split("?", maxsplit=1)[0].rpartition("/")[2]
    order = client.get(f"/v1/orders/{order_ref}").json()
    pay_url = next(leg["pay_url"] for leg in order["legs"] if leg["pay_url"])
    return str(client.get(pay_at(pay_url)).headers["location"])


def test_order_is_placed_in_oscar(setting: Setting, shop: Shop) -> None:
    sku, offer = kettle(setting, shop)
    client = setting.client()
    handoff = buy(client, offer)
    led = pay_next(client, handoff)
    assert led.startswith("/order/")
    page = client.get(led)
    order_ref = led.split("?")[0].rpartition("/")[2]
    (leg,) = client.get(f"/v1/orders/{order_ref}").json()["legs"]
    assert (leg["state"], leg["captured"]["minor"]) == ("completed", 5480)
    assert leg["merchant_order"] in page.text
    in_oscar = shop.connector().status(leg["merchant_order"])
    assert in_oscar.total.minor == 5480
    assert in_oscar.status is not OrderStatus.CANCELLED
    quoted = setting.quote({offer: 5})
    assert quoted.legs[0].problem == "too_few"
    assert quoted.legs[0].available == 4
    assert sku


def test_basket_of_two_merchants_is_two_payments_and_two_orders(
    setting: Setting, shop: Shop, small: SmallMerchant
) -> None:
    _, kettle_offer = kettle(setting, shop)
    small.articles["LAMP"] = Article(8900, 2)
    lamp = add_offer(setting.database, "norden", "LAMP", 8900)
    client = setting.client()
    handoff = buy(client, kettle_offer, lamp)
    assert "refresh" not in client.get(handoff).headers
    second = pay_next(client, handoff)
    assert second.startswith("/pay/handoff/")
    led = pay_next(client, second)
    assert led.startswith("/order/")
    order_ref = led.split("?")[0].rpartition("/")[2]
    legs = client.get(f"/v1/orders/{order_ref}").json()["legs"]
    assert [leg["state"] for leg in legs] == ["completed", "completed"]
    assert sorted(leg["captured"]["minor"] for leg in legs) == [5480, 9390]
    accounts = {
        row["merchant_account"]: row["captured_amount"]
        for row in setting.simulator.call("GET", "/v1/test/ledger").json()["payments"][-2:]
    }
    assert accounts == {"lumio": 5480, "norden": 9390}
    assert client.cookies["basket_count"] == "0" or "0" in client.get("/basket").text


@pytest.mark.parametrize(
    ("price", "stock", "reason"),
    [(5990, 5, Reason.PRICE_CHANGED), (4990, 0, Reason.OUT_OF_STOCK)],
)
def test_change_in_oscar_after_payment_takes_no_money(
    setting: Setting, shop: Shop, price: int, stock: int, reason: Reason
) -> None:
    sku, offer = kettle(setting, shop)
    bought = setting.confirm(setting.quote({offer: 1}))
    advance(setting.deps, bought.purchase_id)
    setting.pay(bought.purchase_id)
    shop.set_article(sku, price=price, stock=stock, delivery={"FR": 490})
    advance(setting.deps, bought.purchase_id)
    record = setting.leg(bought.purchase_id)
    assert (record.state, record.leg.reason) == (LegState.CANCELLED, reason)
    payment = setting.payment_of(bought.purchase_id)
    assert (payment["status"], payment["captured_amount"]) == ("voided", 0)


def test_answer_of_oscar_lost_after_the_order(setting: Setting, shop: Shop) -> None:
    _, offer = kettle(setting, shop)
    bought = setting.confirm(setting.quote({offer: 1}))
    advance(setting.deps, bought.purchase_id)
    setting.pay(bought.purchase_id)
    wire = FaultyWire(shop.url)
    try:
        setting.connectors["lumio"] = open_connector("oscar", shop.settings(url=wire.url))
        wire.lose = "/api/checkout"
        advance(setting.deps, bought.purchase_id)
        assert wire.lost == 1
    finally:
        setting.connectors["lumio"] = shop.connector()
        wire.close()
    record = setting.leg(bought.purchase_id)
    assert record.state is LegState.COMPLETED
    assert record.leg.merchant_order is not None
    assert setting.payment_of(bought.purchase_id)["captured_amount"] == 5480
    assert ("place", "unknown") not in setting.steps(bought.purchase_id)[-1:]
    quoted = setting.quote({offer: 5})
    assert quoted.legs[0].available == 4, "exactly one kettle was ordered"
