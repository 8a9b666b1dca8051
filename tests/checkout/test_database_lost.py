"""The connection to the database breaks at every commit of a purchase: it is carried on after."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import psycopg
import sqlalchemy as sa

from checkout.deps import Windows
from checkout.purchase.advance import advance
from checkout.states import LegState, MoneyState
from kernel.db import Database, Transaction
from tests.checkout.shop_visits import shelve
from tests.purchase_setting import Setting
from tests.small_merchant import SmallMerchant


class Severed(Database):
    """A database whose connection breaks once, straight before a commit."""

    commits_left: int | None = None

    @contextmanager
    def _as(self, role: str, brand_id: str, holding: str = "") -> Iterator[Transaction]:
        with super()._as(role, brand_id, holding) as tx:
            yield tx
            if self.commits_left is not None:
                self.commits_left -= 1
                if self.commits_left == -1:
                    self._sever(tx)

    def _sever(self, tx: Transaction) -> None:
        process = tx.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        with psycopg.connect(self.url, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 30000)", (process,))


def test_lost_at_every_commit(setting: Setting, merchant: SmallMerchant) -> None:
    severed = Severed(setting.database.url)
    setting.windows = Windows(lease=timedelta(milliseconds=200))
    cut = 0
    while _survives(setting, severed, merchant, cut):
        cut += 1
    severed.close()
    assert cut >= 8
    print(f"{cut} commits, the connection lost at each")  # noqa: T201


def _survives(setting: Setting, severed: Severed, merchant: SmallMerchant, cut: int) -> bool:
    """Whether there was such a commit; the purchase has to end well whatever was lost."""
    orders = len(merchant.orders)
    bought = setting.confirm(setting.quote({shelve(setting, merchant): 1}))
    deps = replace(setting.deps, database=severed)
    severed.commits_left = cut
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            advance(deps, bought.purchase_id)
        except sa.exc.OperationalError:
            assert severed.commits_left == -1
        setting.pay(bought.purchase_id)
        was_cut = severed.commits_left < 0
        record = setting.leg(bought.purchase_id)
        if record.leg.is_settled:
            break
    severed.commits_left = None
    assert (record.state, record.money) == (LegState.COMPLETED, MoneyState.CHARGED)
    payment = setting.payment_of(bought.purchase_id)
    assert [row["kind"] for row in payment["entries"]] == ["authorise", "capture"]
    assert len(merchant.orders) == orders + 1
    return was_cut
