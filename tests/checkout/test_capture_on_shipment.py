"""A merchant that is paid once it has shipped: the money waits, is taken once, or is given back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from checkout import tables as t
from checkout.after_sale import cancel
from checkout.basket import keep_contact, put_line, read_basket
from checkout.confirm import Purchased, confirm
from checkout.merchant_connectors import port
from checkout.order_letters import written
from checkout.orders import LegRecord
from checkout.parked import parked_legs, say_shipped, settle_doubt
from checkout.purchase.advance import advance, resume_all
from checkout.purchase.machine import FINAL, State
from checkout.quote import freeze, live_quote
from checkout.states import LegState, MoneyState, Policy, Reason, StepName, StepState
from comptoir.commands import order as order_command
from kernel.db import Database
from kernel.errors import DomainError
from tests.checkout.test_purchase import ledger_of, shelve
from tests.purchase_setting import CONTACT, Setting, add_merchant, add_offer
from tests.small_merchant import Article, SmallMerchant

TOTAL = 13390


@pytest.fixture(autouse=True)
def _paid_on_shipment(setting: Setting, database: Database) -> Iterator[None]:
    """`norden` is, for these tests; what they leave waiting is nobody's concern."""
    add_merchant(database, "norden", connector_settings={"capture": "shipment"})
    yield
    add_merchant(database, "norden")
    ended = {"state": State.CANCELLED, "attention": None, "next_try_at": None}
    with setting.database.platform() as tx:
        tx.execute(t.leg.update().where(t.leg.c.state.not_in(FINAL)).values(ended))


def bought(setting: Setting, merchant: SmallMerchant) -> str:
    """A purchase that is paid for and accepted: 129.00 and 4.90 for delivery."""
    made = setting.confirm(setting.quote({shelve(setting, merchant): 1}))
    advance(setting.deps, made.purchase_id)
    setting.pay(made.purchase_id)
    advance(setting.deps, made.purchase_id)
    return made.purchase_id


def leg(setting: Setting, purchase_id: str) -> LegRecord:
    (record,) = setting.order(purchase_id).legs
    return record


def turn(merchant: SmallMerchant, status: str) -> None:
    for order in merchant.orders.values():
        order["status"] = status


def later(setting: Setting, ahead: timedelta) -> None:
    setting.clock.ahead = ahead
    resume_all(setting.deps)


def captured(setting: Setting, purchase_id: str) -> int:
    return int(setting.payment_of(purchase_id)["captured_amount"])


def letters_due(setting: Setting, purchase_id: str) -> int:
    statement = sa.select(sa.func.count()).where(
        t.letter.c.purchase_id == purchase_id, t.letter.c.state == "due"
    )
    with setting.database.platform() as tx:
        return int(tx.execute(statement).scalar_one())


def letters_sent(setting: Setting) -> None:
    with setting.database.platform() as tx:
        tx.execute(t.letter.update().values(state="sent", next_try_at=None))


def shown(setting: Setting, purchase_id: str, language: str) -> str:
    opens = setting.opens(setting.order(purchase_id).order_ref)
    accepted = {"accept-language": language}
    page = setting.client().get(f"/order/{opens}", headers=accepted).text
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())


def test_nothing_is_charged_before_it_ships_and_then_all_of_it_once(
    setting: Setting, merchant: SmallMerchant
) -> None:
    purchase_id = bought(setting, merchant)
    record, order = leg(setting, purchase_id), setting.order(purchase_id)
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
    record = leg(setting, purchase_id)
    assert (record.state, record.money) == (LegState.COMPLETED, MoneyState.CHARGED)
    assert (record.leg.captured, record.leg.authorised) == (record.leg.total, record.leg.total)
    assert [step.state for step in record.steps] == [StepState.DONE] * 5
    assert captured(setting, purchase_id) == TOTAL
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
    assert captured(setting, purchase_id) == TOTAL
    assert merchant.calls.count("place") == 1


def test_the_same_basket_buys_again_while_an_order_waits(
    setting: Setting, merchant: SmallMerchant
) -> None:
    purchase_id = bought(setting, merchant)
    basket_id = setting.order(purchase_id).basket_id
    (same,) = leg(setting, purchase_id).quoted.offers
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
    assert leg(setting, purchase_id).state is LegState.COMPLETED
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
    assert leg(setting, made.purchase_id).leg.state is State.PREPARED
    turn(merchant, "shipped")
    merchant.lose["find"] = 0
    later(setting, timedelta(minutes=2))
    assert leg(setting, made.purchase_id).state is LegState.COMPLETED
    assert captured(setting, made.purchase_id) == TOTAL


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
    record = leg(setting, purchase_id)
    assert (record.leg.order_status, record.leg.attention) == ("in_preparation", None)


def test_a_lost_answer_to_the_charge_charges_once(
    setting: Setting, merchant: SmallMerchant
) -> None:
    purchase_id = bought(setting, merchant)
    turn(merchant, "shipped")
    setting.simulator.fault("capture", "answer_lost")
    later(setting, timedelta(minutes=11))
    later(setting, timedelta(minutes=13))
    assert leg(setting, purchase_id).state is LegState.COMPLETED
    assert captured(setting, purchase_id) == TOTAL


def test_the_merchant_cancels_before_it_ships(setting: Setting, merchant: SmallMerchant) -> None:
    purchase_id = bought(setting, merchant)
    turn(merchant, "cancelled")
    later(setting, timedelta(minutes=11))
    record = leg(setting, purchase_id)
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
    assert leg(setting, purchase_id).is_cancellable
    merchant.lose["cancel"] = 1
    cancel(setting.deps, setting.order(purchase_id), "norden")
    record = leg(setting, purchase_id)
    assert (record.state, record.money) == (LegState.CANCELLING_ORDER, MoneyState.RESERVED)
    advance(setting.deps, purchase_id)
    record = leg(setting, purchase_id)
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
    record = leg(setting, purchase_id)
    assert (record.state, record.leg.reason) == (LegState.COMPLETED, Reason.TOO_LATE)
    assert captured(setting, purchase_id) == TOTAL


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
    assert leg(setting, purchase_id).state is LegState.CANCELLING_ORDER
    setting.connectors["norden"] = merchant.connector()
    turn(merchant, "placed")
    advance(setting.deps, purchase_id)
    assert leg(setting, purchase_id).state is LegState.CANCELLED
    assert captured(setting, purchase_id) == 0


def test_cancelled_after_the_charge_goes_back_as_ever(
    setting: Setting, merchant: SmallMerchant
) -> None:
    purchase_id = bought(setting, merchant)
    turn(merchant, "shipped")
    advance(setting.deps, purchase_id)
    assert captured(setting, purchase_id) == TOTAL
    turn(merchant, "placed")
    cancel(setting.deps, setting.order(purchase_id), "norden")
    advance(setting.deps, purchase_id)
    record = leg(setting, purchase_id)
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
    record = leg(setting, purchase_id)
    assert (record.state, record.money) == (LegState.NEEDS_ATTENTION, MoneyState.RESERVED)
    assert "132.90" in str(record.leg.attention) or "13290" in str(record.leg.attention)
    assert captured(setting, purchase_id) == 0


def held_until(setting: Setting, purchase_id: str) -> timedelta:
    until = leg(setting, purchase_id).leg.capture_before
    assert until is not None
    return until - datetime.now(UTC)


def let_go(setting: Setting, purchase_id: str) -> None:
    """Time passes at the provider, until it has let the money go, and here."""
    ends = held_until(setting, purchase_id)
    ahead = {"advance_s": int(ends.total_seconds()) + 60}
    setting.simulator.call("POST", "/v1/test/clock", json=ahead)
    setting.clock.ahead = ends + timedelta(minutes=2)


def test_people_are_called_before_the_money_is_let_go(
    setting: Setting, merchant: SmallMerchant, caplog: pytest.LogCaptureFixture
) -> None:
    purchase_id = bought(setting, merchant)
    letters_sent(setting)
    ends = held_until(setting, purchase_id)
    later(setting, ends - timedelta(hours=25))
    assert leg(setting, purchase_id).leg.attention is None
    # The look is due at that very moment, however rarely the merchant is asked by now.
    later(setting, ends - timedelta(hours=23, minutes=59))
    record = leg(setting, purchase_id)
    assert (record.state, record.money) == (LegState.NEEDS_ATTENTION, MoneyState.RESERVED)
    assert "not said that it has shipped; the money is held until" in str(record.leg.attention)
    assert letters_due(setting, purchase_id) == 1
    assert captured(setting, purchase_id) == 0
    with setting.database.platform() as tx:
        assert [each.leg.purchase_id for each in parked_legs(tx)] == [purchase_id]
    # It ships after all, just in time.
    turn(merchant, "shipped")
    later(setting, ends - timedelta(hours=1))
    record = leg(setting, purchase_id)
    assert (record.state, record.leg.attention) == (LegState.COMPLETED, None)
    assert captured(setting, purchase_id) == TOTAL


def test_a_provider_that_says_no_end_has_people_called_all_the_same(
    setting: Setting, merchant: SmallMerchant
) -> None:
    purchase_id = bought(setting, merchant)
    with setting.database.platform() as tx:
        of_it = t.leg.update().where(t.leg.c.purchase_id == purchase_id)
        tx.execute(of_it.values(capture_before=None))
    later(setting, timedelta(days=4, hours=23))
    assert leg(setting, purchase_id).leg.attention is None
    later(setting, timedelta(days=5, minutes=1))
    assert "not said that it has shipped" in str(leg(setting, purchase_id).leg.attention)


def test_money_let_go_before_it_ships_takes_the_order_along(
    setting: Setting, merchant: SmallMerchant
) -> None:
    purchase_id = bought(setting, merchant)
    let_go(setting, purchase_id)
    resume_all(setting.deps)
    record = leg(setting, purchase_id)
    assert (record.state, record.money) == (LegState.CANCELLED, MoneyState.RELEASED)
    assert record.leg.reason is Reason.HOLD_EXPIRED
    assert [order["status"] for order in merchant.orders.values()] == ["cancelled"]
    assert setting.payment_of(purchase_id)["status"] == "expired"
    assert letters_due(setting, purchase_id) == 1
    for language, said in (("en", "ended before"), ("fr", "a pris fin"), ("de", "abgelaufen")):
        assert said in shown(setting, purchase_id, language)


def test_shipped_when_the_money_is_gone_is_for_people_and_said_to_the_buyer(
    setting: Setting, merchant: SmallMerchant
) -> None:
    purchase_id = bought(setting, merchant)
    letters_sent(setting)
    turn(merchant, "shipped")
    let_go(setting, purchase_id)
    resume_all(setting.deps)
    record = leg(setting, purchase_id)
    assert (record.state, record.money) == (LegState.NEEDS_ATTENTION, MoneyState.RELEASED)
    assert record.leg.reason is Reason.HOLD_EXPIRED
    assert "too_late" in str(record.leg.attention)
    assert "held until" not in str(record.leg.attention)
    assert "cancel" not in merchant.calls
    assert letters_due(setting, purchase_id) == 1
    assert "Nothing was charged" in shown(setting, purchase_id, "en")
    with setting.database.platform() as tx:
        (parked,) = parked_legs(tx)
    assert parked.held_until is None

    order = setting.order(purchase_id)
    with pytest.raises(DomainError) as refusal:
        settle_doubt(setting.deps, order, "norden", "M-1000", by="Service")
    assert refusal.value.code == "hold_ended"
    setting.clock.ahead += timedelta(hours=1)
    settle_doubt(setting.deps, order, "norden", None, by="Service")
    record = leg(setting, purchase_id)
    assert (record.state, record.leg.reason) == (LegState.CANCELLED, Reason.HOLD_EXPIRED)
    assert ledger_of(setting, purchase_id) == []


def test_all_or_nothing_charges_nobody_before_all_have_accepted_nor_one_that_has_not_shipped(
    setting: Setting, merchant: SmallMerchant
) -> None:
    other = SmallMerchant()
    setting.connectors["sued"] = other.connector()
    other.articles["B1"] = Article(4900, 3)
    wanted = {shelve(setting, merchant): 1, add_offer(setting.database, "sued", "B1", 4900): 1}
    accepted = setting.acceptance(setting.quote(wanted))
    made = confirm(setting.deps, setting.brand, replace(accepted, policy=Policy.ALL_OR_NOTHING))
    assert isinstance(made, Purchased)
    advance(setting.deps, made.purchase_id)
    setting.pay(made.purchase_id)
    other.lose |= {"place": 1, "find": 1000}
    advance(setting.deps, made.purchase_id)

    def states() -> dict[str, State]:
        return {
            record.leg.merchant_id: record.leg.state
            for record in setting.order(made.purchase_id).legs
        }

    turn(merchant, "shipped")
    advance(setting.deps, made.purchase_id)
    assert states() == {"norden": State.PLACED, "sued": State.PREPARED}
    turn(merchant, "placed")
    other.lose["find"] = 0
    later(setting, timedelta(minutes=2))
    advance(setting.deps, made.purchase_id)
    assert states() == {"norden": State.AWAITING_SHIPMENT, "sued": State.COMPLETED}
    other.close()


def test_one_that_gives_up_once_all_have_accepted_takes_no_other_along(
    setting: Setting, merchant: SmallMerchant
) -> None:
    other = SmallMerchant()
    setting.connectors["sued"] = other.connector()
    other.articles["B2"] = Article(4900, 3)
    wanted = {shelve(setting, merchant): 1, add_offer(setting.database, "sued", "B2", 4900): 1}
    accepted = setting.acceptance(setting.quote(wanted))
    made = confirm(setting.deps, setting.brand, replace(accepted, policy=Policy.ALL_OR_NOTHING))
    assert isinstance(made, Purchased)
    advance(setting.deps, made.purchase_id)
    setting.pay(made.purchase_id)
    setting.simulator.fault("capture", "error_before", count=100)
    advance(setting.deps, made.purchase_id)
    turn(merchant, "cancelled")
    advance(setting.deps, made.purchase_id)
    states = [record.leg.state for record in setting.order(made.purchase_id).legs]
    assert states == [State.CANCELLED, State.PLACED]
    setting.simulator.call("DELETE", "/v1/test/faults")
    later(setting, timedelta(minutes=2))
    states = [record.leg.state for record in setting.order(made.purchase_id).legs]
    assert states == [State.CANCELLED, State.COMPLETED]
    assert [order["status"] for order in other.orders.values()] == ["placed"]
    other.close()


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
    assert "capture_unknown" in str(leg(setting, made.purchase_id).leg.attention)


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
    assert captured(setting, purchase_id) == TOTAL
    with setting.database.platform() as tx:
        why = sa.select(t.leg.c.reason_detail).where(t.leg.c.purchase_id == purchase_id)
        assert tx.execute(why).scalar_one() == "shipped, said by Service"
    with pytest.raises(DomainError) as refusal:
        say_shipped(setting.deps, setting.order(purchase_id), "norden", by="Service")
    assert refusal.value.code == "not_awaiting_shipment"
