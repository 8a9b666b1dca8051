"""How long a pushed offer waits for its product while a large feed of another merchant is matched,
and how soon a pushed price is found meanwhile.

Real processes on a catalogue of 10,000 products, as in `bench freshness`; the feed's merchant comes
first in the order in which records are worked off, those who push come last.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx2
import sqlalchemy as sa

from bench.figures import Figure, percentiles
from kernel.ids import drawn_id
from mdm import intake
from mdm.merchants import Merchant, register_merchant
from tests.load.freshness import Accepted, Probe, compare, push, settle
from tests.load.platform import MERCHANTS, Platform, offers_of

PRODUCTS = int(os.environ.get("FRESHNESS_PRODUCTS", "10000"))
FEED = int(os.environ.get("BESIDE_FEED", "20000"))
RATE = float(os.environ.get("BESIDE_RATE", "40"))
"""Changed prices a second meanwhile."""
EVERY_S = 2.0
ALONE = 30
LONGEST_S = float(os.environ.get("BESIDE_SECONDS", "240"))
FEEDER, PUSHER = "aaa-feed", MERCHANTS[-1]


def measure() -> Iterator[Figure]:
    """The whole of it."""
    with tempfile.TemporaryDirectory() as name:
        platform = Platform(Path(name))
        try:
            platform.fill(PRODUCTS)
            with platform.database.platform() as tx:
                register_merchant(tx, Merchant(FEEDER, "Feeder", "FR"))
            platform.start("shop", "backoffice", "worker")
            time.sleep(5)
            yield from _beside(platform)
        finally:
            platform.stop()


def _beside(platform: Platform) -> Iterator[Figure]:
    accepted = Accepted()
    probes = [Probe(platform, accepted, seed) for seed in range(2)]
    pushers = push(platform, accepted, products=PRODUCTS, rate=RATE, seconds=10, batch=4)
    for thread in pushers:
        thread.join()
    for probe in probes:
        probe.count_anew()
    alone = [_pushed(platform, number) for number in range(ALONE)]
    yield Figure("a pushed offer until it has its product, no feed beside it", percentiles(alone))
    # At work until the feed is.
    pushers = push(platform, accepted, products=PRODUCTS, rate=RATE, seconds=LONGEST_S, batch=4)
    begun = time.monotonic()
    _land_feed(platform)
    print(f"landed in {time.monotonic() - begun:.0f} s", file=sys.stderr)
    begun = time.monotonic()
    with ThreadPoolExecutor(int(LONGEST_S / EVERY_S)) as pushing:
        # One that waits does not keep the next from being pushed.
        asked = list[Future[float]]()
        while _waiting(platform):
            asked.append(pushing.submit(_pushed, platform, ALONE + len(asked)))
            time.sleep(EVERY_S)
        took = time.monotonic() - begun
        waits = [each.result() for each in asked]
    for probe in probes:
        probe.stop()
    for thread in pushers:
        thread.join()
    settle(platform)
    found = compare(platform, accepted.prices)
    seen = [each for probe in probes for each in probe.seen_after_s]
    name = f"while a feed of {FEED:,} offers was matched"
    yield Figure(f"the feed, {RATE:.0f} changed prices a second beside it", f"{took:.0f} s")
    yield Figure(f"a pushed offer until it has its product, {name}", percentiles(waits))
    yield Figure("the longest of them", f"{max(waits):.1f} s ({len(waits)} pushed)")
    yield Figure(f"from accepted to found, {name} ({len(seen)} seen)", percentiles(seen))
    yield Figure(
        f"offers with another price than accepted last ({found.offers} compared)",
        f"{len(found.wrong_in_index)} in the index, {len(found.wrong_in_database)} in PostgreSQL",
        "0",
    )


def _land_feed(platform: Platform) -> None:
    offers = offers_of(MERCHANTS[1], 3 * FEED, first=5_000_000)[:FEED]
    with platform.database.platform() as tx:
        run = intake.open_run(tx, FEEDER, "feed", complete=True)
        intake.submit(tx, run, offers)
        intake.close_run(tx, run)


def _waiting(platform: Platform) -> bool:
    asked = "SELECT count(*) FROM mdm.raw_offer WHERE pending AND source_id = :feeder"
    return bool(platform.rows(asked, feeder=FEEDER)[0][0])


def _pushed(platform: Platform, number: int) -> float:
    """Push a new offer; how many seconds after the answer it has its product."""
    (offer,) = offers_of(PUSHER, 4, first=8_000_000 + 4 * number)[-1:]
    offer = replace(offer, sku=f"P{number}")
    answer = httpx2.post(
        f"http://127.0.0.1:{platform.backoffice_port}/v1/merchants/offers",
        json={
            "offers": [
                {"sku": offer.sku, "title": offer.title, "price": offer.price, "currency": "EUR"}
            ]
        },
        headers={
            "Authorization": f"Bearer {platform.keys[PUSHER]}",
            "Idempotency-Key": drawn_id("call"),
        },
        timeout=60,
        trust_env=False,
    )
    answer.raise_for_status()
    accepted = time.monotonic()
    asked = sa.text("SELECT product_id FROM mdm.offer WHERE source_id = :source AND sku = :sku")
    while time.monotonic() < accepted + LONGEST_S:
        with platform.database.platform() as tx:
            if tx.execute(asked, {"source": PUSHER, "sku": offer.sku}).scalar() is not None:
                break
        # Finer than a tenth of what is measured; many may be waiting.
        time.sleep(min(0.5, 0.005 + (time.monotonic() - accepted) / 20))
    return time.monotonic() - accepted
