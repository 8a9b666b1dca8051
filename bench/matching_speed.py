"""What it costs to match an offer, by the size of the catalogue.

    BENCH_MATCHING_SIZES=10000,100000,1000000 python -m bench matching_speed

The matcher alone at each size, with an index of that size kept in a folder of BENCH_CACHE, by one
process and by one for each processor; then intake, matcher and database together at
BENCH_MATCHING_STORED products. Processor time is told first: it says the same on a busy machine.
"""

from __future__ import annotations

import gc
import os
import resource
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.catalogue import ROOT, SAMPLE
from bench.chart import cost_by_size
from bench.figures import Figure, percentiles
from bench.varied_offers import (
    MERCHANTS,
    VariedCatalogue,
    another_offer,
    fill,
    newcomers,
    real_titles,
)
from comptoir import database_schema
from comptoir.embedded import postgres
from crawlers.push_calls import land_offers, once, request_digest
from kernel.db import Database
from kernel.embedding.encoder import Encoder, load_encoder
from kernel.ids import drawn_id
from mdm import intake
from mdm.match.newcomers import Newcomer, match_newcomers
from mdm.match_crew import Crew
from mdm.merchants import Merchant, register_merchant
from mdm.pipeline import BATCH, match_landed
from mdm.processors import usable
from mdm.raw_offer import RawOffer

SIZES = tuple(
    int(size) for size in os.environ.get("BENCH_MATCHING_SIZES", "10000,100000").split(",")
)
NEW = int(os.environ.get("BENCH_MATCHING_NEW", "2000"))
# Newcomers that all processors match together: a batch of the pipeline.
TOGETHER = int(os.environ.get("BENCH_MATCHING_TOGETHER", str(BATCH)))
PUSHED = 200
STORED = tuple(int(size) for size in os.environ.get("BENCH_MATCHING_STORED", "10000").split(","))
CACHE = Path(os.environ.get("BENCH_CACHE", ROOT / ".comptoir" / "bench")) / "matching"
CHART = ROOT / "docs" / "matching-speed.svg"
NEW_MERCHANTS = 20


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one newcomer: processor time of this process and time by the clock, in milliseconds."""

    processor_ms: float
    clock_ms: float


def measure() -> Iterator[Figure]:
    """The matcher at each size in turn, then with everything around it."""
    if not SAMPLE.exists():
        yield Figure("cost of matching an offer", f"left out: {SAMPLE.name} is absent")
        return
    yield Figure("a million additions in Python", f"{_yardstick_ms():.0f} ms of processor time")
    encoder, titles = load_encoder(), real_titles(SAMPLE)
    # As ingestion does while it matches.
    gc.set_threshold(200_000, 20, 100)
    CACHE.mkdir(parents=True, exist_ok=True)
    costs: list[tuple[int, float]] = []
    for size in SIZES:
        catalogue = VariedCatalogue(CACHE / f"index-{size}", titles, encoder)
        catalogue.grow(size)
        reached = len(catalogue.index)
        cost, pushed = _alone(catalogue, encoder, titles, reached)
        costs.append((reached, statistics.median(each.processor_ms for each in pushed)))
        yield from _told(f"{reached:,} products", cost, pushed)
        yield _together(catalogue, encoder, titles, reached)
    CHART.write_text(cost_by_size(costs), "utf-8")
    for stored in STORED:
        yield from _with_database(encoder, titles, stored)


def _yardstick_ms() -> float:
    """40 to 45 ms on an idle machine: how much all processor times here are stretched."""
    began, total = time.process_time(), 0
    for number in range(1_000_000):
        total += number
    return (time.process_time() - began) * 1e3


def _told(where: str, cost: Cost, pushed: Sequence[Cost]) -> Iterator[Figure]:
    yield Figure(
        f"a new offer, {NEW:,} at a time, {where}",
        f"{cost.processor_ms:.2f} ms of processor time, {cost.clock_ms:.2f} ms",
        "9 ms",
    )
    yield _spent(f"a pushed offer, {where}", pushed)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    yield Figure(f"peak memory of the process, {where}", f"{peak_mb:.0f} MB", "4,096 MB")


def _spent(name: str, costs: Sequence[Cost]) -> Figure:
    return Figure(
        name,
        f"{statistics.median(each.processor_ms for each in costs):.1f} ms of processor time, "
        + percentiles([each.clock_ms / 1e3 for each in costs]),
        "p95 20 ms",
    )


def _alone(
    catalogue: VariedCatalogue, encoder: Encoder, titles: Sequence[str], size: int
) -> tuple[Cost, list[Cost]]:
    """A large batch, and one at a time: reading, candidates, evidence, decision."""
    offers = _newcomers(titles, size, 0, NEW + PUSHED)
    batch, pushed = offers[:NEW], offers[NEW:]
    match_newcomers(catalogue, pushed[:20], encoder.encode([each.title for each in pushed[:20]]))
    return _matched(catalogue, encoder, batch), [
        _matched(catalogue, encoder, [each]) for each in pushed
    ]


def _together(
    catalogue: VariedCatalogue, encoder: Encoder, titles: Sequence[str], size: int
) -> Figure:
    """A large feed by all processors."""
    offers = _newcomers(titles, size, NEW + PUSHED, TOGETHER)
    vectors = encoder.encode([each.title for each in offers])
    with Crew(usable()) as crew, _watched(crew) as used_mb:
        clock = time.perf_counter()
        match_newcomers(catalogue, offers, vectors, crew.begin)
        spent_ms = (time.perf_counter() - clock) / len(offers) * 1e3
    return Figure(
        f"a new offer, {TOGETHER:,} at a time by {usable()} processes, {size:,} products",
        f"{spent_ms:.2f} ms by the clock, {max(used_mb):,.0f} MB of all processes",
        "9 ms, 4,096 MB",
    )


@contextmanager
def _watched(crew: Crew) -> Iterator[list[float]]:
    """Memory of this process and the crew's, shared pages counted once; seldom, because counting
    takes time that is measured."""
    found, stopping = [0.0], threading.Event()

    def watch() -> None:
        while not stopping.wait(5.0):
            pids = [os.getpid(), *(each.process.pid for each in crew.hands if each.process.pid)]
            found.append(sum(map(_memory_mb, pids)))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield found
    finally:
        stopping.set()
        watcher.join()


def _memory_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))


def _newcomers(titles: Sequence[str], size: int, start: int, count: int) -> list[Newcomer]:
    return [
        Newcomer(offer.sku, f"new-shop-{place % NEW_MERCHANTS}", "new", offer.title, {})
        for place, offer in enumerate(newcomers(titles, size, start, count))
    ]


def _matched(catalogue: VariedCatalogue, encoder: Encoder, offers: Sequence[Newcomer]) -> Cost:
    processor, clock = time.process_time(), time.perf_counter()
    match_newcomers(catalogue, offers, encoder.encode([each.title for each in offers]))
    return _cost(processor, clock, len(offers))


def _with_database(encoder: Encoder, titles: Sequence[str], stored: int) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        database = Database(postgres.start(folder / "postgres"))
        try:
            database_schema.upgrade(database)
            _register(database)
            fill(database, titles, encoder, 0, stored)
            with database.engine.connect() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT")
                connection.exec_driver_sql("VACUUM ANALYZE")

            def land(offers: Sequence[RawOffer]) -> Cost:
                _land(database, offers)
                return _timed(len(offers), lambda: match_landed(database, encoder, folder=index))

            def push(offer: RawOffer) -> Cost:
                def work() -> None:
                    _push(database, offer)
                    match_landed(database, encoder, folder=index)

                return _timed(1, work)

            index = folder / "index"
            land(list(newcomers(titles, stored, 0, 20)))
            cost = land(list(newcomers(titles, stored, 1_000, NEW)))
            where = f"with intake and database, {stored:,} products"
            pushed = list(newcomers(titles, stored, 100_000, PUSHED))
            yield from _told(where, cost, [push(offer) for offer in pushed])
            other = [replace(each, title=another_offer(each.title, 7)) for each in pushed]
            changed = [push(offer) for offer in other]
            yield _spent(f"a pushed change of title, {where}", changed)
            prices = [push(replace(each, price="7.77")) for each in other]
            yield _spent(f"a pushed change of price, {where}", prices)
        finally:
            database.close()


def _land(database: Database, offers: Sequence[RawOffer]) -> None:
    """What a feed of each of some merchants leaves for the matcher."""
    for place in range(min(NEW_MERCHANTS, len(offers))):
        with database.platform() as tx:
            run = intake.open_run(tx, f"new-shop-{place:02d}", "push", complete=False)
            intake.submit(tx, run, offers[place::NEW_MERCHANTS])
            intake.close_run(tx, run)


def _push(database: Database, offer: RawOffer) -> None:
    """A call of the push API behind its door."""
    merchant = f"new-shop-{int(offer.sku.rpartition('-')[2]) % NEW_MERCHANTS:02d}"
    digest = request_digest("/v1/merchants/offers", offer.title.encode())
    with database.platform() as tx:

        def work() -> dict[str, Any]:
            return land_offers(tx, merchant, [offer], run=None, complete=False)

        once(tx, merchant, drawn_id("call"), digest, work)


def _timed(number: int, work: Callable[[], object]) -> Cost:
    processor, clock = time.process_time(), time.perf_counter()
    work()
    return _cost(processor, clock, number)


def _cost(processor: float, clock: float, number: int) -> Cost:
    return Cost(
        (time.process_time() - processor) / number * 1e3,
        (time.perf_counter() - clock) / number * 1e3,
    )


def _register(database: Database) -> None:
    with database.platform() as tx:
        for number in range(MERCHANTS):
            register_merchant(tx, Merchant(f"shop-{number:03d}", f"Shop {number}", "FR"))
        for number in range(NEW_MERCHANTS):
            name = f"new-shop-{number:02d}"
            register_merchant(tx, Merchant(name, f"New shop {number}", "FR"))
