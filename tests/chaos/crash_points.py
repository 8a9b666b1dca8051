"""One purchase in a process of its own that ends, without any tidying up, at a chosen point.

A point lies before each commit and before each outside call; what follows one event comes before
the next, so these points lie before and after every event there is.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from multiprocessing.connection import Connection
from typing import Any

import httpx2
from pydantic import SecretStr

from checkout.after_sale import cancel
from checkout.confirm import Acceptance, AskAgain, confirm
from checkout.deps import CheckoutDeps, Windows
from checkout.orders import Order, read_purchase
from checkout.payment_providers import ProviderSettings, open_provider
from checkout.purchase.advance import advance, resume_all
from kernel.db import Database, Transaction
from kernel.settings import Settings
from tenants.registry import load_brands
from tests.purchase_setting import pay_at
from tests.small_merchant import SmallMerchantConnector

KILLED = 137
WINDOWS = Windows(lease=timedelta(milliseconds=600))


@dataclass(frozen=True)
class Case:
    """What the process is told. `sells_out` is an article that is gone once it is paid for;
    `is_given_up`: once it is charged the buyer wants it cancelled.
    """

    database_url: str
    brand_id: str
    merchant_url: str
    provider: ProviderSettings
    accepted: Acceptance
    sells_out: str | None = None
    is_given_up: bool = False


class Points:
    """Counts the points passed, and ends the process at one of them."""

    def __init__(self, end_at: int | None) -> None:
        self.passed: list[str] = []
        self._end_at = end_at

    def reach(self, name: str) -> None:
        """Here is a point."""
        if len(self.passed) == self._end_at:
            os._exit(KILLED)
        self.passed.append(name)


class PointedDatabase(Database):
    """A database with a point before each commit."""

    points: Points

    @contextmanager
    def _as(self, role: str, brand_id: str) -> Iterator[Transaction]:
        with super()._as(role, brand_id) as tx:
            yield tx
            self.points.reach("commit")


class Pointed:
    """A connector or a provider with a point before each call."""

    def __init__(self, inner: Any, points: Points) -> None:
        self._inner = inner
        self._points = points

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._inner, name)

        def pointed(*arguments: Any, **named: Any) -> Any:
            self._points.reach(name)
            return call(*arguments, **named)

        return pointed


def run(case: Case, end_at: int | None, is_resumed: bool, report: Connection) -> None:
    """The process: click, pay, carry on until it is settled. Reports the points it passed."""
    points = Points(end_at)
    database = PointedDatabase(case.database_url, pool_size=2)
    database.points = points
    connector = Pointed(SmallMerchantConnector(case.merchant_url, "EUR"), points)
    deps = CheckoutDeps(
        database=database,
        settings=Settings(payment_webhook_secret=SecretStr(case.provider.webhook_secret)),
        connectors=lambda _: connector,  # type: ignore[arg-type, return-value]
        provider=Pointed(open_provider("simulator", case.provider), points),  # type: ignore[arg-type]
        windows=WINDOWS,
    )
    with Database(case.database_url)._as("comptoir_platform", "") as tx:
        brand = load_brands(tx)[case.brand_id]
    outcome = confirm(deps, brand, case.accepted)
    assert not isinstance(outcome, AskAgain), outcome
    if not is_resumed:
        advance(deps, outcome.purchase_id)
    _until_settled(deps, case, outcome.purchase_id)
    if case.is_given_up:
        cancel(deps, _look(case, outcome.purchase_id), "norden")
        advance(deps, outcome.purchase_id)
        _until_settled(deps, case, outcome.purchase_id)
    points.reach("end")
    report.send(points.passed)


def _until_settled(deps: CheckoutDeps, case: Case, purchase_id: str) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        order = _look(case, purchase_id)
        if order.is_settled:
            return
        record = order.legs[0]
        if record.is_payable and record.pay_url is not None:
            if httpx2.get(record.pay_url).text.count('name="number"'):
                pay_at(record.pay_url)
            if case.sells_out is not None:
                body = {"sku": case.sells_out, "stock": 0}
                httpx2.post(f"{case.merchant_url}/stock", json=body)
            advance(deps, purchase_id)
        else:
            resume_all(deps)
        time.sleep(0.02)
    raise AssertionError("not settled in 120 s")


def _look(case: Case, purchase_id: str) -> Order:
    """The order, without passing a point."""
    database = Database(case.database_url, pool_size=1)
    try:
        with database.brand(case.brand_id) as tx:
            return read_purchase(tx, purchase_id)
    finally:
        database.close()


def another(case: Case, accepted: Acceptance, sells_out: str | None, *, is_given_up: bool) -> Case:
    """The same setting with another purchase."""
    return replace(case, accepted=accepted, sells_out=sells_out, is_given_up=is_given_up)
