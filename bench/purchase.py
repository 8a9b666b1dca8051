"""Purchases: `python -m bench purchase`. Our own time in one, many in a row, a sale of the last.

Real PostgreSQL, real payment simulator, a small merchant over HTTP. In a single purchase every
outside call is timed and taken off; what is left is ours: SQL, the journal, the state machine.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from bench.figures import Figure, percentiles
from bench.purchase_load import Outcome, flash_sale, sold, told_the_truth
from bench.purchase_shops import sustained
from checkout.purchase.advance import advance
from comptoir import database_schema
from comptoir.embedded import postgres
from kernel.db import Database
from tests.peers import running_simulator
from tests.purchase_setting import Setting, add_merchant, add_offer, bundled_brand
from tests.small_merchant import Article, SmallMerchant

Answer = TypeVar("Answer")
_WARM_UP = 10
_SINGLE, _IN_A_ROW, _SHOPS, _LINES = 60, 600, 2, 2
_BUYERS, _PIECES = 500, 10


class Timed:
    """A peer whose calls are timed."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.outside_s = self.processor_s = 0.0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._inner, name)

        def timed(*arguments: Any, **named: Any) -> Any:
            started, worked = time.perf_counter(), time.thread_time()
            try:
                return call(*arguments, **named)
            finally:
                self.outside_s += time.perf_counter() - started
                self.processor_s += time.thread_time() - worked

        return timed


class Watch:
    """Our own time in what is measured, and its processor time, in seconds; calls left out."""

    def __init__(self, *peers: Timed) -> None:
        self._peers = peers
        self.own_s = self.processor_s = 0.0

    def __call__(self, act: Callable[[], Answer]) -> Answer:
        before, started, worked = self._outside(), time.perf_counter(), time.thread_time()
        answer = act()
        outside_s, processor_s = self._outside()
        self.own_s += time.perf_counter() - started - (outside_s - before[0])
        self.processor_s += time.thread_time() - worked - (processor_s - before[1])
        return answer

    def _outside(self) -> tuple[float, float]:
        return (
            sum(peer.outside_s for peer in self._peers),
            sum(peer.processor_s for peer in self._peers),
        )


def measure() -> list[Figure]:
    """One purchase at a time, then many at once, each in a shop of its own."""
    with _shop() as (setting, merchant):
        clicking, carrying = zip(*_singles(setting, merchant), strict=True)
    with _shop() as (setting, _):
        row, spent = sustained(setting, purchases=_IN_A_ROW, shops=_SHOPS, lines=_LINES)
    with _shop() as (setting, merchant):
        sale = flash_sale(setting, merchant, buyers=_BUYERS, pieces=_PIECES, at_once=16)
    truth = f"{sold(sale)} sold, {told_the_truth(sale)} told that it is gone"
    return [
        Figure(
            "a leg carried out, without the merchant's and the provider's time",
            percentiles([watch.own_s for watch in carrying]),
            "p50 20 ms",
        ),
        Figure(
            "of which processor time",
            percentiles([watch.processor_s for watch in carrying]),
        ),
        Figure(
            "quote and click before it, without the merchant's time",
            percentiles([watch.own_s for watch in clicking]),
        ),
        Figure(
            f"{_IN_A_ROW} purchases in {_SHOPS} shops, {_LINES} at once in each, all on 2 cores",
            f"{sold(row) / row.seconds:.1f} a second, {_faults(row)}",
            "50 a second",
        ),
        Figure("processor time of one of them", _by_process(spent), "40 ms"),
        Figure(
            f"{_BUYERS} buyers of {_PIECES} pieces, 16 at once",
            f"{truth}, {_faults(sale)}",
            f"{_PIECES} and {_BUYERS - _PIECES}",
        ),
    ]


def _by_process(spent: dict[str, float]) -> str:
    shops = sum(each for name, each in spent.items() if name.startswith("shop"))
    others = ", ".join(f"{name} {spent[name]:.0f}" for name in ("merchant", "provider"))
    whole, database = sum(spent.values()), spent["PostgreSQL"]
    return f"{whole:.0f} ms: shop with buyers {shops:.0f}, {others}, PostgreSQL {database:.0f}"


def _faults(outcome: Outcome) -> str:
    return f"{outcome.lost} lost, {outcome.twice} double"


@contextmanager
def _shop() -> Iterator[tuple[Setting, SmallMerchant]]:
    with tempfile.TemporaryDirectory() as folder, running_simulator(Path(folder) / "psp") as psp:
        database = Database(postgres.start(Path(folder) / "postgres"), pool_size=20)
        merchant = SmallMerchant()
        try:
            database_schema.upgrade(database)
            add_merchant(database, "norden", connector_settings={"payment_account": "norden"})
            peers = {"norden": merchant.connector()}
            yield Setting(database, bundled_brand(database), psp, peers, psp.provider()), merchant
        finally:
            merchant.close()
            database.close()


def _singles(setting: Setting, merchant: SmallMerchant) -> list[tuple[Watch, Watch]]:
    """For each purchase the time up to the click, and that of its leg."""
    connector, provider = Timed(setting.connectors["norden"]), Timed(setting.provider)
    setting.connectors["norden"] = connector  # type: ignore[assignment]
    setting.provider = provider  # type: ignore[assignment]
    deps, times = setting.deps, []
    for number in range(_WARM_UP + _SINGLE):
        merchant.articles[f"T{number}"] = Article(4900, 5)
        offer = add_offer(setting.database, "norden", f"T{number}", 4900)
        clicking, carrying = Watch(connector, provider), Watch(connector, provider)
        bought = clicking(lambda offer=offer: setting.confirm(setting.quote({offer: 1})))
        carrying(lambda bought=bought: advance(deps, bought.purchase_id))
        setting.pay(bought.purchase_id)
        carrying(lambda bought=bought: advance(deps, bought.purchase_id))
        times.append((clicking, carrying))
    return times[_WARM_UP:]
