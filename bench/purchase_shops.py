"""Purchases as an installation has them: shops in processes of their own, the merchant in another.

In: a database set up for buying, and a running payment provider. Out: what became of every
purchase, counted as in `purchase_load`, and the processor time of each part.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from bench.processor_time import ProcessorTime
from bench.purchase_load import Outcome, buy, outcome_of
from checkout.payment_providers import open_provider
from kernel.db import Database
from tenants.registry import load_brands
from tests.peers import Simulator
from tests.purchase_setting import Setting, add_offer
from tests.small_merchant import Article, SmallMerchant, SmallMerchantConnector

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_FRESH = multiprocessing.get_context("spawn")
_PRICE = 4900
# Each line of a shop carries out a few before the clock starts: statements are compiled by then.
_WARM_UP = 8


@dataclass(frozen=True, slots=True)
class Place:
    """What a shop's process is told. The provider's process stays where it is."""

    database_url: str
    brand_id: str
    merchant_url: str
    simulator: Simulator

    def setting(self) -> Setting:
        """A shop of its own on it."""
        database = Database(self.database_url, pool_size=8)
        with database.platform() as tx:
            brand = load_brands(tx)[self.brand_id]
        connectors: dict[str, Any] = {"norden": SmallMerchantConnector(self.merchant_url, "EUR")}
        provider = open_provider("simulator", self.simulator.settings())
        return Setting(database, brand, self.simulator, connectors, provider)


def sustained(
    setting: Setting, *, purchases: int, shops: int, lines: int
) -> tuple[Outcome, dict[str, float]]:
    """Purchases one after the other in so many lines of so many shops, with enough for all.

    Answers what became of them, and the milliseconds of processor time of each, by process.
    """
    every = purchases + shops * lines * _WARM_UP
    with _merchant_beside("PLENTY", every) as merchant:
        offer_id = add_offer(setting.database, "norden", "PLENTY", _PRICE)
        simulator = replace(setting.simulator, process=cast("Any", None))
        place = Place(setting.database.url, setting.brand.id, merchant.url, simulator)
        with ThreadPoolExecutor(shops) as pool:
            running = [_Shop(place, offer_id, purchases // shops, lines) for _ in range(shops)]
            list(pool.map(_Shop.wait, running))
            pids = {f"shop {number}": shop.pid for number, shop in enumerate(running, start=1)}
            pids |= {"merchant": merchant.pid, "provider": setting.simulator.process.pid}
            processor, started = ProcessorTime(setting.database, pids), time.perf_counter()
            ends = [end for each in pool.map(_Shop.sell, running) for end in each]
            seconds, spent = time.perf_counter() - started, processor.each_ms(purchases)
            warmed = [end for each in pool.map(_Shop.close, running) for end in each]
        outcome = outcome_of(setting, merchant.references(), ends + warmed, seconds)
    return outcome, spent


class _Shop:
    """A shop's process with its buyers."""

    def __init__(self, place: Place, offer_id: str, buyers: int, lines: int) -> None:
        self._pipe, theirs = _FRESH.Pipe()
        self._process = _FRESH.Process(
            target=_serve_buyers, args=(place, offer_id, buyers, lines, theirs), daemon=True
        )
        self._process.start()
        theirs.close()
        self._warmed: list[Any] = []

    @property
    def pid(self) -> int:
        """The process."""
        assert self._process.pid is not None
        return self._process.pid

    def wait(self) -> None:
        """Until it has warmed up."""
        self._warmed = self._pipe.recv()

    def sell(self) -> list[Any]:
        """Have every buyer buy; answers how each ended."""
        self._pipe.send("go")
        return cast("list[Any]", self._pipe.recv())

    def close(self) -> list[Any]:
        """End it; answers how the purchases before the clock ended."""
        self._pipe.send("end")
        self._process.join()
        return self._warmed


def _serve_buyers(place: Place, offer_id: str, buyers: int, lines: int, pipe: Connection) -> None:
    setting = place.setting()
    deps = setting.deps
    with ThreadPoolExecutor(lines) as pool:
        for count in (lines * _WARM_UP, buyers):
            pipe.send(list(pool.map(lambda _: buy(setting, deps, offer_id), range(count))))
            pipe.recv()


@dataclass(frozen=True, slots=True)
class _Merchant:
    """The merchant's process."""

    url: str
    pid: int
    pipe: Connection

    def references(self) -> list[str]:
        """Whose orders it has, one for each order."""
        self.pipe.send("orders")
        return cast("list[str]", self.pipe.recv())


@contextmanager
def _merchant_beside(sku: str, stock: int) -> Iterator[_Merchant]:
    ours, theirs = _FRESH.Pipe()
    process = _FRESH.Process(target=_be_merchant, args=(sku, stock, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        url = ours.recv()
        assert process.pid is not None
        yield _Merchant(url, process.pid, ours)
    finally:
        ours.send("end")
        process.join()


def _be_merchant(sku: str, stock: int, pipe: Connection) -> None:
    merchant = SmallMerchant()
    merchant.articles[sku] = Article(_PRICE, stock)
    pipe.send(merchant.url)
    while pipe.recv() == "orders":
        pipe.send([row["reference"] for row in merchant.orders.values()])
    merchant.close()
