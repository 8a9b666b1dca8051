"""Whatever is done in whatever order, with answers lost and peers away: what must hold holds.

After every step the books of the merchants and of the provider are compared with ours; at the end
of every run all is well again, time passes, and every leg has to come to rest.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from checkout import tables as t
from checkout.after_sale import cancel, refund, watch_orders
from checkout.confirm import Acceptance, Purchased, confirm
from checkout.orders import LegRecord, Order
from checkout.purchase.advance import advance, resume_all
from checkout.purchase.machine import State
from checkout.states import MoneyState, Policy
from checkout.webhooks import receive
from kernel.db import Database
from kernel.errors import DomainError
from kernel.money import Money
from tests.peers import Simulator, http
from tests.purchase_setting import GOOD_CARD, Setting, add_merchant, add_offer, bundled_brand
from tests.small_merchant import Article, SmallMerchant

NAMES = ("norden", "sued")
POLICIES = st.sampled_from(Policy)
MERCHANTS = st.sampled_from(NAMES)
CALLS = ["quote", "prepare", "place", "find", "cancel", "status"]
OPERATIONS = st.sampled_from(["create", "read", "capture", "void", "refund"])
KINDS = st.sampled_from(["error_before", "error_after", "answer_lost", "timeout_before"])
BAD_CARD = GOOD_CARD | {"number": "4000 0000 0000 0002"}
# Each of these says that nothing was changed.
REFUSALS = {
    *("purchase_under_way", "basket_empty", "not_cancellable", "not_refundable", "over_refund"),
    *("leg_unknown", "quote_unknown"),
}
_NUMBERS = itertools.count(1)


class AnyOrder(RuleBasedStateMachine):
    """Buyers, merchants, a provider and workers, each doing what they may do at any time."""

    setting: ClassVar[Setting]
    merchants: ClassVar[dict[str, SmallMerchant]]
    clicks = Bundle("clicks")
    bought = Bundle("bought")

    def __init__(self) -> None:
        super().__init__()
        self.sku = f"H{next(_NUMBERS)}"
        self.offers = {}
        self.purchases: set[str] = set()
        self.setting.clock.ahead = timedelta(0)
        for name, merchant in self.merchants.items():
            merchant.articles[self.sku] = Article(4900, 9)
            self.offers[name] = add_offer(self.setting.database, name, self.sku, 4900)

    # --- the buyer

    @rule(target=clicks, names=st.sampled_from([NAMES, ("norden",)]), policy=POLICIES)
    def quote(self, names: tuple[str, ...], policy: Policy) -> Acceptance:
        quote = self.setting.quote({self.offers[name]: 1 for name in names})
        return replace(self.setting.acceptance(quote), policy=policy)

    @initialize(
        target=bought,
        names=st.sampled_from([NAMES, ("norden",)]),
        policy=POLICIES,
        pays=st.booleans(),
    )
    def first_purchase(self, names: tuple[str, ...], policy: Policy, pays: bool) -> Any:
        purchase_id = self._press(self.quote(names, policy))
        if pays and isinstance(purchase_id, str):
            self.pay_for_all(purchase_id, come_back=True)
        return purchase_id

    @rule(target=bought, click=clicks)
    def press_the_button(self, click: Acceptance) -> Any:
        return self._press(click)

    def _press(self, click: Acceptance) -> Any:
        try:
            outcome = confirm(self.setting.deps, self.setting.brand, click)
        except DomainError as refusal:
            if refusal.code not in REFUSALS:
                raise
            return multiple()
        if not isinstance(outcome, Purchased):
            return multiple()
        self.purchases.add(outcome.purchase_id)
        advance(self.setting.deps, outcome.purchase_id)
        return outcome.purchase_id

    @rule(purchase_id=bought, come_back=st.booleans())
    def pay_for_all(self, purchase_id: str, come_back: bool) -> None:
        for record in self.setting.order(purchase_id).legs:
            self._at_the_page(record, GOOD_CARD)
        if come_back:
            advance(self.setting.deps, purchase_id)

    @rule(purchase_id=bought, card=st.sampled_from([GOOD_CARD, BAD_CARD, None]))
    def pay_for_the_last_part(self, purchase_id: str, card: dict[str, str] | None) -> None:
        self._at_the_page(self.setting.order(purchase_id).legs[-1], card)

    def _at_the_page(self, record: LegRecord, card: dict[str, str] | None) -> None:
        if record.pay_url is None:
            return
        page = record.pay_url.split("?")[0]
        http.post(page if card else f"{page}/cancel", data=card)

    @rule(purchase_id=bought, name=MERCHANTS)
    def wants_it_cancelled(self, purchase_id: str, name: str) -> None:
        self._allowed(lambda: cancel(self.setting.deps, self.setting.order(purchase_id), name))

    @rule(purchase_id=bought, name=MERCHANTS, minor=st.sampled_from([None, 1000, 4000]))
    def wants_money_back(self, purchase_id: str, name: str, minor: int | None) -> None:
        order, amount = self.setting.order(purchase_id), minor and Money(minor, "EUR")
        key = f"case {next(_NUMBERS)}"
        self._allowed(
            lambda: refund(self.setting.deps, order, name, amount or None, by="test", key=key)
        )

    # --- workers and time

    @rule(purchase_id=bought, workers=st.integers(1, 2))
    def work(self, purchase_id: str, workers: int) -> None:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(lambda _: advance(self.setting.deps, purchase_id), range(workers)))

    @rule(minutes=st.sampled_from([1, 16, 31]))
    def time_passes(self, minutes: int) -> None:
        self.setting.clock.ahead += timedelta(minutes=minutes)
        resume_all(self.setting.deps)
        watch_orders(self.setting.deps)

    @rule(back=st.integers(1, 12), again=st.booleans())
    def a_notice_comes(self, back: int, again: bool) -> None:
        events = self.setting.simulator.call("GET", "/v1/test/events").json()["events"]
        if len(events) >= back:
            for _ in range(1 + again):
                self._deliver(events[-back]["body"])

    # --- the merchant, and what goes wrong

    @rule(name=MERCHANTS, what=st.sampled_from(["dearer", "gone", "kept", "as it was"]))
    def the_article_changes(self, name: str, what: str) -> None:
        self.merchants[name].articles[self.sku] = {
            "dearer": Article(5200, 9),
            "gone": Article(4900, 0),
            "kept": Article(4900, 9, is_kept=True),
            "as it was": Article(4900, 9),
        }[what]

    @rule(name=MERCHANTS, status=st.sampled_from(["shipped", "cancelled"]))
    def the_merchant_moves_its_orders(self, name: str, status: str) -> None:
        for order in self._orders(name):
            if order["status"] == "placed":
                order["status"] = status

    @rule(name=MERCHANTS, call=st.sampled_from([*CALLS, "away", "back"]))
    def the_merchant_will_be_hard_to_hear(self, name: str, call: str) -> None:
        if call in CALLS:
            self.merchants[name].lose[call] = 1
        else:
            self.merchants[name].is_down = call == "away"

    @rule(operation=OPERATIONS, kind=KINDS)
    def the_provider_will_fail(self, operation: str, kind: str) -> None:
        self.setting.simulator.fault(operation, kind, delay_s=0.1)

    # --- what must hold

    @invariant()
    def no_money_without_an_order_and_no_order_twice(self) -> None:
        for purchase_id in self.purchases:
            order = self.setting.order(purchase_id)
            paid = {row["reference"]: row for row in self._payments(order)}
            for record in order.legs:
                self._holds(record, paid.get(record.leg.leg_id))
            if order.policy is Policy.ALL_OR_NOTHING:
                self._all_or_nothing(order, paid)

    def _holds(self, record: LegRecord, payment: dict[str, Any] | None) -> None:
        leg = record.leg
        orders = [row for row in self._orders(leg.merchant_id) if row["reference"] == leg.leg_id]
        assert len(orders) <= 1
        assert all(row["total"] == leg.total.minor for row in orders)
        captured = 0 if payment is None else payment["captured_amount"]
        refunded = 0 if payment is None else payment["refunded_amount"]
        assert captured in (0, leg.total.minor)
        assert not captured or orders, "charged without an order"
        assert leg.captured.minor <= captured
        assert leg.refunded.minor <= refunded <= self._asked_back(leg.leg_id)
        if leg.state is State.CANCELLED:
            assert payment is None or payment["status"] in {"voided", "cancelled", "expired"}
            assert all(row["status"] == "cancelled" for row in orders), "given up, and yet ordered"
        if leg.state in {State.COMPLETED, State.REFUNDED}:
            assert (leg.captured.minor, leg.refunded.minor) == (captured, refunded)
            assert captured == leg.total.minor == leg.authorised.minor
        if record.money in {MoneyState.NONE, MoneyState.RESERVED, MoneyState.RELEASED}:
            assert leg.captured.minor == 0
        assert self._booked(leg.leg_id) == 0

    def _all_or_nothing(self, order: Order, paid: dict[str, dict[str, Any]]) -> None:
        charged = [
            record
            for record in order.legs
            if record.leg.leg_id in paid and paid[record.leg.leg_id]["captured_amount"]
        ]
        if any(
            record.leg.state is State.CANCELLED and State.AWAITING_SHIPMENT not in record.reached
            for record in order.legs
        ):
            assert all(State.WITHDRAWING in record.reached for record in charged)

    def teardown(self) -> None:
        """All is well again, and time passes: everything comes to rest."""
        self.setting.simulator.call("DELETE", "/v1/test/faults")
        for merchant in self.merchants.values():
            merchant.is_down = False
            merchant.lose.clear()
        for _ in range(12):
            if all(self.setting.order(each).is_settled for each in self.purchases):
                break
            self.setting.clock.ahead += timedelta(minutes=32)
            resume_all(self.setting.deps)
            self._ship_what_waits()
        for purchase_id in self.purchases:
            order = self.setting.order(purchase_id)
            assert order.is_settled, [record.leg for record in order.legs]
            for record in order.legs:
                assert record.state is not None
                if record.leg.state is State.CANCELLED:
                    assert record.leg.reason is not None
        self.no_money_without_an_order_and_no_order_twice()

    def _ship_what_waits(self) -> None:
        for name in NAMES:
            self.the_merchant_moves_its_orders(name, "shipped")
        for purchase_id in self.purchases:
            legs = self.setting.order(purchase_id).legs
            if any(record.leg.state is State.AWAITING_SHIPMENT for record in legs):
                advance(self.setting.deps, purchase_id)

    # --- looking

    def _allowed(self, act: Callable[[], object]) -> None:
        try:
            act()
        except DomainError as refusal:
            if refusal.code not in REFUSALS:
                raise

    def _orders(self, name: str) -> list[dict[str, Any]]:
        return list(self.merchants[name].orders.values())

    def _payments(self, order: Order) -> list[dict[str, Any]]:
        return self.setting.provider_payments(*(record.leg.leg_id for record in order.legs))

    def _asked_back(self, leg_id: str) -> int:
        return self._sum(t.refund.c.amount_minor, t.refund.c.leg_id == leg_id)

    def _booked(self, leg_id: str) -> int:
        of_leg = sa.select(t.ledger_transaction.c.transaction_id).where(
            t.ledger_transaction.c.leg_id == leg_id
        )
        return self._sum(t.ledger_entry.c.amount_minor, t.ledger_entry.c.transaction_id.in_(of_leg))

    def _sum(self, column: sa.ColumnElement[int], condition: sa.ColumnElement[bool]) -> int:
        with self.setting.database.platform() as tx:
            statement = sa.select(sa.func.coalesce(sa.func.sum(column), 0)).where(condition)
            return int(tx.execute(statement).scalar_one())

    def _deliver(self, body: dict[str, Any]) -> None:
        raw = json.dumps(body).encode()
        at = int(self.setting.clock().timestamp())
        secret = self.setting.simulator.keys["webhook_secret"].encode()
        digest = hmac.new(secret, f"{at}.".encode() + raw, hashlib.sha256).hexdigest()
        header = {"Comptoir-Signature": f"t={at},v1={digest}"}
        receive(self.setting.deps, "simulator", header, raw)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("paid_on", ["acceptance", "shipment"])
def test_in_any_order(
    database: Database,
    two_merchants: None,
    simulator: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    paid_on: str,
) -> None:
    """`norden` is always paid on acceptance, `sued` on either."""
    merchants = {name: SmallMerchant() for name in NAMES}
    add_merchant(database, "norden")
    add_merchant(database, "sued", connector_settings={"capture": paid_on})
    AnyOrder.merchants = merchants
    AnyOrder.setting = Setting(
        database=database,
        brand=bundled_brand(database),
        simulator=simulator,
        connectors={name: merchant.connector() for name, merchant in merchants.items()},
        provider=simulator.provider(),
    )
    # A worker that waits for a lost answer holds up nothing but the test.
    monkeypatch.setattr("checkout.purchase.leg_run._QUICK_TRIES_S", (0.0, 0.0))
    bounds = settings(
        max_examples=22,
        stateful_step_count=16,
        deadline=None,
        derandomize=True,
        database=None,
        # Making a failure smaller takes minutes; it is printed as it was found.
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(AnyOrder, settings=bounds)
    finally:
        add_merchant(database, "sued")
        for merchant in merchants.values():
            merchant.close()
