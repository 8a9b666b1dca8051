"""A merchant that is paid once it has shipped: the money waits, is taken once, or is given back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from checkout import tables as t
from checkout.after_sale import cancel
from checkout.basket import keep_contact, put_line, read_basket
from checkout.merchant_connectors import port
from checkout.order_letters import written
from checkout.parked import say_shipped
from checkout.purchase.advance import advance, resume_all
from checkout.purchase.machine import State
from checkout.quote import freeze, live_quote
from checkout.states import LegState, MoneyState, Reason, StepName, StepState
from comptoir.commands import order as order_command
from kernel.errors import DomainError
from tests.checkout.shipments import TOTAL, bought, later, letters_due, letters_sent, shown, turn
from tests.checkout.shop_visits import ledger_of, shelve
from tests.purchase_setting import CONTACT, Setting, add_merchant
from tests.small_merchant import SmallMerchant

pytestmark = pytest.mark.usefixtures("paid_on_shipment")


def test_nothing_is_charged_before_it_ships_and_then_all_of_it_once(
    setting: Setting, merchant: SmallMerchant
) -> None:
    purchase_id = bought(setting, merchant)
    record, order = setting.leg(purchase_id), setting.order(purchase_id)
    assert (record.state, record.money) == (LegState.AWAITING_SHIPMENT, MoneyState.RESERVED)
    assert (order.is_settled, order.is_resting) == (False, True)
    assert [(step.name, step.state) for step in record.steps[2:]] == [
        (StepName.ORDERED, StepState.DONE),
        (StepName.SHIPPED, StepState.NOW),
        (StepName.CHARGED, StepState.NEXT),
    ]
    payment = setting.payment_of(purchase_id)
    assert (payment["status"], payment["captured_amount"]) == ("authorised", 0)
    assert ledger_of(setting, purchase_id) == []
    assert letters_due(setting, purchase_id) == 1
    letters_sent(setting)
    with setting.database.brand(setting.brand.id) as tx:
        assert read_basket(tx, order.basket_id).lines == ()

    turn(merchant, "shipped")
    later(setting, timedelta(minutes=11))
    record = setting.leg(purchase_id)
    assert (record.state, record.money) == (LegState.COMPLETED, MoneyState.CHARGED)
    assert (record.leg.captured, record.leg.authorised) == (record.leg.total, record.leg.total)
    assert [step.state for step in record.steps] == [StepState.DONE] * 5
    assert setting.captured(purchase_id) == TOTAL
    assert sum(amount for _, amount in ledger_of(setting, purchase_id)) == 0
    assert ledger_of(setting, purchase_id) != []
    assert letters_due(setting, purchase_id) == 1
    with setting.database.platform() as tx:
        keys = tx.execute(
            sa.select(t.step.c.idempotency_key).where(
                t.step.c.leg_id == record.leg.leg_id, t.step.c.name == "capture"
            )
        )
        assert keys.scalars().all() == [f"{purchase_id}/1/capture/1"]
        told = tx.execute(
            sa.select(t.customer_event.c.kind).where(t.customer_event.c.purchase_id == purchase_id)
        )
        assert told.scalars().all() == ["order.confirmed"]
    later(setting, timedelta(days=2))
    assert setting.captured(purchase_id) == TOTAL
    assert merchant.calls.count("place") == 1


def test_the_same_basket_buys_again_while_an_order_waits(
    setting: Setting, merchant: SmallMerchant
) -> None:
    purchase_id = bought(setting, merchant)
    basket_id = setting.order(purchase_id).basket_id
    (same,) = setting.leg(purchase_id).quoted.offers
    with setting.database.brand(setting.brand.id) as tx:
        put_line(tx, setting.brand, basket_id, same.offer_id, 1)
        keep_contact(tx, basket_id, CONTACT)
        basket = read_basket(tx, basket_id)
    quote = live_quote(setting.deps, setting.brand, basket, CONTACT)
    with setting.database.brand(setting.brand.id) as tx:
        freeze(tx, setting.brand, quote)
    again = setting.confirm(quote)
    turn(merchant, "shipped")
    advance(setting.deps, purchase_id)
    assert setting.leg(purchase_id).state is LegState.COMPLETED
    # What is in the basket by now is not what was shipped.
    with setting.database.brand(setting.brand.id) as tx:
        assert len(read_basket(tx, basket_id).lines) == 1
    assert again.purchase_id != purchase_id


def test_a_merchant_that_ships_at_once_is_paid_at_once(
    setting: Setting, merchant: SmallMerchant
) -> None:
    merchant.lose["place"] = 1
    made = setting.confirm(setting.quote({shelve(setting, merchant): 1}))
    advance(setting.deps, made.purchase_id)
    setting.pay(made.purchase_id)
    merchant.lose["find"] = 1000
    advance(setting.deps, made.purchase_id)
    assert setting.leg(made.purchase_id).leg.state is State.PREPARED
    turn(merchant, "shipped")
    merchant.lose["find"] = 0
    later(setting, timedelta(minutes=2))
    assert setting.leg(made.purchase_id).state is LegState.COMPLETED
    assert setting.captured(made.purchase_id) == TOTAL


def test_the_merchant_is_asked_less_and_less_often(
    setting: Setting, merchant: SmallMerchant
) -> None:
    purchase_id = bought(setting, merchant)
    turn(merchant, "in_preparation")
    asked: list[int] = []
    for minutes in (5, 11, 15, 22, 48 * 60, 48 * 60 + 30, 61 * 60):
        before = merchant.calls.count("find")
        later(setting, timedelta(minutes=minutes))
        asked.append(merchant.calls.count("find") - before)
    assert asked == [0, 1, 0, 1, 1, 0, 1]
    record = setting.leg(purchase_id)
    assert (record.leg.order_status, record.leg.attention) == ("in_preparation", None)


def test_a_lost_answer_to_the_charge_charges_once(
    setting: Setting, merchant: SmallMerchant
) -> None:
    purchase_id = bought(setting, merchant)
    turn(merchant, "shipped")
    setting.simulator.fault("capture", "answer_lost")
    later(setting, timedelta(minutes=11))
    later(setting, timedelta(minutes=13))
    assert setting.leg(purchase_id).state is LegState.COMPLETED
    assert setting.captured(purchase_id) == TOTAL


def test_the_merchant_cancels_before_it_ships(setting: Setting, merchant: SmallMerchant) -> None:
    purchase_id = bought(setting, merchant)
    turn(merchant, "cancelled")
    later(setting, timedelta(minutes=11))
    record = setting.leg(purchase_id)
    assert (record.state, record.money) == (LegState.CANCELLED, MoneyState.RELEASED)
    assert record.leg.reason is Reason.MERCHANT_CANCELLED
    payment = setting.payment_of(purchase_id)
    assert (payment["status"], payment["captured_amount"]) == ("voided", 0)
    assert ledger_of(setting, purchase_id) == []
    page = shown(setting, purchase_id, "en")
    assert "Your order is cancelled" in page
    assert "Nothing was charged" in page
    assert "basket keeps" not in page


def test_the_buyer_cancels_before_it_ships(setting: Setting, merchant: SmallMerchant) -> None:
    purchase_id = bought(setting, merchant)
    assert setting.leg(purchase_id).is_cancellable
    merchant.lose["cancel"] = 1
    cancel(setting.deps, setting.order(purchase_id), "norden")
    record = setting.leg(purchase_id)
    assert (record.state, record.money) == (LegState.CANCELLING_ORDER, MoneyState.RESERVED)
    advance(setting.deps, purchase_id)
    record = setting.leg(purchase_id)
    assert (record.state, record.money) == (LegState.CANCELLED, MoneyState.RELEASED)
    assert record.leg.reason is Reason.CANCELLED_BY_BUYER
    assert [order["status"] for order in merchant.orders.values()] == ["cancelled"]
    assert setting.payment_of(purchase_id)["status"] == "voided"
    assert merchant.calls.count("cancel") == 1
    with setting.database.platform() as tx:
        refunds = sa.select(sa.func.count()).where(t.refund.c.leg_id == record.leg.leg_id)
        assert tx.execute(refunds).scalar_one() == 0


def test_too_late_to_cancel_it_is_charged_as_it_ships(
    setting: Setting, merchant: SmallMerchant
) -> None:
    purchase_id = bought(setting, merchant)
    turn(merchant, "shipped")
    cancel(setting.deps, setting.order(purchase_id), "norden")
    advance(setting.deps, purchase_id)
    record = setting.leg(purchase_id)
    assert (record.state, record.leg.reason) == (LegState.COMPLETED, Reason.TOO_LATE)
    assert setting.captured(purchase_id) == TOTAL


def test_cancelled_while_a_worker_asks(setting: Setting, merchant: SmallMerchant) -> None:
    purchase_id = bought(setting, merchant)

    class Slow:
        """The merchant's system, which answers the worker after the buyer has pressed."""

        def __getattr__(self, name: str) -> Any:
            return getattr(merchant.connector(), name)

        def find(self, *told: str) -> port.PlacedOrder | None:
            found = merchant.connector().find(*told)
            cancel(setting.deps, setting.order(purchase_id), "norden")
            turn(merchant, "shipped")
            return replace(found, status=port.OrderStatus.SHIPPED) if found else None

    setting.connectors["norden"] = Slow()
    setting.clock.ahead = timedelta(minutes=11)
    resume_all(setting.deps)
    assert setting.leg(purchase_id).state is LegState.CANCELLING_ORDER
    setting.connectors["norden"] = merchant.connector()
    turn(merchant, "placed")
    advance(setting.deps, purchase_id)
    assert setting.leg(purchase_id).state is LegState.CANCELLED
    assert setting.captured(purchase_id) == 0


def test_cancelled_after_the_charge_goes_back_as_ever(
    setting: Setting, merchant: SmallMerchant
) -> None:
    purchase_id = bought(setting, merchant)
    turn(merchant, "shipped")
    advance(setting.deps, purchase_id)
    assert setting.captured(purchase_id) == TOTAL
    turn(merchant, "placed")
    cancel(setting.deps, setting.order(purchase_id), "norden")
    advance(setting.deps, purchase_id)
    record = setting.leg(purchase_id)
    assert (record.state, record.money) == (LegState.REFUNDED, MoneyState.REFUNDED)
    assert setting.payment_of(purchase_id)["refunded_amount"] == TOTAL


def test_an_order_over_another_amount_is_not_charged(
    setting: Setting, merchant: SmallMerchant
) -> None:
    purchase_id = bought(setting, merchant)
    turn(merchant, "shipped")
    for order in merchant.orders.values():
        order["total"] = TOTAL - 100
    later(setting, timedelta(minutes=11))
    record = setting.leg(purchase_id)
    assert (record.state, record.money) == (LegState.NEEDS_ATTENTION, MoneyState.RESERVED)
    assert "132.90" in str(record.leg.attention) or "13290" in str(record.leg.attention)
    assert setting.captured(purchase_id) == 0


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "It will be charged once Norden has shipped the whole order."),
        ("fr", "Le débit aura lieu quand Norden aura expédié toute la commande."),
        ("de", "Belastet wird, sobald Norden die ganze Bestellung versandt hat."),
    ],
)
def test_the_buyer_reads_when_it_will_be_charged(
    setting: Setting, merchant: SmallMerchant, language: str, said: str
) -> None:
    purchase_id = bought(setting, merchant)
    order = setting.order(purchase_id)
    assert said in shown(setting, purchase_id, language)
    opens = setting.opens(order.order_ref)
    _, letter = written(replace(order, language=language), opens, setting.brand, is_first=True)
    assert said in letter
    answer = setting.client().get(f"/order/{opens}")
    assert answer.status_code == 200
    assert "refresh" not in answer.headers


def test_a_word_that_means_nothing_holds_the_leg_up_and_calls_people(
    setting: Setting, merchant: SmallMerchant
) -> None:
    add_merchant(setting.database, "norden", connector_settings={"capture": "whenever"})
    made = setting.confirm(setting.quote({shelve(setting, merchant): 1}))
    advance(setting.deps, made.purchase_id)
    assert "capture_unknown" in str(setting.leg(made.purchase_id).leg.attention)


def test_a_shipment_told_on_the_telephone_is_charged(
    setting: Setting, merchant: SmallMerchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    purchase_id = bought(setting, merchant)
    order = setting.order(purchase_id)
    installed = SimpleNamespace(database=setting.database, checkout=setting.deps)
    monkeypatch.setattr("comptoir.installation.Installation", lambda: installed)
    words = ("shipped", order.order_ref, "--merchant", "norden", "--by", "Service")
    told = CliRunner().invoke(order_command.command, words)
    assert "norden: completed" in told.output
    assert setting.captured(purchase_id) == TOTAL
    with setting.database.platform() as tx:
        why = sa.select(t.leg.c.reason_detail).where(t.leg.c.purchase_id == purchase_id)
        assert tx.execute(why).scalar_one() == "shipped, said by Service"
    with pytest.raises(DomainError) as refusal:
        say_shipped(setting.deps, setting.order(purchase_id), "norden", by="Service")
    assert refusal.value.code == "not_awaiting_shipment"
