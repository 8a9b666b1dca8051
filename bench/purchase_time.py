"""Time of a purchase without the merchant's and the provider's own: `python -m bench.purchase_time`.

Real PostgreSQL, real payment simulator, a small merchant over HTTP. Every outside call is timed and
taken off; what is left is ours: SQL, the journal, the state machine.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from checkout.purchase.advance import advance
from comptoir import database_schema
from comptoir.embedded import postgres
from kernel.db import Database
from tests.peers import running_simulator
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


def main(purchases: int = 60) -> None:
    """Print p50 and p95 of our own time and of the whole, in milliseconds."""
    with tempfile.TemporaryDirectory() as folder, running_simulator(Path(folder) / "psp") as psp:
        database = Database(postgres.start(Path(folder) / "postgres"))
        database_schema.upgrade(database)
        merchant = SmallMerchant()
        add_merchant(database, "norden")
        connector, provider = Timed(merchant.connector()), Timed(psp.provider())
        brand = bundled_brand(database)
        setting = Setting(database, brand, psp, {"norden": connector}, provider)  # type: ignore[arg-type,dict-item]
        own, whole = [], []
        for number in range(purchases):
            sku = f"T{number}"
            merchant.articles[sku] = Article(4900, 5)
            offer = add_offer(database, "norden", sku, 4900)
            connector.outside_s = provider.outside_s = 0
            started = time.perf_counter()
            bought = setting.confirm(setting.quote({offer: 1}))
            advance(setting.deps, bought.purchase_id)
            elapsed = time.perf_counter() - started
            setting.pay(bought.purchase_id)
            started = time.perf_counter()
            advance(setting.deps, bought.purchase_id)
            elapsed += time.perf_counter() - started
            outside = connector.outside_s + provider.outside_s
            own.append((elapsed - outside) * 1000)
            whole.append(elapsed * 1000)
        merchant.close()
        database.close()
    for name, times in (("own", own[5:]), ("whole", whole[5:])):
        p95 = statistics.quantiles(times, n=20)[18]
        sys.stdout.write(f"{name}: p50 {statistics.median(times):.0f} ms, p95 {p95:.0f} ms\n")


if __name__ == "__main__":
    main()
