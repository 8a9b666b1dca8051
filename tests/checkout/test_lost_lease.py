"""A worker that was too slow: another has finished the step meanwhile, so it writes nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from checkout.purchase.advance import advance
from checkout.purchase.confirmed import read_confirmed
from checkout.purchase.journal import Journal, LeaseLost
from checkout.purchase.leg import Result
from checkout.purchase.machine import Outcome, State, StepName
from checkout.states import LegState
from tests.checkout.shop_visits import ledger_of, shelve
from tests.purchase_setting import Setting
from tests.small_merchant import SmallMerchant


def test_a_capture_that_another_has_booked_is_not_booked_again(
    setting: Setting, merchant: SmallMerchant
) -> None:
    made = setting.confirm(setting.quote({shelve(setting, merchant): 1}))
    advance(setting.deps, made.purchase_id)
    setting.pay(made.purchase_id)
    slow = Journal(setting.deps, setting.order(made.purchase_id).legs[0].leg.leg_id)
    with setting.database.platform() as tx:
        leg = slow.claim(tx)
        assert leg is not None
        confirmed = read_confirmed(tx, leg)
        attempt = slow.begin(tx, leg, StepName.CAPTURE, "x")
        slow.write(tx)
        tx.exec_driver_sql("UPDATE checkout.leg SET lease_until = now() - interval '1 second'")
    advance(setting.deps, made.purchase_id)
    before = ledger_of(setting, made.purchase_id)
    assert setting.order(made.purchase_id).legs[0].state is LegState.COMPLETED
    placed = replace(leg, state=State.PLACED)
    with pytest.raises(LeaseLost), setting.database.platform() as tx:
        slow.finish(tx, placed, attempt, Result(Outcome.DONE), confirmed)
    assert ledger_of(setting, made.purchase_id) == before
    assert len(before) == 3
