"""Whole purchases at merchants that speak UCP and ACP: paid, placed, followed, handed off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from checkout.after_sale import cancel, watch_orders
from checkout.deps import CheckoutDeps
from checkout.merchant_connectors.port import Notice
from checkout.merchant_notices import receive
from checkout.purchase.advance import advance, resume_all
from checkout.routes import build_router
from checkout.states import LegState, MoneyState, Reason
from comptoir.brand_gate import BrandGate
from kernel.db import Database
from kernel.errors import DomainError
from kernel.offer_terms import Execution
from tenants.pages.rendering import page_environment
from tenants.registry import BrandRegistry
from tests.peers import Received, Simulator, running_simulator, wait_for
from tests.protocols.merchant_server import MERCHANT, ProtocolShop, running_merchant
from tests.protocols.orders import PRICE, sell
from tests.purchase_setting import Setting, add_merchant, add_offer, bundled_brand


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """The payment simulator."""
    with running_simulator(tmp_path_factory.mktemp("payments")) as running:
        yield running


@pytest.fixture(scope="module")
def handing_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProtocolShop]:
    """A merchant that takes orders on its own page only, whatever is on record of it."""
    with running_merchant(tmp_path_factory.mktemp("handing"), "--hands-off") as shop:
        yield shop


@pytest.fixture(scope="module")
def setting(
    database: Database, simulator: Simulator, ucp_shop: ProtocolShop, acp_shop: ProtocolShop,
    handing_shop: ProtocolShop,
) -> Setting:  # fmt: skip
    """Three merchants: `acme` speaks UCP, `brunnen` ACP, `cordial` hands every buyer off."""
    shops = {MERCHANT: ucp_shop, "brunnen": acp_shop, "cordial": handing_shop}
    for name, shop in shops.items():
        add_merchant(database, name, connector=shop.name)
    acp_shop.call(
        "PUT", "/shop/acp-notices", {"url": f"{acp_shop.site.url}/webhooks/orders/brunnen"}
    )
    return Setting(
        database=database,
        brand=bundled_brand(database),
        simulator=simulator,
        connectors={name: shop.connector() for name, shop in shops.items()},
        provider=simulator.provider(),
    )


def ordered(setting: Setting, shop: ProtocolShop, merchant: str) -> str:
    """A purchase of one article, paid for and on its way; answers its id."""
    sold = sell(shop)
    offer = add_offer(setting.database, merchant, sold.sku, PRICE)
    made = setting.buy({offer: 1})
    return made.purchase_id


def published(setting: Setting, shop: ProtocolShop) -> CheckoutDeps:
    """The checkout as merchants reach it, under the address that their profiles name."""
    settings = setting.deps.settings.model_copy(update={"public_url": shop.site.url})
    return replace(setting.deps, settings=settings)


def told_of(shop: ProtocolShop, order: object, word: str = "") -> Received:
    """The newest notice of an order that has a word in it, once it is there."""
    wanted = (str(order).encode(), word.encode())

    def found() -> list[Received]:
        return [each for each in shop.site.received if all(w in each.body for w in wanted)]

    wait_for(lambda: bool(found()), timeout_s=60)
    return found()[-1]


def notice_of(shop: ProtocolShop, received: Received) -> Notice:
    url = shop.site.url + received.path
    return Notice("POST", url, received.headers, received.body, datetime.now(UTC))


@pytest.mark.parametrize("merchant", [MERCHANT, "brunnen"])
def test_paid_placed_and_cancelled_by_the_merchant_who_says_so(
    setting: Setting, ucp_shop: ProtocolShop, acp_shop: ProtocolShop, merchant: str
) -> None:
    shop = ucp_shop if merchant == MERCHANT else acp_shop
    purchase_id = ordered(setting, shop, merchant)
    record = setting.leg(purchase_id)
    assert (record.state, record.money) == (LegState.COMPLETED, MoneyState.CHARGED)
    (order,) = [row for row in shop.books()["orders"] if row["payment"] == record.leg.leg_id]
    assert record.leg.merchant_order == order["id"]
    assert setting.payment_of(purchase_id)["captured_amount"] == record.leg.total.minor

    assert not record.is_cancellable
    with pytest.raises(DomainError) as refusal:
        cancel(setting.deps, setting.order(purchase_id), merchant)
    assert refusal.value.code == "not_cancellable"

    shop.turn(order["id"], "canceled")
    word = '"cancellation"' if merchant == MERCHANT else '"canceled"'
    deps, notice = setting.deps, notice_of(shop, told_of(shop, order["id"], word))
    assert watch_orders(deps) == 0
    assert receive(deps, merchant, notice)
    assert not receive(deps, merchant, notice)
    assert watch_orders(deps) == 1
    advance(deps, purchase_id)
    record = setting.leg(purchase_id)
    assert (record.state, record.leg.reason) == (LegState.REFUNDED, Reason.MERCHANT_CANCELLED)


@pytest.mark.parametrize("merchant", [MERCHANT, "brunnen"])
def test_an_answer_lost_at_the_merchant_makes_one_order_and_one_charge(
    setting: Setting, ucp_shop: ProtocolShop, acp_shop: ProtocolShop, merchant: str
) -> None:
    shop = ucp_shop if merchant == MERCHANT else acp_shop
    shop.fault("complete", "answer_lost")
    purchase_id = ordered(setting, shop, merchant)

    def is_done() -> bool:
        resume_all(setting.deps)
        return setting.leg(purchase_id).state is LegState.COMPLETED

    wait_for(is_done, timeout_s=60)
    record = setting.leg(purchase_id)
    assert [row["payment"] for row in shop.books()["orders"]].count(record.leg.leg_id) == 1
    assert setting.payment_of(purchase_id)["captured_amount"] == record.leg.total.minor


def test_who_does_not_own_an_order_says_nothing_of_it(
    setting: Setting, ucp_shop: ProtocolShop
) -> None:
    purchase_id = ordered(setting, ucp_shop, MERCHANT)
    number = setting.leg(purchase_id).leg.merchant_order
    notice = notice_of(ucp_shop, told_of(ucp_shop, number))
    # The same shop on record under another name signs well, and owns none of these orders.
    add_merchant(setting.database, "double", connector="ucp")
    setting.connectors["double"] = ucp_shop.connector()
    for merchant, forged, code, status in [
        ("double", notice, "webhook_not_yours", 403),
        (MERCHANT, replace(notice, body=notice.body + b" "), "webhook_unsigned", 401),
        ("brunnen", notice, "webhook_unsigned", 401),
        ("nobody", notice, "merchant_unknown", 404),
        (MERCHANT, replace(notice, body=b"x" * 300_000), "body_too_large", 413),
    ]:
        with pytest.raises(DomainError) as refusal:
            receive(setting.deps, merchant, forged)
        assert (refusal.value.code, refusal.value.status) == (code, status)


def test_a_merchant_that_wants_the_buyer_keeps_no_money_and_is_led_to(
    setting: Setting, handing_shop: ProtocolShop
) -> None:
    purchase_id = ordered(setting, handing_shop, "cordial")
    record = setting.leg(purchase_id)
    assert (record.state, record.money) == (LegState.CANCELLED, MoneyState.RELEASED)
    assert record.leg.reason is Reason.FINISH_AT_MERCHANT
    assert setting.payment_of(purchase_id)["captured_amount"] == 0
    assert str(record.continue_url).startswith(f"{handing_shop.url}/continue/")
    client = setting.client()
    opens = setting.opens(setting.order(purchase_id).order_ref)
    page = client.get(f"/order/{opens}?language=fr").text
    assert f'href="{record.continue_url}"' in page
    assert "Cordial" in page


def test_our_profile_key_and_notices_over_http(
    setting: Setting, ucp_shop: ProtocolShop, tmp_path: Path
) -> None:
    deps = published(setting, ucp_shop)
    deps = replace(deps, settings=deps.settings.model_copy(update={"comptoir_data": tmp_path}))
    app = FastAPI()
    app.state.pages = page_environment(["checkout.pages"])
    app.include_router(build_router(deps))
    app.add_middleware(BrandGate, brands=BrandRegistry(setting.database))
    client = TestClient(app, base_url=f"http://{setting.brand.hosts[0]}")
    profile = client.get("/.well-known/ucp?merchant=acme&version=2026-08-25").json()
    site = ucp_shop.site.url
    order = profile["ucp"]["capabilities"]["dev.ucp.shopping.order"][0]
    assert order["config"]["webhook_url"] == f"{site}/webhooks/orders/acme"
    assert client.get("/.well-known/ucp?merchant=acme").json() == profile
    assert len(profile["keys"]) == 1
    (handler,) = profile["ucp"]["payment_handlers"]["example.comptoir.authorisation"]
    assert client.get(handler["schema"].removeprefix(site)).json()["$id"] == handler["schema"]
    for wrong in ("", "?merchant=../x", "?merchant=acme&version=2026-01-11"):
        assert client.get(f"/.well-known/ucp{wrong}").status_code == 404

    purchase_id = ordered(setting, ucp_shop, MERCHANT)
    came = told_of(ucp_shop, setting.leg(purchase_id).leg.merchant_order)
    headers = {name: value for name, value in came.headers.items() if name.lower() != "host"}
    answers = [client.post(came.path, content=came.body, headers=headers) for _copy in range(2)]
    assert [answer.json()["new"] for answer in answers] == [True, False]
    forged = client.post(came.path, content=came.body + b" ", headers=headers)
    assert forged.status_code == 401


def test_a_merchant_of_the_second_grade_gets_the_article_ready(
    setting: Setting, handing_shop: ProtocolShop
) -> None:
    add_merchant(setting.database, "delta", connector="ucp", execution=Execution.HANDOFF)
    sold = sell(handing_shop)
    names = {"fr": "Montre Delta", "de": "Armbanduhr Delta"}
    offer = add_offer(setting.database, "delta", sold.sku, PRICE, titles=names)
    gone = add_offer(setting.database, "delta", "NO-SUCH", PRICE)
    setting.connectors["delta"] = handing_shop.connector()
    client = setting.client()
    for language, name in names.items():
        page = client.post(f"/handoff?lang={language}", data={"offer_id": offer})
        assert page.status_code == 200
        assert f'href="{handing_shop.url}/continue/cs_' in page.text
        assert name in page.text
    # It is not for the basket, and what is bought here is not handed off.
    assert client.post("/basket/lines", data={"offer_id": offer}).status_code != 303
    ours = add_offer(setting.database, MERCHANT, f"{sold.sku}-B", PRICE)
    assert client.post("/handoff", data={"offer_id": ours}).status_code == 409
    refused = client.post("/handoff?lang=de", data={"offer_id": gone})
    assert refused.status_code == 404
    assert "Delta bietet dies nicht mehr an." in refused.text
    assert client.post("/handoff", data={"offer_id": "off_x"}).status_code == 404
