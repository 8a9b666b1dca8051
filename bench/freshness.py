"""How soon a pushed price is found by a search, at 200 changes a second, on both engines.

Real processes: shop, back office and worker on a catalogue of 10,000 products. The load driver is
that of tests/load, so what is measured is also compared, offer by offer, when the load has ended.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.elasticsearch_at_hand import elasticsearch_at_hand
from bench.figures import Figure, percentiles
from bench.memory import resident_mb
from tests.load.freshness import Accepted, Probe, compare, push, settle
from tests.load.platform import Platform

PRODUCTS = int(os.environ.get("FRESHNESS_PRODUCTS", "10000"))
RATE = float(os.environ.get("FRESHNESS_RATE", "200"))
SECONDS = float(os.environ.get("FRESHNESS_SECONDS", "60"))
WARM_UP_S = float(os.environ.get("FRESHNESS_WARM_UP_S", "60"))
"""The load before anything is counted: a Java server compiles what it runs for about as long."""
GOAL = "p99 < 2 s"


def measure() -> Iterator[Figure]:
    """Both engines, one after the other."""
    modes = os.environ.get("FRESHNESS_MODES", "embedded,elasticsearch").split(",")
    if "embedded" in modes:
        yield from _measure("embedded", None)
    if "elasticsearch" in modes:
        yield from _on_elasticsearch()


def _on_elasticsearch() -> Iterator[Figure]:
    with elasticsearch_at_hand() as url:
        if url is None:
            yield Figure("freshness on Elasticsearch", "left out: ELASTICSEARCH_HOME is absent")
        else:
            yield from _measure("Elasticsearch", url)


def _measure(mode: str, elasticsearch_url: str | None) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as name:
        platform = Platform(Path(name), elasticsearch_url)
        try:
            begun = time.monotonic()
            platform.fill(PRODUCTS)
            print(f"filled in {time.monotonic() - begun:.0f} s", file=sys.stderr)
            platform.start("shop", "backoffice", "worker")
            time.sleep(5)
            yield from _load(mode, platform)
        finally:
            platform.stop()


def _load(mode: str, platform: Platform) -> Iterator[Figure]:
    accepted = Accepted()
    probes = [Probe(platform, accepted, seed) for seed in range(3)]
    whole = WARM_UP_S + SECONDS
    pushers = push(platform, accepted, products=PRODUCTS, rate=RATE, seconds=whole)
    time.sleep(WARM_UP_S)
    accepted.count_anew()
    for probe in probes:
        probe.count_anew()
    cpu_before = _cpu_s(platform)
    begun = time.monotonic()
    for thread in pushers:
        thread.join()
    took = time.monotonic() - begun
    for probe in probes:
        probe.stop()
    used = {role: after - cpu_before[role] for role, after in _cpu_s(platform).items()}
    settle(platform)
    found = compare(platform, accepted.prices)
    seen = [each for probe in probes for each in probe.seen_after_s]
    searches = [each for probe in probes for each in probe.search_s]
    name = f"{mode}, {PRODUCTS:,} products"
    yield Figure(f"accepted changes a second, {name}", f"{accepted.changes / took:.0f}")
    yield Figure(f"from accepted to found, {name} ({len(seen)} seen)", percentiles(seen), GOAL)
    yield Figure(f"answer of the push API, {name}", percentiles(accepted.answer_s))
    failed = sum(probe.failed for probe in probes)
    yield Figure(
        f"a search of the shop meanwhile, {name}", f"{percentiles(searches)}, {failed} failed"
    )
    yield Figure(
        f"offers with another price than accepted last, {name} ({found.offers} compared)",
        f"{len(found.wrong_in_index)} in the index, {len(found.wrong_in_database)} in PostgreSQL",
        "0",
    )
    yield Figure(
        f"processor time while it lasted ({took:.0f} s), {name}",
        ", ".join(f"{role} {seconds:.0f} s" for role, seconds in used.items()),
    )
    memory = (f"{role} {resident_mb(p.pid):.0f} MB" for role, p in platform.processes.items())
    yield Figure(f"memory, {name}", ", ".join(memory))


def _cpu_s(platform: Platform) -> dict[str, float]:
    ticks = os.sysconf("SC_CLK_TCK")
    found = {}
    for role, process in platform.processes.items():
        fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        found[role] = (int(fields[11]) + int(fields[12])) / ticks
    return found
