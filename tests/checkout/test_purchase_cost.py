"""What a leg costs the database from the click to the charge: counted, for no clock is fair."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from checkout.purchase.advance import advance
from checkout.states import LegState
from tests.checkout.shop_visits import shelve
from tests.purchase_setting import Setting
from tests.small_merchant import SmallMerchant

# Five outside calls, the payment's state, the time at the payment page between two claims.
TRANSACTIONS, STATEMENTS = 8, 22


def test_a_leg_takes_few_transactions_and_statements(
    setting: Setting, merchant: SmallMerchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    bought = setting.confirm(setting.quote({shelve(setting, merchant): 1}))
    counted: Counter[str] = Counter()

    def counting(owner: type, name: str, kind: str) -> None:
        act: Callable[..., Any] = getattr(owner, name)

        def counts(*arguments: Any, **named: Any) -> Any:
            counted[kind] += 1
            return act(*arguments, **named)

        monkeypatch.setattr(owner, name, counts)

    def carried_on() -> None:
        counting(psycopg.Cursor, "execute", "statement")
        counting(psycopg.Cursor, "executemany", "statement")
        counting(psycopg.Connection, "commit", "transaction")
        advance(setting.deps, bought.purchase_id)
        monkeypatch.undo()

    carried_on()
    setting.pay(bought.purchase_id)
    carried_on()
    assert setting.order(bought.purchase_id).legs[0].state is LegState.COMPLETED
    assert 0 < counted["transaction"] <= TRANSACTIONS
    assert 0 < counted["statement"] <= STATEMENTS
