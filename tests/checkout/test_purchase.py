"""A purchase from the click to the charge, with every way in which it can go wrong."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from checkout import tables as t
from checkout.confirm import AskAgain, Purchased, PurchaseUnderWay, confirm
from checkout.merchant_connectors.port import MerchantConnector
from checkout.orders import money_state
from checkout.purchase.advance import advance, advance_leg, resume_all
from checkout.states import LegState, MoneyState, Reason
from kernel.errors import DomainError, NotFound
from mdm.merchants import Merchant
from tests.checkout.shop_visits import ledger_of, shelve
from tests.peers import http
from tests.purchase_setting import Setting
from tests.small_merchant import SmallMerchant


def test_order_placed_and_charged(setting: Setting, merchant: SmallMerchant) -> None:
    offer = shelve(setting, merchant)
    bought = setting.confirm(setting.quote({offer: 2}))
    advance(setting.deps, bought.purchase_id)
    assert setting.order(bought.purchase_id).legs[0].state is LegState.AWAITING_PAYMENT
    setting.pay(bought.purchase_id)
    advance(setting.deps, bought.purchase_id)

    order = setting.order(bought.purchase_id)
    (record,) = order.legs
    assert (record.state, record.money) == (LegState.COMPLETED, MoneyState.CHARGED)
    assert record.leg.merchant_order == "M-1000"
    assert [step.state for step in record.steps] == ["done"] * 4
    payment = setting.payment_of(bought.purchase_id)
    assert (payment["authorised_amount"], payment["captured_amount"]) == (26290, 26290)
    assert [order["total"] for order in merchant.orders.values()] == [26290]
    assert setting.steps(bought.purchase_id) == [
        (name, "done") for name in ("create_payment", "requote", "prepare", "place", "capture")
    ]
    assert ledger_of(setting, bought.purchase_id) == [
        ("merchant:norden:provider_receivable", 26290),
        ("merchant:norden:goods_sold", -25800),
        ("merchant:norden:delivery_sold", -490),
    ]
    assert order.terms_sha256 == setting.terms().sha256


def test_twenty_clicks_make_one_purchase(setting: Setting, merchant: SmallMerchant) -> None:
    quote = setting.quote({shelve(setting, merchant): 1})
    accepted = setting.acceptance(quote)

    def click(_: int) -> Purchased:
        outcome = confirm(setting.deps, setting.brand, accepted)
        assert isinstance(outcome, Purchased)
        advance(setting.deps, outcome.purchase_id)
        return outcome

    with ThreadPoolExecutor(20) as pool:
        clicked = list(pool.map(click, range(20)))
    assert len({each.purchase_id for each in clicked}) == 1
    assert sum(each.is_new for each in clicked) == 1
    setting.pay(clicked[0].purchase_id)
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda _: advance(setting.deps, clicked[0].purchase_id), range(20)))
    resume_all(setting.deps)
    assert setting.payment_of(clicked[0].purchase_id)["captured_amount"] == 13390
    assert len(merchant.orders) == 1
    assert merchant.calls.count("place") == 1


def test_token_of_another_confirmation_is_refused(
    setting: Setting, merchant: SmallMerchant
) -> None:
    quote = setting.quote({shelve(setting, merchant): 1})
    setting.confirm(quote)
    other = setting.quote({shelve(setting, merchant): 1})
    stolen = setting.acceptance(other)
    from dataclasses import replace

    with pytest.raises(DomainError) as refused:
        confirm(setting.deps, setting.brand, replace(stolen, token=quote.token))
    assert refused.value.code == "idempotency_conflict"


def test_price_change_before_the_click_asks_again(
    setting: Setting, merchant: SmallMerchant
) -> None:
    offer = shelve(setting, merchant)
    quote = setting.quote({offer: 1})
    next(iter(merchant.articles.values())).price = 13900
    outcome = confirm(setting.deps, setting.brand, setting.acceptance(quote))
    assert isinstance(outcome, AskAgain)
    (quoted,) = outcome.quote.legs[0].offers
    assert (quoted.seen.minor, quoted.unit_price.minor) == (12900, 13900)
    assert outcome.quote.is_changed
    # The new price, once confirmed, is what is charged.
    bought = setting.confirm(outcome.quote)
    advance(setting.deps, bought.purchase_id)
    setting.pay(bought.purchase_id)
    advance(setting.deps, bought.purchase_id)
    assert setting.payment_of(bought.purchase_id)["captured_amount"] == 14390


@pytest.mark.parametrize(
    ("price", "stock", "reason"),
    [
        (13900, 5, Reason.PRICE_CHANGED),
        (11900, 5, Reason.PRICE_CHANGED),
        (12900, 0, Reason.OUT_OF_STOCK),
    ],
)
def test_change_after_authorisation_releases_the_money(
    setting: Setting, merchant: SmallMerchant, price: int, stock: int, reason: Reason
) -> None:
    bought = setting.confirm(setting.quote({shelve(setting, merchant): 1}))
    advance(setting.deps, bought.purchase_id)
    setting.pay(bought.purchase_id)
    article = next(iter(merchant.articles.values()))
    article.price, article.stock = price, stock
    advance(setting.deps, bought.purchase_id)

    record = setting.leg(bought.purchase_id)
    assert (record.state, record.leg.reason) == (LegState.CANCELLED, reason)
    assert record.money is MoneyState.RELEASED
    payment = setting.payment_of(bought.purchase_id)
    assert (payment["status"], payment["captured_amount"]) == ("voided", 0)
    assert merchant.orders == {}
    if reason is Reason.PRICE_CHANGED:
        assert record.change is not None
        assert (record.change.before.minor, record.change.after.minor) == (13390, price + 490)


def test_out_of_stock_before_the_click_takes_no_money(
    setting: Setting, merchant: SmallMerchant
) -> None:
    offer = shelve(setting, merchant, stock=0)
    quote = setting.quote({offer: 1})
    assert not quote.can_pay
    outcome = confirm(setting.deps, setting.brand, setting.acceptance(quote))
    assert isinstance(outcome, AskAgain)
    assert quote.legs[0].problem == "out_of_stock"


@pytest.mark.parametrize("call", ["prepare", "place"])
def test_answer_lost_at_the_merchant(setting: Setting, merchant: SmallMerchant, call: str) -> None:
    bought = setting.confirm(setting.quote({shelve(setting, merchant): 1}))
    advance(setting.deps, bought.purchase_id)
    setting.pay(bought.purchase_id)
    merchant.lose[call] = 1
    advance(setting.deps, bought.purchase_id)
    record = setting.leg(bought.purchase_id)
    assert record.state is LegState.COMPLETED
    assert len(merchant.orders) == 1
    if call == "place":
        assert merchant.calls.count("place") == 1
        assert merchant.calls.count("find") == 1


@pytest.mark.parametrize("operation", ["create", "capture", "void"])
@pytest.mark.parametrize("kind", ["answer_lost", "error_after", "error_before"])
def test_answer_lost_at_the_provider(
    setting: Setting, merchant: SmallMerchant, operation: str, kind: str
) -> None:
    bought = setting.confirm(setting.quote({shelve(setting, merchant): 1}))
    setting.simulator.fault(operation, kind)
    advance(setting.deps, bought.purchase_id)
    setting.pay(bought.purchase_id)
    if operation == "void":
        next(iter(merchant.articles.values())).stock = 0
    advance(setting.deps, bought.purchase_id)
    assert setting.simulator.call("DELETE", "/v1/test/faults").status_code == 200
    record = setting.leg(bought.purchase_id)
    payment = setting.payment_of(bought.purchase_id)
    if operation == "void":
        assert record.state is LegState.CANCELLED
        assert (payment["status"], payment["captured_amount"]) == ("voided", 0)
    else:
        assert record.state is LegState.COMPLETED
        assert payment["captured_amount"] == 13390
        assert [entry["kind"] for entry in payment["entries"]].count("capture") == 1


def test_two_workers_on_one_leg(setting: Setting, merchant: SmallMerchant) -> None:
    bought = setting.confirm(setting.quote({shelve(setting, merchant): 1}))
    advance(setting.deps, bought.purchase_id)
    setting.pay(bought.purchase_id)
    record = setting.leg(bought.purchase_id)
    with ThreadPoolExecutor(2) as pool:
        took = list(pool.map(lambda _: advance_leg(setting.deps, record.leg.leg_id), range(2)))
    resume_all(setting.deps)
    assert took.count(True) >= 1
    assert merchant.calls.count("place") == 1
    assert merchant.calls.count("prepare") == 1
    assert setting.payment_of(bought.purchase_id)["captured_amount"] == 13390


def test_slow_worker_writes_nothing_after_a_takeover(
    setting: Setting, merchant: SmallMerchant
) -> None:
    from checkout.purchase.journal import Journal, LeaseLost
    from checkout.purchase.leg import Result
    from checkout.purchase.machine import Outcome, State

    bought = setting.confirm(setting.quote({shelve(setting, merchant): 1}))
    advance(setting.deps, bought.purchase_id)
    setting.pay(bought.purchase_id)
    record = setting.leg(bought.purchase_id)
    slow = Journal(setting.deps, record.leg.leg_id)
    with setting.database.platform() as tx:
        held = slow.claim(tx)
        assert held is not None
        assert Journal(setting.deps, record.leg.leg_id).claim(tx) is None
        tx.execute(t.leg.update().values(lease_until=sa.func.now() - sa.text("interval '1 s'")))
    advance(setting.deps, bought.purchase_id)
    with setting.database.platform() as tx:
        slow.turn(tx, held, State.VOIDING, Result(Outcome.DONE))
        with pytest.raises(LeaseLost):
            slow.write(tx)
        tx.rollback()
    assert setting.order(bought.purchase_id).legs[0].state is LegState.COMPLETED


def test_shopper_goes_back_from_the_payment_page(setting: Setting, merchant: SmallMerchant) -> None:
    bought = setting.confirm(setting.quote({shelve(setting, merchant): 1}))
    advance(setting.deps, bought.purchase_id)
    record = setting.leg(bought.purchase_id)
    assert record.pay_url is not None
    http.post(record.pay_url.split("?")[0] + "/cancel")
    advance(setting.deps, bought.purchase_id)
    record = setting.leg(bought.purchase_id)
    assert (record.state, record.leg.reason) == (LegState.CANCELLED, Reason.PAYMENT_CANCELLED)
    assert record.money is MoneyState.NONE
    assert merchant.orders == {}


def test_payment_never_made_is_closed_in_time(setting: Setting, merchant: SmallMerchant) -> None:
    bought = setting.confirm(setting.quote({shelve(setting, merchant): 1}))
    advance(setting.deps, bought.purchase_id)
    setting.clock.ahead = timedelta(minutes=31)
    assert resume_all(setting.deps) >= 1
    record = setting.leg(bought.purchase_id)
    assert (record.state, record.leg.reason) == (LegState.CANCELLED, Reason.PAYMENT_EXPIRED)
    assert setting.payment_of(bought.purchase_id)["status"] in {"cancelled", "voided"}


def test_merchant_down_before_the_order_releases_the_money(
    setting: Setting, merchant: SmallMerchant
) -> None:
    bought = setting.confirm(setting.quote({shelve(setting, merchant): 1}))
    advance(setting.deps, bought.purchase_id)
    setting.pay(bought.purchase_id)
    merchant.is_down = True
    advance(setting.deps, bought.purchase_id)
    record = setting.leg(bought.purchase_id)
    assert (record.state, record.money) == (LegState.PAID_FOR, MoneyState.RESERVED)
    setting.clock.ahead = timedelta(minutes=16)
    resume_all(setting.deps)
    record = setting.leg(bought.purchase_id)
    assert (record.state, record.leg.reason) == (LegState.CANCELLED, Reason.MERCHANT_SILENT)
    assert setting.payment_of(bought.purchase_id)["status"] == "voided"


def test_a_merchant_nobody_can_ask_holds_up_no_other_leg(
    setting: Setting, merchant: SmallMerchant
) -> None:
    """Its settings are broken: people are told, and once they are mended the leg goes on."""
    stuck, other = (setting.confirm(setting.quote({shelve(setting, merchant): 1})) for _ in "ab")
    for each in (stuck, other):
        advance(setting.deps, each.purchase_id)
        setting.pay(each.purchase_id)
    setting.clock.ahead = timedelta(minutes=1)
    whole = setting.deps

    def connectors(of: Merchant) -> MerchantConnector:
        if opened.pop():
            raise NotFound("connector_unknown", "There is no merchant connector called 'oscra'.")
        return whole.connectors(of)

    opened = [False, True]
    assert resume_all(replace(whole, connectors=connectors)) == 2
    states = {each.purchase_id: setting.order(each.purchase_id).legs[0] for each in (stuck, other)}
    assert sorted(record.state for record in states.values()) == [
        LegState.COMPLETED,
        LegState.NEEDS_ATTENTION,
    ]
    setting.clock.ahead = timedelta(minutes=10)
    resume_all(whole)
    for each in (stuck, other):
        record = setting.leg(each.purchase_id)
        assert (record.state, record.leg.attention) == (LegState.COMPLETED, None)


def test_order_in_doubt_keeps_the_money_and_calls_for_people(
    setting: Setting, merchant: SmallMerchant
) -> None:
    bought = setting.confirm(setting.quote({shelve(setting, merchant): 1}))
    advance(setting.deps, bought.purchase_id)
    setting.pay(bought.purchase_id)
    merchant.lose["place"] = 1
    merchant.lose["find"] = 1000
    advance(setting.deps, bought.purchase_id)
    setting.clock.ahead = timedelta(minutes=16)
    resume_all(setting.deps)
    record = setting.leg(bought.purchase_id)
    # The doubt is at the merchant: what the provider said of the money still holds.
    assert (record.state, record.money) == (LegState.NEEDS_ATTENTION, MoneyState.RESERVED)
    assert setting.payment_of(bought.purchase_id)["status"] == "authorised"
    # A day later the merchant answers, and the order goes on by itself: one order, one charge.
    merchant.lose["find"] = 0
    setting.clock.ahead = timedelta(hours=24)
    resume_all(setting.deps)
    record = setting.leg(bought.purchase_id)
    assert (record.state, record.leg.attention) == (LegState.COMPLETED, None)
    assert merchant.calls.count("place") == 1
    assert len(merchant.orders) == 1
    assert money_state(record.leg) is MoneyState.CHARGED


def test_second_purchase_of_a_basket_closes_the_unpaid_first(
    setting: Setting, merchant: SmallMerchant
) -> None:
    offer = shelve(setting, merchant)
    first = setting.quote({offer: 1})
    one = setting.confirm(first)
    advance(setting.deps, one.purchase_id)
    second = _quoted_again(setting, first.basket_id)
    two = setting.confirm(second)
    assert setting.order(one.purchase_id).legs[0].state is LegState.CANCELLED
    advance(setting.deps, two.purchase_id)
    setting.pay(two.purchase_id)
    # Paid, not yet carried out: a third click is told to wait instead of ordering again.
    third = _quoted_again(setting, first.basket_id)
    merchant.is_down = True
    advance(setting.deps, two.purchase_id)
    merchant.is_down = False
    with setting.database.platform() as tx:
        tx.execute(
            t.leg.update()
            .where(t.leg.c.purchase_id == two.purchase_id)
            .values(lease_until=sa.func.now() + sa.text("interval '1 min'"))
        )
    with pytest.raises(DomainError) as refused:
        setting.confirm(third)
    assert isinstance(refused.value, PurchaseUnderWay)
    assert refused.value.order_ref == setting.order(two.purchase_id).order_ref


def _quoted_again(setting: Setting, basket_id: str):  # type: ignore[no-untyped-def]
    from checkout.basket import read_basket
    from checkout.quote import freeze, live_quote
    from tests.purchase_setting import CONTACT

    with setting.database.brand(setting.brand.id) as tx:
        basket = read_basket(tx, basket_id)
    quote = live_quote(setting.deps, setting.brand, basket, CONTACT)
    with setting.database.brand(setting.brand.id) as tx:
        freeze(tx, setting.brand, quote)
    return quote


def test_orders_of_another_brand_do_not_exist(setting: Setting, merchant: SmallMerchant) -> None:
    from checkout.orders import read_purchase

    bought = setting.confirm(setting.quote({shelve(setting, merchant): 1}))
    with setting.database.brand("taktwerk") as tx, pytest.raises(DomainError) as refused:
        read_purchase(tx, bought.purchase_id)
    assert refused.value.code == "order_unknown"
