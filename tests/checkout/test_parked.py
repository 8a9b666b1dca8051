"""An order in doubt that nobody settles: people are called in time, and say what they found out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from checkout import tables as t
from checkout.deps import Windows
from checkout.parked import Parked, parked_legs, settle_doubt
from checkout.purchase.advance import advance, resume_all
from checkout.purchase.attention import hold_is_ending, news_for_people
from checkout.purchase.leg import Leg
from checkout.purchase.machine import State
from checkout.states import LegState, MoneyState, Reason
from comptoir.commands import order as order_command
from kernel.errors import DomainError, NotFound
from kernel.money import Money
from tests.checkout.shop_visits import shelve
from tests.purchase_setting import Setting
from tests.small_merchant import SmallMerchant

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HELD = Leg(
    "leg_1", "mirabelle", "pur_1", 1, "norden", "Norden", Money(13390, "EUR"), State.PREPARED,
    None, "pay_1", "h1", None, Money(13390, "EUR"), Money(0, "EUR"), Money(0, "EUR"),
    NOW + timedelta(days=6), None, None, NOW, NOW + timedelta(minutes=15),
)  # fmt: skip


@pytest.fixture(autouse=True)
def _nothing_left_in_doubt(setting: Setting) -> Iterator[None]:
    """Merchants of a test end with it: what is still in doubt there is nobody's concern."""
    yield
    with setting.database.platform() as tx:
        tx.execute(t.leg.update().where(t.leg.c.attention.is_not(None)).values(attention=None))


def in_doubt(setting: Setting, merchant: SmallMerchant, *, is_made: bool) -> str:
    """A purchase whose merchant took the order, or not, and has been silent since; its id."""
    bought = setting.confirm(setting.quote({shelve(setting, merchant): 1}))
    advance(setting.deps, bought.purchase_id)
    setting.pay(bought.purchase_id)
    merchant.lose["find"] = 1000
    if is_made:
        merchant.lose["place"] = 1
    else:
        merchant.dies_before.add("place")
    advance(setting.deps, bought.purchase_id)
    later(setting, timedelta(minutes=16))
    assert setting.leg(bought.purchase_id).state is LegState.NEEDS_ATTENTION
    return bought.purchase_id


def later(setting: Setting, ahead: timedelta) -> None:
    """So much after the purchase, for the worker."""
    setting.clock.ahead = ahead
    resume_all(setting.deps)


def parked(setting: Setting, purchase_id: str) -> Parked:
    with setting.database.platform() as tx:
        (found,) = [each for each in parked_legs(tx) if each.leg.purchase_id == purchase_id]
    return found


def letters(setting: Setting, purchase_id: str) -> int:
    statement = sa.select(sa.func.count()).where(t.letter.c.purchase_id == purchase_id)
    with setting.database.platform() as tx:
        return int(tx.execute(statement).scalar_one())


def test_people_are_called_again_before_the_money_is_let_go(
    setting: Setting, merchant: SmallMerchant, caplog: pytest.LogCaptureFixture
) -> None:
    purchase_id = in_doubt(setting, merchant, is_made=True)
    found = parked(setting, purchase_id)
    until = found.held_until
    assert until is not None
    (payment,) = setting.provider_payments(found.leg.leg_id)
    assert until.timestamp() == payment["capture_before"]
    assert "held until" not in str(found.leg.attention)
    assert letters(setting, purchase_id) == 1
    with setting.database.platform() as tx:
        tx.execute(t.letter.update().values(state="sent", next_try_at=None))

    left = until - datetime.now(UTC)
    caplog.clear()
    later(setting, left - timedelta(hours=25))
    assert "held until" not in str(parked(setting, purchase_id).leg.attention)
    later(setting, left - timedelta(hours=23))
    later(setting, left - timedelta(hours=1))
    said = f"held until {until:%Y-%m-%d %H:%M}Z"
    assert str(parked(setting, purchase_id).leg.attention).endswith(said)
    assert [said in record.message for record in caplog.records] == [True]
    assert letters(setting, purchase_id) == 1


@pytest.mark.parametrize(
    ("change", "is_ending"),
    [
        ({}, True),
        ({"state": State.PLACED}, True),
        ({"state": State.WITHDRAWING}, True),
        ({"state": State.VOIDING}, False),
        ({"state": State.COMPLETED}, False),
        ({"captured": Money(13390, "EUR")}, False),
        ({"authorised": Money(0, "EUR")}, False),
        ({"capture_before": None}, False),
    ],
)
def test_a_hold_matters_while_the_money_is_still_needed(
    change: dict[str, object], is_ending: bool
) -> None:
    changed = replace(HELD, **change)  # type: ignore[arg-type]
    then = NOW + timedelta(days=5)
    assert hold_is_ending(changed, then, Windows()) is is_ending
    assert not hold_is_ending(changed, then - timedelta(seconds=1), Windows())
    # Who is not in trouble is nobody's concern, however the hold stands.
    assert news_for_people(changed, None, then, Windows()) is None


def test_the_merchant_made_the_order_and_it_is_charged(
    setting: Setting, merchant: SmallMerchant
) -> None:
    purchase_id = in_doubt(setting, merchant, is_made=True)
    (made,) = merchant.orders.values()
    settle_doubt(setting.deps, setting.order(purchase_id), "norden", made["number"], by="Service")
    record = setting.leg(purchase_id)
    assert (record.state, record.money) == (LegState.COMPLETED, MoneyState.CHARGED)
    assert (record.leg.merchant_order, record.leg.attention) == (made["number"], None)
    assert setting.payment_of(purchase_id)["captured_amount"] == 13390
    assert merchant.calls.count("place") == 1
    with setting.database.platform() as tx:
        said = tx.execute(
            sa.select(t.step.c.response["said_by"].astext).where(
                t.step.c.leg_id == record.leg.leg_id, t.step.c.name == "place"
            )
        ).scalar_one()
    assert said == "Service"
    with pytest.raises(DomainError, match="not in doubt"):
        settle_doubt(setting.deps, setting.order(purchase_id), "norden", None, by="Service")
    assert setting.payment_of(purchase_id)["refunded_amount"] == 0


def test_the_merchant_made_no_order_and_the_money_is_released(
    setting: Setting, merchant: SmallMerchant
) -> None:
    purchase_id = in_doubt(setting, merchant, is_made=False)
    settle_doubt(setting.deps, setting.order(purchase_id), "norden", None, by="Service")
    record = setting.leg(purchase_id)
    assert (record.state, record.leg.reason) == (LegState.CANCELLED, Reason.MERCHANT_REFUSED)
    assert setting.payment_of(purchase_id)["status"] == "voided"
    assert merchant.orders == {}


def test_only_a_doubt_can_be_settled(setting: Setting, merchant: SmallMerchant) -> None:
    bought = setting.confirm(setting.quote({shelve(setting, merchant): 1}))
    advance(setting.deps, bought.purchase_id)
    order = setting.order(bought.purchase_id)
    with pytest.raises(DomainError, match="not in doubt"):
        settle_doubt(setting.deps, order, "norden", "M-1", by="Service")
    with pytest.raises(NotFound):
        settle_doubt(setting.deps, order, "sued", "M-1", by="Service")
    with pytest.raises(DomainError, match="no number"):
        settle_doubt(setting.deps, order, "norden", " ", by="Service")
    # Nothing of it stays: the purchase goes on as before.
    setting.pay(bought.purchase_id)
    advance(setting.deps, bought.purchase_id)
    assert setting.leg(bought.purchase_id).state is LegState.COMPLETED


def test_nobody_is_overruled_who_asks_right_now(setting: Setting, merchant: SmallMerchant) -> None:
    purchase_id = in_doubt(setting, merchant, is_made=True)
    held = {"lease_owner": "own_other", "lease_until": datetime.now(UTC) + timedelta(minutes=1)}
    order = setting.order(purchase_id)
    with setting.database.platform() as tx:
        tx.execute(t.leg.update().where(t.leg.c.purchase_id == purchase_id).values(**held))
    with pytest.raises(DomainError, match="right now"):
        settle_doubt(setting.deps, order, "norden", None, by="Service")
    assert setting.payment_of(purchase_id)["status"] == "authorised"


def test_as_commands(
    setting: Setting, merchant: SmallMerchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = SimpleNamespace(database=setting.database, checkout=setting.deps)
    monkeypatch.setattr("comptoir.installation.Installation", lambda: installed)

    def typed(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(order_command.command, words)
        return result.exit_code, result.output

    assert typed("waiting") == (0, "nothing waits for a person\n")
    order_ref = setting.order(in_doubt(setting, merchant, is_made=True)).order_ref
    code, told = typed("waiting")
    assert (code, told.count("\n")) == (1, 1)
    assert order_ref in told
    assert "money held until" in told
    settling = ("settle", order_ref, "--merchant", "norden", "--by", "Service")
    assert typed(*settling)[0] == 2
    assert typed(*settling, "--none", "--number", "M-1")[0] == 2
    assert "completed, charged" in typed(*settling, "--number", "M-1000")[1]
    assert typed("waiting") == (0, "nothing waits for a person\n")
