"""After the order: cancelled by the buyer or by the merchant, money back in part or whole, once."""

from __future__ import annotations

import itertools
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from checkout import refunds
from checkout.after_sale import cancel, refund, watch_orders
from checkout.purchase.advance import advance, resume_all
from checkout.purchase.machine import WATCHED_FOR, next_look
from checkout.refunds import refunds_of
from checkout.states import LegState, MoneyState, Reason, StepName, StepState
from kernel.errors import DomainError
from kernel.money import Money
from tests.checkout.shop_visits import ledger_of, shelve
from tests.peers import wait_for
from tests.purchase_setting import Setting
from tests.small_merchant import SmallMerchant

TOTAL = 13390
_KEYS = itertools.count(1)


def bought(setting: Setting, merchant: SmallMerchant) -> str:
    """A purchase that is placed and charged: 129.00 and 4.90 for delivery."""
    made = setting.buy({shelve(setting, merchant): 1})
    assert setting.leg(made.purchase_id).state is LegState.COMPLETED
    return made.purchase_id


def give_back(setting: Setting, purchase_id: str, minor: int | None, key: str = "") -> None:
    wanted = None if minor is None else Money(minor, "EUR")
    order = setting.order(purchase_id)
    refund(setting.deps, order, "norden", wanted, by="test", key=key or f"case {next(_KEYS)}")
    advance(setting.deps, purchase_id)


def refunded(setting: Setting, purchase_id: str) -> int:
    return int(setting.payment_of(purchase_id)["refunded_amount"])


def test_cancelled_at_the_merchant_and_all_given_back(
    setting: Setting, merchant: SmallMerchant
) -> None:
    purchase_id = bought(setting, merchant)
    assert setting.leg(purchase_id).is_cancellable
    cancel(setting.deps, setting.order(purchase_id), "norden")
    assert setting.leg(purchase_id).state is LegState.CANCELLING_ORDER
    advance(setting.deps, purchase_id)

    record = setting.leg(purchase_id)
    assert (record.state, record.money) == (LegState.REFUNDED, MoneyState.REFUNDED)
    assert record.leg.reason is Reason.CANCELLED_BY_BUYER
    assert (record.steps[-1].name, record.steps[-1].state) == (StepName.REFUNDED, StepState.DONE)
    assert not record.is_cancellable
    assert [order["status"] for order in merchant.orders.values()] == ["cancelled"]
    assert refunded(setting, purchase_id) == record.leg.refunded.minor == TOTAL
    assert ledger_of(setting, purchase_id)[-2:] != ledger_of(setting, purchase_id)[:2]
    assert sum(amount for _, amount in ledger_of(setting, purchase_id)) == 0
    assert ("merchant:norden:refunds_given", TOTAL) in ledger_of(setting, purchase_id)
    cancel(setting.deps, setting.order(purchase_id), "norden")
    advance(setting.deps, purchase_id)
    assert refunded(setting, purchase_id) == TOTAL


def test_too_late_to_cancel_leaves_the_order_as_it_was(
    setting: Setting, merchant: SmallMerchant
) -> None:
    purchase_id = bought(setting, merchant)
    next(iter(merchant.orders.values()))["status"] = "shipped"
    cancel(setting.deps, setting.order(purchase_id), "norden")
    advance(setting.deps, purchase_id)
    record = setting.leg(purchase_id)
    assert (record.state, record.money) == (LegState.COMPLETED, MoneyState.CHARGED)
    assert record.leg.reason is Reason.TOO_LATE
    assert refunded(setting, purchase_id) == 0


def test_no_refund_is_taken_while_the_merchant_is_asked_to_cancel(
    setting: Setting, merchant: SmallMerchant
) -> None:
    purchase_id = bought(setting, merchant)
    next(iter(merchant.orders.values()))["status"] = "shipped"
    cancel(setting.deps, setting.order(purchase_id), "norden")
    with pytest.raises(DomainError) as refusal:
        give_back(setting, purchase_id, 500)
    assert refusal.value.code == "not_refundable"
    advance(setting.deps, purchase_id)
    give_back(setting, purchase_id, 500)
    assert refunded(setting, purchase_id) == 500


def test_a_lost_answer_to_the_cancellation_is_looked_up(
    setting: Setting, merchant: SmallMerchant
) -> None:
    purchase_id = bought(setting, merchant)
    merchant.lose["cancel"] = 1
    cancel(setting.deps, setting.order(purchase_id), "norden")
    advance(setting.deps, purchase_id)
    assert setting.leg(purchase_id).state is LegState.REFUNDED
    assert merchant.calls.count("cancel") == 1
    assert refunded(setting, purchase_id) == TOTAL


@pytest.mark.parametrize("kind", ["error_before", "error_after", "answer_lost"])
def test_a_lost_answer_to_the_refund_gives_back_once(
    setting: Setting, merchant: SmallMerchant, kind: str
) -> None:
    purchase_id = bought(setting, merchant)
    setting.simulator.fault("refund", kind)
    give_back(setting, purchase_id, 5000)
    resume_all(replace(setting.deps, clock=lambda: datetime.now(UTC) + timedelta(minutes=5)))
    record = setting.leg(purchase_id)
    assert refunded(setting, purchase_id) == record.leg.refunded.minor == 5000
    assert record.state is LegState.COMPLETED


def test_parts_go_back_until_nothing_is_left(setting: Setting, merchant: SmallMerchant) -> None:
    purchase_id = bought(setting, merchant)
    give_back(setting, purchase_id, 1000)
    record = setting.leg(purchase_id)
    assert (record.state, record.leg.refunded) == (LegState.COMPLETED, Money(1000, "EUR"))
    with pytest.raises(DomainError) as refusal:
        give_back(setting, purchase_id, TOTAL)
    assert refusal.value.code == "over_refund"
    give_back(setting, purchase_id, None)
    record = setting.leg(purchase_id)
    assert (record.state, record.money) == (LegState.REFUNDED, MoneyState.REFUNDED)
    assert refunded(setting, purchase_id) == TOTAL
    with pytest.raises(DomainError) as refusal:
        give_back(setting, purchase_id, 1)
    assert refusal.value.code == "not_refundable"


def test_the_same_request_gives_back_once_and_another_amount_is_refused(
    setting: Setting, merchant: SmallMerchant
) -> None:
    purchase_id = bought(setting, merchant)

    def again(_: int) -> None:
        give_back(setting, purchase_id, 700, key="return 17")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(again, range(16)))
    advance(setting.deps, purchase_id)
    assert refunded(setting, purchase_id) == 700
    with setting.database.platform() as tx:
        assert len(refunds_of(tx, setting.leg(purchase_id).leg.leg_id)) == 1
    with pytest.raises(DomainError) as refusal:
        give_back(setting, purchase_id, 800, key="return 17")
    assert (refusal.value.code, refusal.value.status) == ("idempotency_conflict", 422)


def test_a_merchant_that_cancels_later_is_noticed_and_all_goes_back(
    setting: Setting, merchant: SmallMerchant
) -> None:
    purchase_id = bought(setting, merchant)
    give_back(setting, purchase_id, 390)
    later = replace(setting.deps, clock=lambda: datetime.now(UTC) + timedelta(minutes=15))
    order = next(iter(merchant.orders.values()))
    order["status"] = "in_preparation"
    assert watch_orders(setting.deps) == 0
    assert watch_orders(later) >= 1
    assert setting.leg(purchase_id).leg.order_status == "in_preparation"
    order["status"] = "cancelled"
    much_later = replace(setting.deps, clock=lambda: datetime.now(UTC) + timedelta(days=2))
    assert watch_orders(much_later) >= 1
    advance(setting.deps, purchase_id)
    record = setting.leg(purchase_id)
    assert (record.state, record.leg.reason) == (LegState.REFUNDED, Reason.MERCHANT_CANCELLED)
    assert refunded(setting, purchase_id) == TOTAL


def test_what_is_not_charged_is_not_cancelled_here(
    setting: Setting, merchant: SmallMerchant
) -> None:
    made = setting.confirm(setting.quote({shelve(setting, merchant): 1}))
    advance(setting.deps, made.purchase_id)
    with pytest.raises(DomainError) as refusal:
        cancel(setting.deps, setting.order(made.purchase_id), "norden")
    assert refusal.value.code == "not_cancellable"
    with pytest.raises(DomainError) as refusal:
        cancel(setting.deps, setting.order(made.purchase_id), "elsewhere")
    assert refusal.value.code == "leg_unknown"


def test_looks_become_rarer_and_end() -> None:
    start = datetime(2026, 11, 22, tzinfo=UTC)
    assert next_look(start, start) == start + timedelta(minutes=10)
    assert next_look(start, start + timedelta(days=9)) == start + timedelta(days=9, hours=12)
    assert next_look(start, start + WATCHED_FOR + timedelta(days=1)) is None


def test_a_refund_asked_for_while_another_is_written_down_is_carried_out(
    setting: Setting, merchant: SmallMerchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    purchase_id = bought(setting, merchant)
    order, done = setting.order(purchase_id), refunds.state_once_given
    refund(setting.deps, order, "norden", Money(100, "EUR"), by="test", key="first")
    with ThreadPoolExecutor(1) as operator:
        asked: list[Future[object]] = []

        def asked_for_meanwhile(*arguments: Any) -> object:
            state = done(*arguments)
            if not asked:
                second = Money(200, "EUR")
                asked.append(
                    operator.submit(
                        refund, setting.deps, order, "norden", second, by="test", key="second"
                    )
                )
                wait_for(lambda: asked[0].done() or _somebody_waits(setting), 60)
            return state

        monkeypatch.setattr(refunds, "state_once_given", asked_for_meanwhile)
        advance(setting.deps, purchase_id)
        asked[0].result()
    advance(setting.deps, purchase_id)
    assert refunded(setting, purchase_id) == setting.leg(purchase_id).leg.refunded.minor == 300
    assert setting.leg(purchase_id).state is LegState.COMPLETED


def _somebody_waits(setting: Setting) -> bool:
    """Whether a session of this database waits for another's lock."""
    with setting.database.platform() as tx:
        waiting = tx.exec_driver_sql(
            "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) "
            "WHERE NOT granted AND datname = current_database()"
        )
        return int(waiting.scalar_one()) > 0
