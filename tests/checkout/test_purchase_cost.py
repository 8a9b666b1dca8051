"""What a leg costs the database from the click to the charge: counted, for no clock is fair."""

from __future__ import annotations

from collections import Counter
from typing import Any

import sqlalchemy as sa

from checkout.purchase.advance import advance
from checkout.states import LegState
from tests.checkout.test_purchase import shelve
from tests.purchase_setting import Setting
from tests.small_merchant import SmallMerchant

# Five outside calls, the payment's state, the time at the payment page between two claims.
TRANSACTIONS, STATEMENTS = 10, 57


def test_a_leg_takes_few_transactions_and_statements(
    setting: Setting, merchant: SmallMerchant
) -> None:
    bought = setting.confirm(setting.quote({shelve(setting, merchant): 1}))
    counted: Counter[str] = Counter()

    def carried_on() -> None:
        engine = setting.database.engine
        hooks: list[tuple[str, Any]] = [
            ("before_cursor_execute", lambda *_: counted.update(["statement"])),
            ("commit", lambda _: counted.update(["transaction"])),
        ]
        for name, hook in hooks:
            sa.event.listen(engine, name, hook)
        advance(setting.deps, bought.purchase_id)
        for name, hook in hooks:
            sa.event.remove(engine, name, hook)

    carried_on()
    setting.pay(bought.purchase_id)
    carried_on()
    assert setting.order(bought.purchase_id).legs[0].state is LegState.COMPLETED
    assert 0 < counted["transaction"] <= TRANSACTIONS
    assert 0 < counted["statement"] <= STATEMENTS
