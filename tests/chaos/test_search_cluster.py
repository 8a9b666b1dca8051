"""Three Elasticsearch nodes, one killed under load: shoppers notice nothing and nothing is lost.

Changes go the way of a merchant's push, searches that of a shop's page; afterwards PostgreSQL is
compared with the index by the operator's own command. Asked for are 200 changes and 50 searches a
second, and no more patience than a shop has. Three servers, a database, merchants and shoppers on
two processors that others use as well cannot always do that: what the machine holds with all nodes
up is seen first, and where it holds less, the rates are what it holds and only patience is longer.
"""

from __future__ import annotations

import json
import logging
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from comptoir.cli import cli
from comptoir.embedded import elasticsearch
from comptoir.embedded.elasticsearch import Cluster, Server
from indexer.elasticsearch import ElasticsearchEngine, IndexShape, connection
from indexer.refresh import refresh
from kernel.db import Database
from kernel.embedding.encoder import load_encoder
from kernel.errors import DomainError
from mdm.intake import close_run, open_run, submit
from mdm.raw_offer import RawDelivery, RawOffer
from search_api.overview import Overviews
from search_api.query import read_query
from search_api.search import Shop
from tests.conftest import fresh_database
from tests.elasticsearch_server import server_folder
from tests.indexer.indices_at_hand import MERCHANT, Catalogue, make_catalogue

PRODUCTS = 200
AT_ONCE = 20
WRITES_A_SECOND, SEARCHES_A_SECOND = 200, 50
TRIED_S, BEFORE_S, AFTER_S = 4.0, 3.0, 12.0
WARM_S = 0.2
PREFIX = "cluster-"

_LOG = logging.getLogger(__name__)

pytestmark = pytest.mark.elasticsearch


@pytest.fixture(scope="module")
def cluster(elasticsearch_home: Path) -> Iterator[Cluster]:
    with server_folder() as folder:
        started = elasticsearch.start_cluster(elasticsearch_home, folder, 3, heap_mb=320)
        try:
            started.wait(480)
            yield started
        finally:
            started.stop()


@pytest.fixture
def catalogue(
    request: pytest.FixtureRequest,
    cluster: Cluster,
    postgres_url: str,
    tmp_path: Path,
) -> Iterator[Catalogue]:
    database = Database(fresh_database(postgres_url), pool_size=12)
    made = make_catalogue(request, "embedded", database, load_encoder(), tmp_path / "unused")
    made.engine = open_cluster(cluster)
    made.land(["100.00"] * PRODUCTS)
    refresh_until_taken(made)
    yield made
    made.engine.close()
    database.close()


def open_cluster(cluster: Cluster) -> ElasticsearchEngine:
    return ElasticsearchEngine(cluster.url, prefix=PREFIX, shape=IndexShape(replicas=1))


def refresh_until_taken(catalogue: Catalogue) -> None:
    """As the worker does it: what the cluster cannot take now is done again."""
    for _ in range(10):
        try:
            return catalogue.refresh()
        except DomainError as error:
            if error.status != 503:
                raise
            time.sleep(2.0)
    return catalogue.refresh()


def ask(node: Server, path: str) -> Any:
    """A question to one node, as an operator asks it."""
    with urllib.request.urlopen(f"{node.url}/{path}", timeout=60) as answer:
        return json.load(answer)


def holder(cluster: Cluster, index: str) -> Server:
    """The node that has the primary shard."""
    ask(cluster.nodes[0], f"_cluster/health/{index}?wait_for_status=green&timeout=50s")
    shards = ask(cluster.nodes[0], f"_cat/shards/{index}?format=json&h=prirep,node,state")
    assert sorted(row["state"] for row in shards) == ["STARTED", "STARTED"]
    (name,) = (row["node"] for row in shards if row["prirep"] == "p")
    return cluster.nodes[int(name.rpartition("-")[2])]


@dataclass
class Load:
    """Merchants who change prices and shoppers who search, each at a steady rate."""

    catalogue: Catalogue
    prices: dict[str, int] = field(default_factory=dict)
    turn: int = 0
    searches: int = 0
    slowest_s: float = 0.0
    failures: list[BaseException] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    seconds: float = 0.0

    def __enter__(self) -> Load:
        engine, encoder = self.catalogue.engine, self.catalogue.encoder
        self._shop = Shop(engine, encoder, Overviews(engine))
        self._warm_up()
        shoppers = 2
        loops: list[tuple[Callable[[], None], float]] = [
            (self._change, AT_ONCE / WRITES_A_SECOND),
            (self._refresh, 0.25),
            *[(self._search, shoppers / SEARCHES_A_SECOND)] * shoppers,
        ]
        self._threads = [
            threading.Thread(target=self._steady, args=(loop, every_s)) for loop, every_s in loops
        ]
        self._begun = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def _warm_up(self) -> None:
        """A shop that has been serving for a while: servers fresh from their start are slow."""
        quick = 0
        for _ in range(400):
            started = time.monotonic()
            try:
                self._search()
            except DomainError:
                continue
            quick += time.monotonic() - started < WARM_S
            if quick > 60:
                break
        self.searches, self.slowest_s = 0, 0.0

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.seconds = time.monotonic() - self._begun
        for thread in self._threads:
            thread.join()
        _LOG.warning(
            "%.0f changes and %.0f searches a second, the slowest after %.2f s",
            self.turn * AT_ONCE / self.seconds,
            self.searches / self.seconds,
            self.slowest_s,
        )

    def _steady(self, work: Callable[[], None], every_s: float) -> None:
        due = time.monotonic()
        while not self.stop.is_set():
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - every failure is what this looks for
                self.failures.append(error)
            due = max(due + every_s, time.monotonic() - 1.0)
            self.stop.wait(max(0.0, due - time.monotonic()))

    def _change(self) -> None:
        """One push of a merchant; once its transaction is through it is acknowledged."""
        self.turn += 1
        chosen = [(self.turn * AT_ONCE + place) % PRODUCTS for place in range(AT_ONCE)]
        minor = 10_000 + self.turn
        offers = [_offer(place, minor) for place in chosen]
        with self.catalogue.database.platform() as tx:
            run = open_run(tx, MERCHANT, "push", complete=False)
            submit(tx, run, offers)
            close_run(tx, run)
        self.prices.update((offer.sku, minor) for offer in offers)

    def _refresh(self) -> None:
        """As the worker does it: what fails is done again."""
        brand = self.catalogue.brand
        try:
            refresh(
                self.catalogue.database,
                self.catalogue.engine,
                self.catalogue.encoder,
                {brand.id: brand},
            )
        except DomainError as error:
            if error.status != 503:
                raise

    def _search(self) -> None:
        brand = self.catalogue.brand
        started = time.monotonic()
        answer = self._shop.search(
            read_query([("q", "nordlys lamp")], brand.currency), brand, brand.languages[0]
        )
        assert answer.total == PRODUCTS
        assert len(answer.products) > 0
        self.searches += 1
        self.slowest_s = max(self.slowest_s, time.monotonic() - started)


def _offer(place: int, minor: int) -> RawOffer:
    return RawOffer(
        sku=f"{place}",
        title=f"Nordlys Desk Lamp Model QX{place:04d}",
        mpn=f"QX{place:04d}",
        manufacturer="Nordlys",
        price=f"{minor // 100}.{minor % 100:02d}",
        currency="EUR",
        availability="in stock",
        delivery=(RawDelivery(country="FR", price="5.00 EUR"),),
    )


def tried_out(cluster: Cluster, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    """Load with all nodes up: patience stays a shop's own where this machine needs no more."""
    with monkeypatch.context() as patient:
        patient.setattr(connection, "FIRST_READ_S", 5.0)
        patient.setattr(connection, "READ_WITHIN_S", 15.0)
        catalogue.engine = open_cluster(cluster)
        with Load(catalogue) as load:
            load.stop.wait(TRIED_S)
        assert load.failures == []
        catalogue.engine.close()
    if load.slowest_s > connection.FIRST_READ_S / 2:
        _LOG.warning("this machine is too slow for a shop's patience: it is longer here")
        monkeypatch.setattr(connection, "FIRST_READ_S", 5.0)
        monkeypatch.setattr(connection, "READ_WITHIN_S", 15.0)
    catalogue.engine = open_cluster(cluster)


def test_a_node_killed_under_load_is_noticed_by_nobody(
    cluster: Cluster, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The node with the primary shard goes without a word: no failed search, no lost change."""
    doomed = holder(cluster, catalogue.index)
    tried_out(cluster, catalogue, monkeypatch)
    with Load(catalogue) as load:
        load.stop.wait(BEFORE_S)
        doomed.kill()
        load.stop.wait(AFTER_S)
    assert load.failures == []
    assert load.searches > 20
    assert len(load.prices) == PRODUCTS

    refresh_until_taken(catalogue)
    monkeypatch.setenv("COMPTOIR_DATA", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", catalogue.database.url)
    monkeypatch.setenv("ELASTICSEARCH_URL", cluster.url)
    monkeypatch.setenv("ELASTICSEARCH_PREFIX", PREFIX)
    compared = CliRunner().invoke(cli, ["index", "verify", "--json"])
    assert compared.exit_code == 0, compared.output
    (report,) = json.loads(compared.stdout)
    assert (report["compared"], report["differences"], report["pending"]) == (PRODUCTS, {}, 0)
    ids = catalogue.product_ids()
    shown = catalogue.engine.read(catalogue.brand.id, ids)
    assert {place: shown[ids[int(place)]].total_minor for place in load.prices} == {
        place: minor + 500 for place, minor in load.prices.items()
    }
