"""The money that waits for a shipment is held for days, not for ever: who is told, what is lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from checkout import tables as t
from checkout.parked import parked_legs, settle_doubt
from checkout.purchase.advance import resume_all
from checkout.states import LegState, MoneyState, Reason
from kernel.errors import DomainError
from tests.checkout.shipments import TOTAL, bought, later, letters_due, letters_sent, shown, turn
from tests.checkout.shop_visits import ledger_of
from tests.purchase_setting import Setting
from tests.small_merchant import SmallMerchant

pytestmark = pytest.mark.usefixtures("paid_on_shipment")


def held_until(setting: Setting, purchase_id: str) -> timedelta:
    until = setting.leg(purchase_id).leg.capture_before
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
    assert setting.leg(purchase_id).leg.attention is None
    # The look is due at that very moment, however rarely the merchant is asked by now.
    later(setting, ends - timedelta(hours=23, minutes=59))
    record = setting.leg(purchase_id)
    assert (record.state, record.money) == (LegState.NEEDS_ATTENTION, MoneyState.RESERVED)
    assert "not said that it has shipped; the money is held until" in str(record.leg.attention)
    assert letters_due(setting, purchase_id) == 1
    assert setting.captured(purchase_id) == 0
    with setting.database.platform() as tx:
        assert [each.leg.purchase_id for each in parked_legs(tx)] == [purchase_id]
    # It ships after all, just in time.
    turn(merchant, "shipped")
    later(setting, ends - timedelta(hours=1))
    record = setting.leg(purchase_id)
    assert (record.state, record.leg.attention) == (LegState.COMPLETED, None)
    assert setting.captured(purchase_id) == TOTAL


def test_a_provider_that_says_no_end_has_people_called_all_the_same(
    setting: Setting, merchant: SmallMerchant
) -> None:
    purchase_id = bought(setting, merchant)
    with setting.database.platform() as tx:
        of_it = t.leg.update().where(t.leg.c.purchase_id == purchase_id)
        tx.execute(of_it.values(capture_before=None))
    later(setting, timedelta(days=4, hours=23))
    assert setting.leg(purchase_id).leg.attention is None
    later(setting, timedelta(days=5, minutes=1))
    assert "not said that it has shipped" in str(setting.leg(purchase_id).leg.attention)


def test_money_let_go_before_it_ships_takes_the_order_along(
    setting: Setting, merchant: SmallMerchant
) -> None:
    purchase_id = bought(setting, merchant)
    let_go(setting, purchase_id)
    resume_all(setting.deps)
    record = setting.leg(purchase_id)
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
    record = setting.leg(purchase_id)
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
    record = setting.leg(purchase_id)
    assert (record.state, record.leg.reason) == (LegState.CANCELLED, Reason.HOLD_EXPIRED)
    assert ledger_of(setting, purchase_id) == []
