"""Paid on acceptance and paid on shipment in one order, where it is all or nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from checkout.confirm import Purchased, confirm
from checkout.purchase.advance import advance
from checkout.purchase.machine import State
from checkout.states import Policy
from tests.checkout.shipments import later, turn
from tests.checkout.shop_visits import shelve
from tests.purchase_setting import Setting, add_offer
from tests.small_merchant import Article, SmallMerchant

pytestmark = pytest.mark.usefixtures("paid_on_shipment")


def _paid_at_both(
    setting: Setting, merchant: SmallMerchant, other: SmallMerchant, article: str
) -> str:
    """One piece of each, all or nothing, up to the shopper's word at the payment provider."""
    setting.connectors["sued"] = other.connector()
    other.articles[article] = Article(4900, 3)
    wanted = {shelve(setting, merchant): 1, add_offer(setting.database, "sued", article, 4900): 1}
    accepted = setting.acceptance(setting.quote(wanted))
    made = confirm(setting.deps, setting.brand, replace(accepted, policy=Policy.ALL_OR_NOTHING))
    assert isinstance(made, Purchased)
    advance(setting.deps, made.purchase_id)
    setting.pay(made.purchase_id)
    return made.purchase_id


def test_all_or_nothing_charges_nobody_before_all_have_accepted_nor_one_that_has_not_shipped(
    setting: Setting, merchant: SmallMerchant
) -> None:
    other = SmallMerchant()
    purchase_id = _paid_at_both(setting, merchant, other, "B1")
    other.lose |= {"place": 1, "find": 1000}
    advance(setting.deps, purchase_id)

    def states() -> dict[str, State]:
        return {
            record.leg.merchant_id: record.leg.state for record in setting.order(purchase_id).legs
        }

    turn(merchant, "shipped")
    advance(setting.deps, purchase_id)
    assert states() == {"norden": State.PLACED, "sued": State.PREPARED}
    turn(merchant, "placed")
    other.lose["find"] = 0
    later(setting, timedelta(minutes=2))
    advance(setting.deps, purchase_id)
    assert states() == {"norden": State.AWAITING_SHIPMENT, "sued": State.COMPLETED}
    other.close()


def test_one_that_gives_up_once_all_have_accepted_takes_no_other_along(
    setting: Setting, merchant: SmallMerchant
) -> None:
    other = SmallMerchant()
    purchase_id = _paid_at_both(setting, merchant, other, "B2")
    setting.simulator.fault("capture", "error_before", count=100)
    advance(setting.deps, purchase_id)
    turn(merchant, "cancelled")
    advance(setting.deps, purchase_id)
    states = [record.leg.state for record in setting.order(purchase_id).legs]
    assert states == [State.CANCELLED, State.PLACED]
    setting.simulator.call("DELETE", "/v1/test/faults")
    later(setting, timedelta(minutes=2))
    states = [record.leg.state for record in setting.order(purchase_id).legs]
    assert states == [State.CANCELLED, State.COMPLETED]
    assert [order["status"] for order in other.orders.values()] == ["placed"]
    other.close()
