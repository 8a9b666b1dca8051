"""Several merchants, all or nothing: in step up to the charge, or nothing at all."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from checkout.basket import read_basket
from checkout.confirm import Purchased, confirm
from checkout.orders import Order
from checkout.purchase.advance import advance, resume_all
from checkout.purchase.machine import FINAL, State
from checkout.purchase.together import Turn, turn_of
from checkout.states import LegState, MoneyState, Policy, Reason
from kernel.db import Database
from kernel.errors import DomainError
from tests.checkout.shop_visits import confirmed, to_confirm_page
from tests.peers import Simulator, http
from tests.purchase_setting import Setting, add_merchant, add_offer, bundled_brand, pay_at
from tests.small_merchant import Article, SmallMerchant

NAMES = ("norden", "ost", "sued")
_NUMBERS = itertools.count(1)
ON_THE_WAY = [
    *(State.NEW, State.AWAITING_PAYMENT, State.AUTHORISED, State.REQUOTED, State.PREPARED),
    State.PLACED,
]


@dataclass
class Street:
    """Three merchants, and a shop that sells from each."""

    setting: Setting
    merchants: dict[str, SmallMerchant]

    def buy(self, policy: Policy = Policy.ALL_OR_NOTHING) -> str:
        """One article of each merchant, quoted and confirmed."""
        sku = f"S{next(_NUMBERS)}"
        wanted = {}
        for name, merchant in self.merchants.items():
            merchant.articles[sku] = Article(4900, 3)
            wanted[add_offer(self.setting.database, name, sku, 4900)] = 1
        accepted = replace(self.setting.acceptance(self.setting.quote(wanted)), policy=policy)
        made = confirm(self.setting.deps, self.setting.brand, accepted)
        assert isinstance(made, Purchased)
        advance(self.setting.deps, made.purchase_id)
        return made.purchase_id

    def order(self, purchase_id: str) -> Order:
        return self.setting.order(purchase_id)

    def states(self, purchase_id: str) -> list[str]:
        return [record.leg.state.value for record in self.order(purchase_id).legs]

    def keep(self, name: str) -> None:
        """The merchant will not accept orders for what was quoted."""
        for article in self.merchants[name].articles.values():
            article.is_kept = True

    def at_merchants(self) -> list[list[str]]:
        """The orders that each merchant has, by status."""
        return [
            [order["status"] for order in merchant.orders.values()]
            for merchant in self.merchants.values()
        ]

    def captured(self, purchase_id: str) -> list[tuple[str, int]]:
        legs = [record.leg.leg_id for record in self.order(purchase_id).legs]
        rows = {row["reference"]: row for row in self.setting.provider_payments(*legs)}
        return [(rows[leg]["status"], rows[leg]["captured_amount"]) for leg in legs]


@pytest.fixture
def street(database: Database, two_merchants: None, simulator: Simulator) -> Iterator[Street]:
    for name in NAMES:
        add_merchant(database, name)
    merchants = {name: SmallMerchant() for name in NAMES}
    setting = Setting(
        database=database,
        brand=bundled_brand(database),
        simulator=simulator,
        connectors={name: merchant.connector() for name, merchant in merchants.items()},
        provider=simulator.provider(),
    )
    yield Street(setting, merchants)
    for merchant in merchants.values():
        merchant.close()


def test_one_that_failed_takes_all_along_that_are_on_the_way() -> None:
    failed = {State.WITHDRAWING, State.VOIDING, State.CANCELLED}
    for others in itertools.combinations_with_replacement(State, 2):
        for state in State:
            gives_up = turn_of(state, others) is Turn.GIVE_UP
            assert gives_up == (state in ON_THE_WAY and bool(failed.intersection(others)))


def test_nothing_is_placed_before_all_are_paid_nor_charged_before_all_are_placed() -> None:
    assert turn_of(State.AUTHORISED, [State.AWAITING_PAYMENT]) is Turn.WAIT
    assert turn_of(State.PREPARED, [State.PREPARED, State.REQUOTED]) is Turn.WAIT
    assert turn_of(State.PREPARED, [State.PLACED, State.PREPARED]) is Turn.GO
    assert turn_of(State.PLACED, [State.PREPARED, State.PLACED]) is Turn.WAIT
    for past in FINAL - {State.CANCELLED} | {State.REFUNDING, State.CANCELLING_ORDER}:
        assert turn_of(State.PLACED, [past, State.PLACED]) is Turn.GO


def test_all_accept_and_all_are_charged_after_the_last_has_accepted(street: Street) -> None:
    bought = street.buy()
    street.merchants["sued"].lose["place"] = 1
    street.merchants["sued"].lose["find"] = 1000
    street.setting.pay(bought)
    advance(street.setting.deps, bought)
    # The last answer is open: two orders stand, and nobody is charged.
    assert street.states(bought) == ["placed", "placed", "prepared"]
    assert [captured for _, captured in street.captured(bought)] == [0, 0, 0]
    assert {record.money for record in street.order(bought).legs} == {MoneyState.RESERVED}
    street.merchants["sued"].lose["find"] = 0
    street.setting.clock.ahead = timedelta(minutes=2)
    resume_all(street.setting.deps)
    advance(street.setting.deps, bought)
    assert street.states(bought) == ["completed"] * 3
    assert street.captured(bought) == [("captured", 5390)] * 3
    assert street.at_merchants() == [["placed"]] * 3


@pytest.mark.parametrize("name", NAMES)
def test_one_refusal_withdraws_the_other_orders(street: Street, name: str) -> None:
    bought = street.buy()
    street.keep(name)
    street.setting.pay(bought)
    advance(street.setting.deps, bought)
    order = street.order(bought)
    assert street.states(bought) == ["cancelled"] * 3
    assert street.captured(bought) == [("voided", 0)] * 3
    assert {status for orders in street.at_merchants() for status in orders} <= {"cancelled"}
    for record in order.legs:
        is_cause = record.leg.merchant_id == name
        expected = Reason.OUT_OF_STOCK if is_cause else Reason.OTHER_PART_FAILED
        assert (record.leg.reason, record.money) == (expected, MoneyState.RELEASED)
    # What was wanted is still in the basket.
    with street.setting.database.brand(street.setting.brand.id) as tx:
        assert len(read_basket(tx, order.basket_id).lines) == 3


def test_best_effort_buys_the_rest(street: Street) -> None:
    bought = street.buy(Policy.BEST_EFFORT)
    street.keep("ost")
    street.setting.pay(bought)
    advance(street.setting.deps, bought)
    assert street.states(bought) == ["completed", "cancelled", "completed"]
    assert street.captured(bought) == [("captured", 5390), ("voided", 0), ("captured", 5390)]


def test_a_payment_that_is_stopped_releases_the_others_before_any_order(street: Street) -> None:
    bought = street.buy()
    first, second, _ = street.order(bought).legs
    assert first.pay_url is not None
    assert second.pay_url is not None
    pay_at(first.pay_url)
    advance(street.setting.deps, bought)
    assert street.states(bought) == ["authorised", "awaiting_payment", "awaiting_payment"]
    http.post(second.pay_url.split("?")[0] + "/cancel")
    advance(street.setting.deps, bought)
    assert street.states(bought) == ["cancelled"] * 3
    assert [row[1] for row in street.captured(bought)] == [0, 0, 0]
    assert street.at_merchants() == [[], [], []]


def test_who_has_paid_waits_for_the_other_payments_and_not_in_vain(street: Street) -> None:
    bought = street.buy()
    first, *_ = street.order(bought).legs
    assert first.pay_url is not None
    pay_at(first.pay_url)
    advance(street.setting.deps, bought)
    # Longer than placing may take, and still within the time to pay.
    for minutes in (12, 24):
        street.setting.clock.ahead = timedelta(minutes=minutes)
        advance(street.setting.deps, bought)
    street.setting.pay(bought)
    advance(street.setting.deps, bought)
    assert street.states(bought) == ["completed"] * 3
    other = street.buy()
    assert street.order(other).legs[0].pay_url is not None
    pay_at(str(street.order(other).legs[0].pay_url))
    street.setting.clock.ahead += timedelta(minutes=31)
    advance(street.setting.deps, other)
    assert street.states(other) == ["cancelled"] * 3
    assert [row[1] for row in street.captured(other)] == [0, 0, 0]


def test_an_order_that_cannot_be_withdrawn_stands_and_is_paid_for(street: Street) -> None:
    bought = street.buy()
    street.setting.pay(bought)
    street.merchants["sued"].lose["place"] = 1
    street.merchants["sued"].lose["find"] = 1000
    advance(street.setting.deps, bought)
    assert street.states(bought) == ["placed", "placed", "prepared"]
    (sent,) = street.merchants["norden"].orders.values()
    sent["status"] = "shipped"
    # The merchant has lost the order, and takes none any more.
    street.merchants["sued"].orders.clear()
    street.keep("sued")
    street.merchants["sued"].lose["find"] = 0
    street.setting.clock.ahead = timedelta(minutes=2)
    advance(street.setting.deps, bought)
    assert street.states(bought) == ["completed", "cancelled", "cancelled"]
    assert street.captured(bought) == [("captured", 5390), ("voided", 0), ("voided", 0)]
    first, second, _ = street.order(bought).legs
    assert (first.leg.reason, first.money) == (Reason.TOO_LATE, MoneyState.CHARGED)
    assert second.leg.reason is Reason.OTHER_PART_FAILED


def test_a_merchant_that_is_silent_while_it_is_asked_to_withdraw_is_asked_again(
    street: Street,
) -> None:
    bought = street.buy()
    street.keep("norden")
    street.merchants["sued"].lose |= {"cancel": 1, "status": 1000}
    street.setting.pay(bought)
    advance(street.setting.deps, bought)
    *_, last = street.order(bought).legs
    assert (last.state, last.money) == (LegState.WITHDRAWING, MoneyState.RESERVED)
    street.merchants["sued"].lose["status"] = 0
    street.setting.clock.ahead = timedelta(minutes=2)
    advance(street.setting.deps, bought)
    assert street.states(bought) == ["cancelled"] * 3
    assert street.captured(bought) == [("voided", 0)] * 3
    assert street.merchants["sued"].calls.count("cancel") == 1


def test_the_buyer_chooses_on_the_page_before_paying(street: Street) -> None:
    client = street.setting.client()
    sku = f"S{next(_NUMBERS)}"
    for name in ("norden", "ost"):
        street.merchants[name].articles[sku] = Article(4900, 3)
        address = to_confirm_page(client, add_offer(street.setting.database, name, sku, 4900))
        has_choice = 'value="all_or_nothing"' in client.get(address).text
        assert has_choice == (name == "ost")
    # A choice survives what sends the buyer back to the page.
    back = confirmed(client, address, policy="all_or_nothing", terms="")
    chosen = 'value="all_or_nothing" checked'
    assert chosen in client.get(back.headers["location"]).text
    bought = confirmed(client, address, policy="all_or_nothing")
    order_ref = bought.headers["location"].rpartition("/")[2]
    shown = client.get(f"/v1/orders/{order_ref}").json()
    assert shown["policy"] == "all_or_nothing"
    # Paid for one part: the page leads on to the other payment, it does not wait for orders.
    back_at_shop = client.get(pay_at(shown["legs"][0]["pay_url"]))
    assert back_at_shop.headers["location"].startswith(f"/pay/handoff/{order_ref}")
    waiting = client.get(f"/order/{order_ref}").text
    assert "tout ou rien" in waiting
    assert client.get(pay_at(shown["legs"][1]["pay_url"])).status_code == 303
    legs = client.get(f"/v1/orders/{order_ref}").json()["legs"]
    assert [leg["state"] for leg in legs] == ["completed", "completed"]


def test_the_choice_belongs_to_what_was_confirmed(street: Street) -> None:
    setting = street.setting
    merchant = street.merchants["norden"]
    merchant.articles["C1"] = Article(4900, 3)
    quote = setting.quote({add_offer(setting.database, "norden", "C1", 4900): 1})
    accepted = setting.acceptance(quote)
    assert isinstance(confirm(setting.deps, setting.brand, accepted), Purchased)
    other = replace(accepted, policy=Policy.ALL_OR_NOTHING)
    with pytest.raises(DomainError) as refused:
        confirm(setting.deps, setting.brand, other)
    assert refused.value.code == "idempotency_conflict"
