"""Merchants that speak UCP and ACP and are paid on shipment: their notices, in every order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from checkout import tables as t
from checkout.after_sale import watch_orders
from checkout.merchant_connectors.port import PlacedOrder
from checkout.merchant_notices import receive
from checkout.purchase.advance import advance, resume_all
from checkout.purchase.machine import FINAL, State
from checkout.states import LegState, MoneyState, Reason
from kernel.db import Database
from tests.peers import Simulator, running_simulator
from tests.protocols.merchant_server import MERCHANT, ProtocolShop
from tests.protocols.orders import PRICE, sell
from tests.protocols.test_purchase import notice_of, ordered, told_of
from tests.purchase_setting import Setting, add_merchant, add_offer, bundled_brand

MERCHANTS = pytest.mark.parametrize("merchant", [MERCHANT, "brunnen"])
# The words of a whole order that has left, in a notice of each protocol.
_SHIPPED = {MERCHANT: '"fulfilled": 1', "brunnen": '"shipped"'}


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """The payment simulator."""
    with running_simulator(tmp_path_factory.mktemp("payments")) as running:
        yield running


@pytest.fixture
def shops(ucp_shop: ProtocolShop, acp_shop: ProtocolShop) -> dict[str, ProtocolShop]:
    """`acme` speaks UCP, `brunnen` ACP."""
    return {MERCHANT: ucp_shop, "brunnen": acp_shop}


@pytest.fixture
def setting(
    database: Database, simulator: Simulator, shops: dict[str, ProtocolShop]
) -> Iterator[Setting]:
    """Both are paid on shipment."""
    later = {"capture": "shipment"}
    for name, shop in shops.items():
        add_merchant(database, name, connector=shop.name, connector_settings=later)
    acp = shops["brunnen"]
    acp.call("PUT", "/shop/acp-notices", {"url": f"{acp.site.url}/webhooks/orders/brunnen"})
    yield Setting(
        database=database,
        brand=bundled_brand(database),
        simulator=simulator,
        connectors={name: shop.connector() for name, shop in shops.items()},
        provider=simulator.provider(),
    )
    for name, shop in shops.items():
        add_merchant(database, name, connector=shop.name)
    ended = {"state": State.CANCELLED, "attention": None, "next_try_at": None}
    with database.platform() as tx:
        tx.execute(t.leg.update().where(t.leg.c.state.not_in(FINAL)).values(ended))


@MERCHANTS
def test_shipped_and_told_twice_and_late_is_charged_once(
    setting: Setting, shops: dict[str, ProtocolShop], merchant: str
) -> None:
    shop = shops[merchant]
    purchase_id = ordered(setting, shop, merchant)
    record = setting.leg(purchase_id)
    assert (record.state, record.money) == (LegState.AWAITING_SHIPMENT, MoneyState.RESERVED)
    number = record.leg.merchant_order
    first = notice_of(shop, told_of(shop, number))
    shop.turn(str(number), "processing")
    assert setting.captured(purchase_id) == 0
    shop.turn(str(number), "shipped")
    shipped = notice_of(shop, told_of(shop, number, _SHIPPED[merchant]))
    # Nothing is due before a notice says so.
    assert resume_all(setting.deps) == 0
    assert receive(setting.deps, merchant, shipped)
    assert not receive(setting.deps, merchant, shipped)
    assert resume_all(setting.deps) == 1
    record = setting.leg(purchase_id)
    assert (record.state, record.money) == (LegState.COMPLETED, MoneyState.CHARGED)
    # That of the order itself comes last of all, and changes nothing.
    assert receive(setting.deps, merchant, first)
    advance(setting.deps, purchase_id)
    assert watch_orders(setting.deps) == 1
    assert setting.captured(purchase_id) == record.leg.total.minor == record.leg.captured.minor
    assert setting.leg(purchase_id).state is LegState.COMPLETED


@MERCHANTS
def test_an_early_notice_is_a_hint_and_no_more(
    setting: Setting, shops: dict[str, ProtocolShop], merchant: str
) -> None:
    shop = shops[merchant]
    purchase_id = ordered(setting, shop, merchant)
    order = notice_of(shop, told_of(shop, setting.leg(purchase_id).leg.merchant_order))
    assert receive(setting.deps, merchant, order)
    assert resume_all(setting.deps) == 1
    assert setting.leg(purchase_id).state is LegState.AWAITING_SHIPMENT
    assert setting.captured(purchase_id) == 0


@MERCHANTS
def test_shipped_before_the_acceptance_is_on_record(
    setting: Setting, shops: dict[str, ProtocolShop], merchant: str
) -> None:
    shop = shops[merchant]
    connector = setting.connectors[merchant]

    class Overtaken:
        """Its answer to the order comes in after its notice that it has shipped."""

        def __getattr__(self, name: str) -> Any:
            return getattr(connector, name)

        def place(self, order: Any, handle: str) -> PlacedOrder:
            placed = connector.place(order, handle)
            shop.turn(placed.merchant_order_number, "shipped")
            came = told_of(shop, placed.merchant_order_number, _SHIPPED[merchant])
            assert receive(setting.deps, merchant, notice_of(shop, came))
            return placed

    setting.connectors[merchant] = Overtaken()
    purchase_id = ordered(setting, shop, merchant)
    record = setting.leg(purchase_id)
    assert record.state is LegState.COMPLETED
    assert State.AWAITING_SHIPMENT in record.reached
    assert setting.captured(purchase_id) == record.leg.total.minor


@MERCHANTS
def test_a_notice_that_comes_while_the_merchant_is_asked_has_it_asked_again(
    setting: Setting, shops: dict[str, ProtocolShop], merchant: str
) -> None:
    shop = shops[merchant]
    connector = setting.connectors[merchant]
    purchase_id = ordered(setting, shop, merchant)
    asked: list[PlacedOrder | None] = []

    class Slow:
        """Its first answer is old by the time that it arrives."""

        def __getattr__(self, name: str) -> Any:
            return getattr(connector, name)

        def find(self, reference: str, handle: str) -> PlacedOrder | None:
            asked.append(connector.find(reference, handle))
            if len(asked) == 1:
                number = str(setting.leg(purchase_id).leg.merchant_order)
                shop.turn(number, "shipped")
                came = told_of(shop, number, _SHIPPED[merchant])
                assert receive(setting.deps, merchant, notice_of(shop, came))
            return asked[-1]

    setting.connectors[merchant] = Slow()
    advance(setting.deps, purchase_id)
    assert len(asked) == 2
    assert setting.leg(purchase_id).state is LegState.COMPLETED


@MERCHANTS
def test_cancelled_before_it_has_shipped(
    setting: Setting, shops: dict[str, ProtocolShop], merchant: str
) -> None:
    shop = shops[merchant]
    before = ordered(setting, shop, merchant)
    shop.turn(str(setting.leg(before).leg.merchant_order), "canceled")
    advance(setting.deps, before)
    record = setting.leg(before)
    assert (record.state, record.leg.reason) == (LegState.CANCELLED, Reason.MERCHANT_CANCELLED)
    assert setting.payment_of(before)["status"] == "voided"
    assert setting.captured(before) == 0


@MERCHANTS
def test_what_cannot_be_cancelled_nor_charged_is_for_people(
    setting: Setting, shops: dict[str, ProtocolShop], merchant: str
) -> None:
    shop = shops[merchant]
    purchase_id = ordered(setting, shop, merchant)
    payment = setting.leg(purchase_id).leg.payment_id
    # Somebody lets the money go at the provider itself.
    setting.provider.void(str(payment), f"by hand at {merchant}")
    advance(setting.deps, purchase_id)
    record = setting.leg(purchase_id)
    assert (record.state, record.money) == (LegState.NEEDS_ATTENTION, MoneyState.RELEASED)
    assert record.leg.reason is Reason.HOLD_EXPIRED
    # As soon as the merchant gives the order up it is over.
    shop.turn(str(record.leg.merchant_order), "canceled")
    advance(setting.deps, purchase_id)
    record = setting.leg(purchase_id)
    assert (record.state, record.money) == (LegState.CANCELLED, MoneyState.RELEASED)


def test_half_of_an_order_charges_nothing(
    setting: Setting, shops: dict[str, ProtocolShop], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of one article, of which one has left: UCP says so in its lines."""
    shop = shops[MERCHANT]
    sold = sell(shop, quantity=2)
    offer = add_offer(setting.database, MERCHANT, sold.sku, PRICE)
    made = setting.buy({offer: 2})
    shop.turn(str(setting.leg(made.purchase_id).leg.merchant_order), "shipped")
    from checkout.merchant_connectors import _ucp_answers

    read = _ucp_answers.read_order

    def half(body: Any) -> _ucp_answers.Order:
        line = body["line_items"][0]["quantity"]
        return read(body | {"line_items": [{"quantity": line | {"fulfilled": 1}}]})

    with monkeypatch.context() as patched:
        patched.setattr("checkout.merchant_connectors.ucp.read_order", half)
        advance(setting.deps, made.purchase_id)
    assert setting.leg(made.purchase_id).state is LegState.AWAITING_SHIPMENT
    assert setting.captured(made.purchase_id) == 0
    advance(setting.deps, made.purchase_id)
    assert setting.captured(made.purchase_id) == 2 * PRICE + 490
