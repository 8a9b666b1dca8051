"""A real catalogue of 18,515 offers: from file to searchable, then searched over HTTP.

Both engines, and beside them the raw Elasticsearch call of the same query in the same run. The
sample states no prices, so seeded ones are added: a price facet without prices measures nothing.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import httpx2

from bench.figures import Figure, percentiles
from bench.memory import of_tree, resident_mb

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("COMPTOIR_TEST_SHARED", ROOT.parent / "shared"))
SAMPLE = SHARED / "matching" / "pricerunner_dev.csv.gz"
SAMPLE = SAMPLE if SAMPLE.exists() else SHARED / "data" / "matching" / "pricerunner_dev.csv.gz"
QUERIES, WARM_UP = 300, 40
_TURNS = 3

MAPPING = """
format = "csv"
delimiter = ","
language = "en"
currency = "EUR"
decimal = "."

[mapping]
sku = "product_id"
title = "product_title"
seller = "vendor_id"
category = "category_label"
price = "price"

[mapping.delivery]
FR = "delivery"
"""


def measure() -> Iterator[Figure]:
    """Ingest, then search on the embedded engine and on Elasticsearch."""
    if not SAMPLE.exists():
        yield Figure("ingest and search of 18,515 offers", f"left out: {SAMPLE.name} is absent")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        titles = _priced_copy(folder / "offers.csv")
        (folder / "mapping.toml").write_text(MAPPING, "utf-8")
        queries = _queries(titles)
        environment = {
            **os.environ,
            "COMPTOIR_DATA": str(folder / "data"),
            "SHOP_PORT": "8390",
            "BRAND_BY_QUERY": "true",
            "PAYMENT_API_KEY": "none",
            "PAYMENT_WEBHOOK_SECRET": "none",
        }
        environment.pop("ELASTICSEARCH_URL", None)
        _comptoir(environment, "brand", "apply", str(ROOT / "tenants/bundled/mirabelle.toml"))
        yield from _ingest(environment, folder)
        yield from _embedded(environment, queries)
        yield from _elasticsearch(environment, queries, folder)


def _priced_copy(target: Path) -> list[str]:
    chance, titles = random.Random(7), []
    with gzip.open(SAMPLE, "rt", encoding="utf-8") as source, target.open("w", newline="") as out:
        writer = csv.writer(out)
        for place, row in enumerate(csv.reader(source)):
            if place:
                titles.append(row[1])
            price = f"{chance.randint(1500, 150000) / 100:.2f}" if place else "price"
            writer.writerow([*row, price, "4.90" if place else "delivery"])
    return titles


def _queries(titles: Sequence[str]) -> list[str]:
    chance = random.Random(11)
    queries = []
    for _ in range(QUERIES):
        words = chance.choice(titles).split()
        start = chance.randrange(max(1, len(words) - 2))
        queries.append(" ".join(words[start : start + chance.randint(1, 4)]))
    return queries


def _ingest(environment: Mapping[str, str], folder: Path) -> Iterator[Figure]:
    arguments = ("ingest", str(folder / "offers.csv"), "--merchant", "pricerunner")
    mapping = ("--mapping", str(folder / "mapping.toml"))
    start = time.perf_counter()
    counts = _comptoir(environment, *arguments, *mapping).strip().splitlines()[-1]
    took = time.perf_counter() - start
    yield Figure("18,515 offers from file to searchable", f"{took:.0f} s ({counts})", "60 s")
    start = time.perf_counter()
    counts = _comptoir(environment, *arguments, *mapping).strip().splitlines()[-1]
    yield Figure("the same file again", f"{time.perf_counter() - start:.0f} s ({counts})")


def _embedded(environment: Mapping[str, str], queries: Sequence[str]) -> Iterator[Figure]:
    with _shop(environment) as pid:
        yield Figure("search over HTTP, 5 facets, embedded", percentiles(_over_http(queries)))
        yield Figure("memory of the shop process, embedded", f"{resident_mb(pid):.0f} MB")


def _elasticsearch(
    environment: Mapping[str, str], queries: Sequence[str], folder: Path
) -> Iterator[Figure]:
    from comptoir.embedded import elasticsearch

    home = Path(os.environ.get("ELASTICSEARCH_HOME", SHARED / "elasticsearch"))
    if not home.is_dir():
        yield Figure("search on Elasticsearch", "left out: ELASTICSEARCH_HOME is absent")
        return
    server = elasticsearch.start(home, folder / "elasticsearch", elasticsearch.free_port())
    try:
        server.wait()
        there = {**environment, "ELASTICSEARCH_URL": server.url}
        _comptoir(there, "index", "rebuild", "--brand", "mirabelle")
        with _shop(there) as pid:
            ours: list[float] = []
            raw: list[float] = []
            for turn in range(_TURNS):
                # In turn, without the first turn: a server just started is slow to whoever asks.
                took = _over_http(queries), _raw(server.url, queries)
                if turn:
                    ours, raw = ours + took[0], raw + took[1]
            yield Figure("search over HTTP, 5 facets, Elasticsearch", percentiles(ours))
            yield Figure("the same queries as raw Elasticsearch calls", percentiles(raw))
            yield Figure("memory of the shop process, Elasticsearch", f"{resident_mb(pid):.0f} MB")
            yield Figure("memory of Elasticsearch", f"{of_tree(server.process.pid):.0f} MB")
    finally:
        server.stop()


def _over_http(queries: Sequence[str]) -> list[float]:
    took = []
    with httpx2.Client(base_url="http://127.0.0.1:8390", trust_env=False) as client:
        for place, query in enumerate([*queries[:WARM_UP], *queries]):
            address = "/v1/search?" + urlencode({"q": query, "lang": "en"})
            start = time.perf_counter()
            client.get(address).raise_for_status()
            if place >= WARM_UP:
                took.append(time.perf_counter() - start)
    return took


def _raw(url: str, queries: Sequence[str]) -> list[float]:
    from indexer.elasticsearch.querying import search_body
    from indexer.engine import FacetField, SearchRequest, Words

    took = []
    with httpx2.Client(base_url=url, trust_env=False) as client:
        for place, query in enumerate([*queries[:WARM_UP], *queries]):
            request = SearchRequest(Words(query, "en"), facets=tuple(FacetField))
            body = json.dumps(search_body(request)).encode()
            start = time.perf_counter()
            answer = client.post(
                "/comptoir-mirabelle/_search",
                content=body,
                headers={"content-type": "application/json"},
            )
            answer.raise_for_status()
            answer.json()
            if place >= WARM_UP:
                took.append(time.perf_counter() - start)
    return took


@contextmanager
def _shop(environment: Mapping[str, str]) -> Iterator[int]:
    arguments = [sys.executable, "-m", "comptoir.cli", "serve", "--role", "shop"]
    process = subprocess.Popen(arguments, env=dict(environment))
    try:
        for _ in range(300):
            try:
                if httpx2.get("http://127.0.0.1:8390/healthz", trust_env=False).is_success:
                    break
            except httpx2.TransportError:
                time.sleep(0.1)
        yield process.pid
    finally:
        process.terminate()
        process.wait(20)


def _comptoir(environment: Mapping[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "comptoir.cli", *arguments],
        env=dict(environment),
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout
