"""One purchase in a process of its own that ends, without any tidying up, at a chosen point.

A point lies before each commit and before each outside call; what follows one event comes before
the next, so these points lie before and after every event there is.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from typing import Any

from pydantic import SecretStr

from checkout.after_sale import cancel
from checkout.confirm import Acceptance, AskAgain, confirm
from checkout.deps import CheckoutDeps, Windows
from checkout.orders import LegRecord, Order, read_purchase
from checkout.payment_providers import ProviderSettings, open_provider
from checkout.peer_http import trusted
from checkout.purchase.advance import advance
from checkout.purchase.machine import State
from kernel.db import Database, Transaction
from kernel.settings import Settings
from tenants.registry import load_brands
from tests.peers import http
from tests.purchase_setting import LINKS, pay_at
from tests.small_merchant import SmallMerchantConnector

KILLED = 137
# Every process of a purchase is forked from one that has read this already.
trusted()
WINDOWS = Windows(lease=timedelta(milliseconds=600))


@dataclass(frozen=True)
class Case:
    """What the process is told. `sells_out`: merchants whose article is gone once it is paid for;
    `is_given_up`: once it is charged, or waits for shipment, the buyer wants it cancelled; `ships`:
    merchants that are paid on shipment ship what waits for it.
    """

    database_url: str
    brand_id: str
    merchant_urls: Mapping[str, str]
    provider: ProviderSettings
    accepted: Acceptance
    sku: str
    sells_out: frozenset[str] = frozenset()
    is_given_up: bool = False
    ships: bool = False


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
    """A database with a point before each commit of something written."""

    points: Points

    @contextmanager
    def _as(self, role: str, brand_id: str, holding: str = "") -> Iterator[Transaction]:
        with super()._as(role, brand_id, holding) as tx:
            yield tx
            written = tx.exec_driver_sql("SELECT pg_current_xact_id_if_assigned()").scalar_one()
            if written is not None:
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


def run(case: Case, end_at: int | None, report: Connection) -> None:
    """The process: click, pay, carry on until it is settled. Reports the points it passed."""
    points = Points(end_at)
    database = PointedDatabase(case.database_url, pool_size=1)
    database.points = points
    connectors = {
        name: Pointed(SmallMerchantConnector(url, "EUR"), points)
        for name, url in case.merchant_urls.items()
    }
    deps = CheckoutDeps(
        database=database,
        settings=Settings(payment_webhook_secret=SecretStr(case.provider.webhook_secret)),
        connectors=lambda merchant: connectors[merchant.id],  # type: ignore[arg-type, return-value]
        provider=Pointed(open_provider("simulator", case.provider), points),  # type: ignore[arg-type]
        links=LINKS,
        windows=WINDOWS,
    )
    # To look on without passing a point.
    carry_out(deps, Database(case.database_url, pool_size=1), case)
    points.reach("end")
    report.send(points.passed)


def carry_out(deps: CheckoutDeps, onlooker: Database, case: Case) -> None:
    """Click, pay and carry on; whoever comes after a death does the same again."""
    with onlooker.platform() as tx:
        brand = load_brands(tx)[case.brand_id]
    outcome = confirm(deps, brand, case.accepted)
    assert not isinstance(outcome, AskAgain), outcome
    _until_settled(deps, onlooker, case, outcome.purchase_id)
    if case.is_given_up:
        _give_up(deps, _look(onlooker, case, outcome.purchase_id))
        _until_settled(deps, onlooker, case, outcome.purchase_id)


def _give_up(deps: CheckoutDeps, order: Order) -> None:
    (record,) = order.legs
    # Who comes after a death may find it given up already, with nothing charged.
    if record.leg.state is not State.CANCELLED:
        cancel(deps, order, record.leg.merchant_id)


def _until_settled(deps: CheckoutDeps, onlooker: Database, case: Case, purchase_id: str) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        order = _look(onlooker, case, purchase_id)
        if order.is_settled or (order.is_resting and not case.ships):
            return
        _ship(case, order)
        payable = [record for record in order.legs if record.is_payable]
        for record in payable:
            _pay(case, record)
        advance(deps, purchase_id)
        if not payable:
            # What a worker has left is free when its lease is over.
            time.sleep(0.05)
    raise AssertionError("not settled in 120 s")


def _pay(case: Case, record: LegRecord) -> None:
    assert record.pay_url is not None
    if http.get(record.pay_url).text.count('name="number"'):
        pay_at(record.pay_url)
    if record.leg.merchant_id in case.sells_out:
        body = {"sku": case.sku, "stock": 0}
        http.post(f"{case.merchant_urls[record.leg.merchant_id]}/stock", json=body)


def _ship(case: Case, order: Order) -> None:
    for record in order.legs:
        if case.ships and record.leg.state is State.AWAITING_SHIPMENT:
            body = {"reference": record.leg.leg_id}
            http.post(f"{case.merchant_urls[record.leg.merchant_id]}/ship", json=body)


def _look(onlooker: Database, case: Case, purchase_id: str) -> Order:
    with onlooker.brand(case.brand_id) as tx:
        return read_purchase(tx, purchase_id)
