"""Purchases at every kind of merchant, each failing in every way: its books and ours agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from checkout.after_sale import watch_orders
from checkout.merchant_connectors.port import Notice, OrderStatus
from checkout.merchant_notices import receive
from checkout.orders import LegRecord
from checkout.purchase.advance import advance, resume_all
from checkout.states import LegState, MoneyState, Reason
from comptoir.protocol_merchant.faults import OPERATIONS, REQUEST_KINDS, is_fault
from kernel.db import Database
from tests.contracts.real_merchants import Merchant
from tests.contracts.real_merchants import merchant as merchant
from tests.peers import FaultyWire, Simulator, wait_for
from tests.protocols.merchant_server import MERCHANT, ProtocolShop
from tests.purchase_setting import Setting, add_merchant, add_offer, bundled_brand

PRICE, STOCK = 6995, 5
GONE, DEARER = Reason.OUT_OF_STOCK, Reason.PRICE_CHANGED
# How a purchase ends after what a switch does; every other one is outlasted.
ENDS = {"sold_out": GONE, "price_moved": DEARER}
# What a purchase asks of a merchant by each protocol.
ASKED = {
    "ucp": {"create", "update", "complete", "read", "order"},
    "acp": {"create", "update", "complete", "read"},
}


@pytest.fixture(scope="module")
def setting(database: Database, payment_simulator: Simulator, merchant: Merchant) -> Setting:
    """A shop that sells from this merchant."""
    add_merchant(database, MERCHANT, connector=merchant.name)
    return Setting(
        database=database,
        brand=bundled_brand(database),
        simulator=payment_simulator,
        connectors={},
        provider=payment_simulator.provider(),
    )


@pytest.fixture
def wire(setting: Setting, merchant: Merchant) -> Iterator[FaultyWire]:
    """What lies between us and the merchant; nothing fails yet."""
    relay = FaultyWire(merchant.shop.url)
    setting.connectors[MERCHANT] = merchant.open(url=relay.url)
    setting.clock.ahead = timedelta(0)
    yield relay
    relay.close()


def paid(setting: Setting, sku: str) -> str:
    """A purchase of one article, paid for and not yet carried out; answers its id."""
    offer = add_offer(setting.database, MERCHANT, sku, PRICE)
    bought = setting.confirm(setting.quote({offer: 1}))
    advance(setting.deps, bought.purchase_id)
    setting.pay(bought.purchase_id)
    return bought.purchase_id


def carried_out(setting: Setting, purchase_id: str) -> LegRecord:
    """The leg once it has come to rest, however often that has to be tried."""

    def is_settled() -> bool:
        setting.clock.ahead += timedelta(seconds=20)
        advance(setting.deps, purchase_id)
        resume_all(setting.deps)
        return setting.order(purchase_id).is_settled

    wait_for(is_settled, timeout_s=90)
    return setting.leg(purchase_id)


def check_books(
    setting: Setting, merchant: Merchant, record: LegRecord, reason: Reason | None
) -> None:
    """Ours say what is expected, and those of the merchant and of the provider say the same."""
    leg, is_bought = record.leg, reason is None
    state = (LegState.COMPLETED, MoneyState.CHARGED) if is_bought else (
        LegState.CANCELLED, MoneyState.RELEASED
    )  # fmt: skip
    assert (record.state, record.money, leg.reason) == (*state, reason)
    (payment,) = setting.provider_payments(leg.leg_id)
    assert payment["captured_amount"] == (leg.total.minor if is_bought else 0)
    assert [row["kind"] for row in payment["entries"]].count("capture") == is_bought
    assert payment["status"] == ("captured" if is_bought else "voided")
    order = None if leg.handle is None else merchant.open().find(leg.leg_id, leg.handle)
    if order is None:
        assert not is_bought
    else:
        assert (order.merchant_order_number, order.total) == (leg.merchant_order, leg.total)
        assert order.status is not OrderStatus.CANCELLED
    if isinstance(merchant.shop, ProtocolShop):
        orders = [row["payment"] for row in merchant.shop.books()["orders"]]
        assert orders.count(leg.leg_id) == is_bought


def gone(merchant: Merchant, sku: str) -> Callable[[], None]:
    """The article sells out at the merchant."""
    return lambda: merchant.shop.set_article(sku, price=PRICE, stock=0)


def dearer(merchant: Merchant, sku: str) -> Callable[[], None]:
    """The article's price goes up at the merchant."""
    return lambda: merchant.shop.set_article(sku, price=PRICE + 500, stock=STOCK)


@pytest.mark.parametrize("fault", ["slow", "down", "request_lost", "answer_lost"])
def test_what_passes_is_outlasted(
    setting: Setting, merchant: Merchant, wire: FaultyWire, fault: str
) -> None:
    sku = merchant.article(price=PRICE, stock=STOCK)
    purchase_id = paid(setting, sku)
    wire.slow_s = 0.1 * (fault == "slow")
    wire.is_down = fault == "down"
    wire.drop = merchant.shop.placing if fault == "request_lost" else None
    wire.lose = merchant.shop.placing if fault == "answer_lost" else None
    advance(setting.deps, purchase_id)
    if fault in {"down", "request_lost"}:
        record = setting.leg(purchase_id)
        assert record.money is MoneyState.RESERVED
        assert fault == "down" or wire.dropped
    assert bool(wire.lost) == (fault == "answer_lost")
    wire.slow_s, wire.is_down, wire.drop, wire.lose = 0.0, False, None, None
    check_books(setting, merchant, carried_out(setting, purchase_id), None)
    merchant.check_stock(sku, STOCK - 1)


@pytest.mark.parametrize("change", [gone, dearer])
@pytest.mark.parametrize("moment", ["paid", "placing"])
def test_what_has_changed_is_not_bought(
    setting: Setting,
    merchant: Merchant,
    wire: FaultyWire,
    change: Callable[[Merchant, str], Callable[[], None]],
    moment: str,
) -> None:
    sku = merchant.article(price=PRICE, stock=STOCK)
    purchase_id = paid(setting, sku)
    happens = change(merchant, sku)
    if moment == "paid":
        happens()
    else:
        wire.at, wire.just_before = merchant.shop.placing, happens
    record = carried_out(setting, purchase_id)
    assert wire.just_before is None
    expected: Reason | None = GONE if change is gone else DEARER
    if moment == "placing" and change.__name__ in merchant.shop.overlooks_when_placing:
        expected = None
    check_books(setting, merchant, record, expected)


@pytest.mark.parametrize("merchant", ["ucp", "acp"], indirect=True)
@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        (operation, kind)
        for operation in OPERATIONS
        for kind in REQUEST_KINDS
        if is_fault(operation, kind)
    ],
)
def test_every_switch_of_the_protocol_merchant(
    setting: Setting, merchant: Merchant, wire: FaultyWire, operation: str, kind: str
) -> None:
    shop = merchant.shop
    assert isinstance(shop, ProtocolShop)
    purchase_id = paid(setting, merchant.article(price=PRICE, stock=STOCK))
    shop.fault(operation, kind, delay_s=0.3)
    try:
        record = carried_out(setting, purchase_id)
        strikes = operation in ASKED[merchant.name]
        assert shop.books()["faults"] == int(not strikes)
    finally:
        shop.call("DELETE", "/test/faults")
    check_books(setting, merchant, record, ENDS.get(kind))


@pytest.mark.parametrize("merchant", ["ucp", "acp"], indirect=True)
def test_notices_twice_and_in_any_order(
    setting: Setting, merchant: Merchant, wire: FaultyWire
) -> None:
    shop = merchant.shop
    assert isinstance(shop, ProtocolShop)
    address = f"{shop.site.url}/webhooks/orders/{MERCHANT}"
    if merchant.name == "acp":
        shop.call("PUT", "/shop/acp-notices", {"url": address})
    purchase_id = paid(setting, merchant.article(price=PRICE, stock=STOCK))
    shop.fault("notice", "reordered")
    shop.fault("notice", "duplicate")
    record = carried_out(setting, purchase_id)
    number = str(record.leg.merchant_order)
    shop.turn(number, "shipped")

    def told() -> list[Notice]:
        now = datetime.now(UTC)
        return [
            Notice("POST", shop.site.url + each.path, each.headers, each.body, now)
            for each in shop.site.received
            if number.encode() in each.body
        ]

    wait_for(lambda: len(told()) >= 3, timeout_s=60)
    notices = told()
    news = [receive(setting.deps, MERCHANT, notice) for notice in (*notices, *reversed(notices))]
    assert sum(news) == 2
    watch_orders(setting.deps)
    advance(setting.deps, purchase_id)
    record = setting.leg(purchase_id)
    assert record.leg.order_status == OrderStatus.SHIPPED
    check_books(setting, merchant, record, None)
