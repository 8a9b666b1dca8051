"""A purchase paid through Worldline: no search by reference, a page that nobody can close."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from checkout.after_sale import cancel
from checkout.payment_providers import open_provider
from checkout.purchase.advance import advance
from checkout.states import LegState, MoneyState, Reason
from tests.checkout.shop_visits import shelve
from tests.purchase_setting import Setting, pay_at
from tests.small_merchant import SmallMerchant


@pytest.fixture
def paid_at_worldline(setting: Setting) -> Setting:
    """The shop, with Worldline as its payment provider."""
    keys = setting.simulator.settings()
    provider = open_provider(
        "worldline",
        replace(
            keys,
            api_key=f"comptoir:{keys.api_key}",
            webhook_secret=f"comptoir:{keys.webhook_secret}",
        ),
    )
    return replace(setting, provider=provider)


def test_bought_and_given_back(paid_at_worldline: Setting, merchant: SmallMerchant) -> None:
    setting = paid_at_worldline
    setting.simulator.fault("create", "answer_lost")
    bought = setting.confirm(setting.quote({shelve(setting, merchant): 1}))
    advance(setting.deps, bought.purchase_id)
    (back,) = setting.pay(bought.purchase_id)
    assert f"/pay/return/{bought.purchase_id}" in back
    setting.simulator.fault("capture", "answer_lost")
    advance(setting.deps, bought.purchase_id)
    record = setting.leg(bought.purchase_id)
    assert (record.state, record.money) == (LegState.COMPLETED, MoneyState.CHARGED)
    cancel(setting.deps, setting.order(bought.purchase_id), "norden")
    setting.simulator.fault("refund", "answer_lost")
    advance(setting.deps, bought.purchase_id)
    record = setting.leg(bought.purchase_id)
    assert (record.state, record.money) == (LegState.REFUNDED, MoneyState.REFUNDED)
    assert moves(setting, record.leg.leg_id) == [
        ("authorise", 13390),
        ("capture", 13390),
        ("refund", 13390),
    ]


def test_who_pays_after_the_time_gets_it_back(
    paid_at_worldline: Setting, merchant: SmallMerchant
) -> None:
    setting = paid_at_worldline
    bought = setting.confirm(setting.quote({shelve(setting, merchant): 1}))
    advance(setting.deps, bought.purchase_id)
    record = setting.leg(bought.purchase_id)
    setting.clock.ahead = timedelta(minutes=31)
    advance(setting.deps, bought.purchase_id)
    assert setting.order(bought.purchase_id).legs[0].state is LegState.CANCELLING
    pay_at(str(record.pay_url))
    advance(setting.deps, bought.purchase_id)
    record = setting.leg(bought.purchase_id)
    assert (record.state, record.leg.reason) == (LegState.CANCELLED, Reason.PAYMENT_EXPIRED)
    assert moves(setting, record.leg.leg_id) == [("authorise", 13390), ("void", 13390)]
    assert merchant.orders == {}


def moves(setting: Setting, leg_id: str) -> list[tuple[str, int]]:
    """What moved at the provider for a leg."""
    books = setting.simulator.call("GET", "/v1/test/ledger").json()
    (payment,) = [
        row for row in books["payments"] if row["metadata"].get("worldline:reference") == leg_id
    ]
    return [(entry["kind"], entry["amount"]) for entry in payment["entries"]]
