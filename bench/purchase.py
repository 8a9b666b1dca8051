"""A purchase without the merchant's and the provider's own time: `python -m bench purchase`.

Real PostgreSQL, real payment simulator, a small merchant over HTTP. Every outside call is timed and
taken off; what is left is ours: SQL, the journal, the state machine.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from bench.figures import Figure, percentiles
from checkout.payment_providers.port import PaymentProvider
from checkout.purchase.advance import advance
from comptoir import database_schema
from comptoir.embedded import postgres
from kernel.db import Database
from tests.peers import Simulator, running_simulator
from tests.purchase_setting import Setting, add_merchant, add_offer, bundled_brand
from tests.small_merchant import Article, SmallMerchant


class Timed:
    """A peer whose calls are timed."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.outside_s = 0.0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._inner, name)

        def timed(*arguments: Any, **named: Any) -> Any:
            started = time.perf_counter()
            try:
                return call(*arguments, **named)
            finally:
                self.outside_s += time.perf_counter() - started

        return timed


def measure(purchases: int = 40) -> list[Figure]:
    """Our own time, our processor time in it, and the whole with merchant and provider."""
    with tempfile.TemporaryDirectory() as folder, running_simulator(Path(folder) / "psp") as psp:
        database = Database(postgres.start(Path(folder) / "postgres"))
        database_schema.upgrade(database)
        merchant = SmallMerchant()
        try:
            times = _purchases(database, psp, merchant, purchases)
        finally:
            merchant.close()
            database.close()
    own, processor, whole = (list(column) for column in zip(*times[5:], strict=True))
    return [
        Figure("purchase, without the merchant's and the provider's time", percentiles(own)),
        Figure("of which processor time", percentiles(processor)),
        Figure("purchase, quote to charge, shopper's own time left out", percentiles(whole)),
    ]


def _purchases(
    database: Database, psp: Simulator, merchant: SmallMerchant, count: int
) -> list[tuple[float, float, float]]:
    add_merchant(database, "norden")
    connector, provider = Timed(merchant.connector()), Timed(psp.provider())
    peers: Any = {"norden": connector}
    setting = Setting(
        database, bundled_brand(database), psp, peers, cast("PaymentProvider", provider)
    )
    times = []
    for number in range(count):
        merchant.articles[f"T{number}"] = Article(4900, 5)
        offer = add_offer(database, "norden", f"T{number}", 4900)
        connector.outside_s = provider.outside_s = 0
        started, worked = time.perf_counter(), time.thread_time()
        bought = setting.confirm(setting.quote({offer: 1}))
        advance(setting.deps, bought.purchase_id)
        elapsed, processor = time.perf_counter() - started, time.thread_time() - worked
        setting.pay(bought.purchase_id)
        started, worked = time.perf_counter(), time.thread_time()
        advance(setting.deps, bought.purchase_id)
        elapsed += time.perf_counter() - started
        processor += time.thread_time() - worked
        times.append((elapsed - connector.outside_s - provider.outside_s, processor, elapsed))
    return times
