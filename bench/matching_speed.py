"""What it costs to match an offer, by the size of the catalogue, and a pushed one at a time.

    BENCH_MATCHING_SIZES=10000,100000,1000000 python -m bench matching_speed

Through intake and the matcher's job as in operation, on PostgreSQL. The catalogue is kept in
BENCH_CACHE and grows from size to size; what costs processor time is told as processor time.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from bench.catalogue import ROOT, SAMPLE
from bench.figures import Figure, percentiles
from bench.varied_offers import MERCHANTS, fill, newcomers, real_titles
from comptoir import database_schema
from comptoir.embedded import postgres
from kernel.db import Database
from kernel.embedding.encoder import Encoder, load_encoder
from mdm import intake
from mdm.merchants import Merchant, register_merchant
from mdm.pipeline import match_landed

SIZES = tuple(
    int(size) for size in os.environ.get("BENCH_MATCHING_SIZES", "10000,100000").split(",")
)
NEW = int(os.environ.get("BENCH_MATCHING_NEW", "4000"))
PUSHED = 200
CACHE = Path(os.environ.get("BENCH_CACHE", ROOT / ".comptoir" / "bench")) / "matching"
NEW_MERCHANTS = 20


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one newcomer in a large batch: processor time and time by the clock, in milliseconds."""

    processor_ms: float
    clock_ms: float


def measure() -> Iterator[Figure]:
    """Each size in turn."""
    if not SAMPLE.exists():
        yield Figure("cost of matching an offer", f"left out: {SAMPLE.name} is absent")
        return
    encoder = load_encoder()
    CACHE.mkdir(parents=True, exist_ok=True)
    CACHE.chmod(0o755)
    database = Database(postgres.start(CACHE / "postgres"))
    try:
        database_schema.upgrade(database)
        _register(database)
        for size in SIZES:
            yield from _at(database, encoder, size)
    finally:
        database.close()


def _at(database: Database, encoder: Encoder, size: int) -> Iterator[Figure]:
    titles = real_titles(SAMPLE)
    there, landed = _there(database)
    began = time.perf_counter()
    fill(database, titles, encoder, there, size)
    _land_and_match(database, encoder, titles, size, landed, 1)
    what = f"{max(size, there):,} products"
    yield Figure(
        f"catalogue and index of {what} made ready", f"{time.perf_counter() - began:.0f} s"
    )
    cost = _land_and_match(database, encoder, titles, size, landed + 1, NEW)
    yield Figure(
        f"a new offer, {NEW:,} at a time, {what}",
        f"{cost.processor_ms:.2f} ms of processor time, {cost.clock_ms:.2f} ms",
        "9 ms",
    )
    pushed = [
        _land_and_match(database, encoder, titles, size, landed + 1 + NEW + number, 1).clock_ms
        for number in range(PUSHED)
    ]
    yield Figure(
        f"a pushed offer, {what}", percentiles([each / 1e3 for each in pushed]), "p95 20 ms"
    )
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    yield Figure(f"peak memory of the process, {what}", f"{peak_mb:.0f} MB", "4,096 MB")


def _land_and_match(
    database: Database,
    encoder: Encoder,
    titles: tuple[str, ...],
    products: int,
    start: int,
    number: int,
) -> Cost:
    """Land so many newcomers; the cost of matching alone."""
    offers = list(newcomers(titles, products, start, number))
    for place in range(min(NEW_MERCHANTS, number)):
        with database.platform() as tx:
            merchant = f"new-shop-{(start + place) % NEW_MERCHANTS:02d}"
            run = intake.open_run(tx, merchant, "push", complete=False)
            intake.submit(tx, run, offers[place::NEW_MERCHANTS])
            intake.close_run(tx, run)
    processor, clock = time.process_time(), time.perf_counter()
    match_landed(database, encoder, folder=CACHE / "index")
    return Cost(
        (time.process_time() - processor) / number * 1e3,
        (time.perf_counter() - clock) / number * 1e3,
    )


def _there(database: Database) -> tuple[int, int]:
    """How many products were filled in, and how many newcomers have landed since."""
    with database.platform() as tx:
        row = tx.execute(
            sa.text(
                "SELECT count(*) FILTER (WHERE source_id LIKE 'shop-%') AS filled, "
                "count(*) FILTER (WHERE source_id LIKE 'new-%') AS landed FROM mdm.offer"
            )
        ).one()
    return row.filled, row.landed


def _register(database: Database) -> None:
    with database.platform() as tx:
        for number in range(MERCHANTS):
            register_merchant(tx, Merchant(f"shop-{number:03d}", f"Shop {number}", "FR"))
        for number in range(NEW_MERCHANTS):
            name = f"new-shop-{number:02d}"
            register_merchant(tx, Merchant(name, f"New shop {number}", "FR"))
