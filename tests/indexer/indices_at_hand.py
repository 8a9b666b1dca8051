"""A small catalogue on a real database, an index of it on either engine, hands to disturb both."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

import tenants
from indexer.catch_up import IndexWork
from indexer.elasticsearch import ElasticsearchEngine
from indexer.embedded import EmbeddedEngine
from indexer.engine import Engine, SearchRequest
from indexer.refresh import refresh
from kernel.db import Database
from kernel.embedding.encoder import Encoder
from mdm.catalogue import log_changes
from mdm.intake import close_run, open_run, submit
from mdm.merchants import Merchant, register_merchant
from mdm.pipeline import match_landed
from mdm.raw_offer import RawDelivery, RawOffer
from tenants.brand import Brand, read_brand_file
from tenants.registry import apply_brand, load_brands

BUNDLED = Path(tenants.__file__).parent / "bundled"
BRAND = "mirabelle"
PRICES = tuple(f"{100 + place}.00" for place in range(12))
MERCHANT = "darti"
TOO_MUCH = 2**63 - 1
"""A price that fits into a row of the database and, with its delivery, into no index."""

ENGINES = ["embedded", pytest.param("elasticsearch", marks=pytest.mark.elasticsearch)]


def open_an_engine(request: pytest.FixtureRequest, kind: str, folder: Path) -> Engine:
    """The engine of that kind with nothing in it."""
    if kind == "embedded":
        return EmbeddedEngine(folder)
    url = request.getfixturevalue("elasticsearch_url")
    opened = ElasticsearchEngine(url, prefix=f"test-{uuid.uuid4().hex[:8]}-")
    request.addfinalizer(opened.close)
    return opened


@dataclass
class Catalogue:
    """Products of one merchant, its offers' prices, and the brand's index of them."""

    database: Database
    engine: Engine
    encoder: Encoder
    brand: Brand

    @property
    def work(self) -> IndexWork:
        return IndexWork(self.database, self.engine, self.encoder, self.brand)

    @property
    def index(self) -> str:
        """The live index."""
        stats = self.engine.stats(self.brand.id)
        assert stats is not None
        return stats.index

    def land(self, prices: Sequence[str]) -> None:
        """The merchant's whole feed: one product for each price, in the order of the prices."""
        offers = [
            RawOffer(
                sku=f"{place}",
                title=f"Nordlys Desk Lamp Model QX{place:04d}",
                mpn=f"QX{place:04d}",
                manufacturer="Nordlys",
                price=price,
                currency="EUR",
                availability="in stock",
                delivery=(RawDelivery(country="FR", price="5.00 EUR"),),
            )
            for place, price in enumerate(prices)
        ]
        with self.database.platform() as tx:
            run = open_run(tx, MERCHANT, "test", complete=True)
            submit(tx, run, offers)
            close_run(tx, run)
        match_landed(self.database, self.encoder)

    def refresh(self) -> None:
        refresh(self.database, self.engine, self.encoder, {self.brand.id: self.brand})

    def product_ids(self) -> list[str]:
        """Living products in the order of their articles."""
        statement = "SELECT product_id FROM mdm.offer WHERE live ORDER BY sku::integer"
        with self.database.platform() as tx:
            return list(tx.execute(sa.text(statement)).scalars())

    def reprice(self, product_id: str, minor: int, *, tell: bool = True) -> None:
        """Set a price as no feed could; `tell` writes it into the change log as well."""
        with self.database.engine.begin() as connection:
            connection.execute(
                sa.text("UPDATE mdm.offer SET price_minor = :minor WHERE product_id = :id"),
                {"minor": minor, "id": product_id},
            )
        if tell:
            with self.database.platform() as tx:
                log_changes(tx, [product_id])

    def totals(self) -> dict[str, int | None]:
        """What shoppers see of each product, in minor units with delivery."""
        hits = self.engine.search(self.brand.id, SearchRequest(limit=1_000)).hits
        documents = self.engine.read(self.brand.id, [hit.product_id for hit in hits])
        return {name: each.total_minor for name, each in documents.items()}


def make_catalogue(
    request: pytest.FixtureRequest, kind: str, database: Database, encoder: Encoder, folder: Path
) -> Catalogue:
    """An empty catalogue of the bundled brand."""
    table, terms = read_brand_file(BUNDLED / f"{BRAND}.toml")
    with database.platform() as tx:
        apply_brand(tx, table, terms)
        register_merchant(tx, Merchant(MERCHANT, "Darti", "FR"))
    with database.platform() as tx:
        brand = load_brands(tx)[BRAND]
    return Catalogue(database, open_an_engine(request, kind, folder), encoder, brand)


def as_installation(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Settings under which the command line finds this catalogue."""
    monkeypatch.setenv("COMPTOIR_DATA", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", catalogue.database.url)
    engine = catalogue.engine
    monkeypatch.delenv("ELASTICSEARCH_URL", raising=False)
    if isinstance(engine, ElasticsearchEngine):
        monkeypatch.setenv("ELASTICSEARCH_URL", engine.url)
        monkeypatch.setenv("ELASTICSEARCH_PREFIX", engine.prefix)
