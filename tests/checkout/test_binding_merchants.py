"""Merchants that cannot cancel an order, where the buyer wants all or nothing."""

from __future__ import annotations

import itertools

import pytest

from checkout.purchase.advance import advance
from checkout.purchase.machine import State
from checkout.purchase.together import Turn, turn_of
from checkout.states import Reason
from tests.checkout.shop_visits import confirmed, to_confirm_page
from tests.checkout.test_all_or_nothing import NAMES, ON_THE_WAY, Street
from tests.checkout.test_all_or_nothing import street as street
from tests.purchase_setting import CONTACT, add_merchant, add_offer
from tests.small_merchant import Article

_NUMBERS = itertools.count(1)


def bind(street: Street, *names: str) -> None:
    """From now on these merchants' systems take orders and do not cancel them."""
    for name in names:
        add_merchant(street.setting.database, name, connector="acp")


def test_who_comes_last_waits_until_those_before_stand() -> None:
    for before in ON_THE_WAY:
        turn = turn_of(State.PREPARED, [State.PREPARED, before], [before])
        assert turn is (Turn.GO if before is State.PLACED else Turn.WAIT)
    assert turn_of(State.PREPARED, [State.PREPARED, State.PREPARED]) is Turn.GO


def test_its_order_is_the_last(street: Street) -> None:
    bind(street, "norden")
    bought = street.buy()
    street.setting.pay(bought)
    advance(street.setting.deps, bought)
    assert street.states(bought) == ["completed"] * 3
    placed = {
        record.leg.merchant_id: record.reached[State.PLACED] for record in street.order(bought).legs
    }
    assert max(placed, key=lambda name: placed[name]) == "norden"
    assert street.captured(bought) == [("captured", 5390)] * 3


@pytest.mark.parametrize("refusing", NAMES)
def test_whoever_refuses_nothing_is_bought(street: Street, refusing: str) -> None:
    bind(street, "norden")
    bought = street.buy()
    street.keep(refusing)
    street.setting.pay(bought)
    advance(street.setting.deps, bought)
    assert street.states(bought) == ["cancelled"] * 3
    assert street.captured(bought) == [("voided", 0)] * 3
    # It was never sent an order that could not be taken back.
    assert street.merchants["norden"].orders == {}
    assert street.merchants["norden"].calls.count("cancel") == 0
    assert {status for orders in street.at_merchants() for status in orders} <= {"cancelled"}
    reasons = {record.leg.merchant_id: record.leg.reason for record in street.order(bought).legs}
    assert reasons.pop(refusing) is Reason.OUT_OF_STOCK
    assert set(reasons.values()) == {Reason.OTHER_PART_FAILED}


def test_with_two_of_them_it_is_said_before_and_refused(street: Street) -> None:
    client, sku = street.setting.client(), f"B{next(_NUMBERS)}"
    offers = []
    for name in ("norden", "ost"):
        street.merchants[name].articles[sku] = Article(4900, 3)
        offers.append(add_offer(street.setting.database, name, sku, 4900))
    bind(street, "norden")
    address = [to_confirm_page(client, offer) for offer in offers][-1]
    assert 'value="all_or_nothing"' in client.get(address).text
    bind(street, "ost")
    page = client.get(f"{address}&policy=all_or_nothing").text
    assert 'name="policy"' not in page
    assert "Norden, Ost" in page
    # A page from before says so as well, and orders nothing.
    refused = confirmed(client, address, policy="all_or_nothing")
    assert refused.status_code == 422
    assert [merchant.orders for merchant in street.merchants.values()] == [{}] * 3
    asked = {"lines": [{"offer_id": each} for each in offers], "contact": CONTACT.as_json()}
    quote = client.post("/v1/quotes", json=asked).json()
    assert quote["policies"] == ["best_effort"]
    wanted = {
        **{name: quote[name] for name in ("basket_id", "quote_id", "token")},
        "terms_accepted": True,
        "terms_version": quote["terms"]["version"],
        "terms_sha256": quote["terms"]["sha256"],
    }
    refused = client.post("/v1/purchases", json={**wanted, "policy": "all_or_nothing"})
    assert refused.json()["code"] == "all_or_nothing_impossible"
    assert client.post("/v1/purchases", json=wanted).status_code == 201
