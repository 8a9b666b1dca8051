"""A whole installation as real processes on free ports, with a catalogue made for load tests.

Merchants offer numbered products; prices are set by the tests alone, so what the shop must show is
known. Everything lies in one folder; nothing outlives `stop`.
"""

from __future__ import annotations

import os
import random
import secrets
import subprocess
import sys
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx2
import sqlalchemy as sa

import tenants
from comptoir import database_schema
from comptoir.embedded import postgres
from indexer import open_engine
from indexer.engine import Engine
from indexer.rebuild import rebuild
from kernel.db import Database
from kernel.embedding.encoder import load_encoder
from kernel.settings import Settings
from mdm.intake import close_run, open_run, submit
from mdm.merchants import Merchant, register_merchant
from mdm.pipeline import match_landed
from mdm.raw_offer import RawDelivery, RawOffer
from tenants.brand import Brand, read_brand_file
from tenants.merchant_keys import create_key
from tenants.registry import apply_brand, load_brands
from tests.peers import REPOSITORY, end, free_port

READY_WITHIN_S = 300
MERCHANTS = ("alderon", "brevik", "castagne", "dorfladen")
_KINDS = ("Laptop", "Kettle", "Desk Lamp", "Cordless Drill", "Smartphone", "Coffee Machine")
_MAKERS = ("Nordlys", "Ampère", "Boreal", "Voltina", "Sonderik", "Visorel", "Brulange", "Norvalis")
_WORDS = (
    "quiet", "durable", "steel", "compact", "energy", "saving", "display", "battery", "filter",
    "warranty", "brushed", "matt", "white", "family", "kitchen", "workshop", "travel",
    "adjustable", "silent", "removable", "washable", "digital", "thermostat", "cable",
)  # fmt: skip


def price_of(minor: int) -> str:
    """An amount as the push API takes it."""
    return f"{minor // 100}.{minor % 100:02d}"


def minor_of(offer: RawOffer) -> int:
    """The price of an offer of ours in minor units."""
    return int(str(offer.price).replace(".", ""))


def offers_of(merchant: str, products: int, first: int = 0) -> list[RawOffer]:
    """A merchant's whole catalogue: every product is sold by one or two of the merchants."""
    place = MERCHANTS.index(merchant)
    numbers = (
        number
        for number in range(first, first + products)
        if number % 4 == place or (number % 2 and (number + 1) % 4 == place)
    )
    return [_offer(merchant, number) for number in numbers]


def _offer(merchant: str, number: int) -> RawOffer:
    chance = random.Random(number)
    maker, kind = chance.choice(_MAKERS), chance.choice(_KINDS)
    words = " ".join(chance.choices(_WORDS, k=60))
    return RawOffer(
        sku=sku_of(number),
        title=f"{maker} {kind} {model_of(number)} {' '.join(chance.sample(_WORDS, 3))}",
        price=price_of(10_000 + number),
        currency="EUR",
        decimal=".",
        description=f"{maker} {kind}. {words}.",
        language="en",
        url=f"https://{merchant}.example/{number}",
        mpn=model_of(number),
        manufacturer=maker,
        availability="in stock",
        quantity=5,
        delivery=(RawDelivery(country="FR", price="0.00 EUR", days_min=1, days_max=3),),
        attributes=(("colour", chance.choice(("black", "white", "red"))),),
    )


def sku_of(number: int) -> str:
    """The merchants' key of a product."""
    return f"S{number:07d}"


def model_of(number: int) -> str:
    """A part number that finds this product alone."""
    return f"KX{number:07d}"


@dataclass
class Platform:
    """One installation below `folder`; `elasticsearch_url` None means the embedded engine."""

    folder: Path
    elasticsearch_url: str | None = None
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # A cluster may be shared: the brand's name keeps its index apart.
        self.brand_id = f"load-{secrets.token_hex(4)}"
        self.shop_port, self.backoffice_port = free_port(), free_port()
        self.settings = replace_settings(self)

    @cached_property
    def database(self) -> Database:
        """The truth, at the schema of this release."""
        opened = Database(postgres.start(self.folder / "postgres"))
        database_schema.upgrade(opened)
        return opened

    @cached_property
    def engine(self) -> Engine:
        """The index, read by this process too."""
        return open_engine(self.settings)

    @cached_property
    def brand(self) -> Brand:
        """The one brand."""
        with self.database.platform() as tx:
            return load_brands(tx)[self.brand_id]

    def fill(self, products: int) -> None:
        """Merchants, keys, the brand, the catalogue and its index."""
        document, terms = read_brand_file(Path(tenants.__file__).parent / "bundled/mirabelle.toml")
        document = {**document, "id": self.brand_id, "hosts": ["127.0.0.1"]}
        with self.database.platform() as tx:
            apply_brand(tx, document, terms)
            for name in MERCHANTS:
                register_merchant(tx, Merchant(name, name.title(), "FR"))
                self.keys[name] = create_key(tx, name)
        for name in MERCHANTS:
            with self.database.platform() as tx:
                run = open_run(tx, name, "load", complete=True)
                submit(tx, run, offers_of(name, products))
                close_run(tx, run)
        match_landed(self.database, load_encoder())
        with self.database.platform() as tx:
            tx.execute(sa.text("DELETE FROM procrastinate_jobs"))
        rebuild(self.database, self.engine, load_encoder(), self.brand)
        with self.database.engine.connect().execution_options(
            isolation_level="AUTOCOMMIT"
        ) as connection:
            connection.execute(sa.text("ANALYZE"))

    def start(self, *roles: str) -> None:
        """Start roles and wait until those with a port answer."""
        for role in roles:
            with (self.folder / f"{role}.log").open("ab") as log:
                self.processes[role] = subprocess.Popen(
                    [sys.executable, "-m", "comptoir.cli", "serve", "--role", role],
                    env={**os.environ, **self.environment()},
                    cwd=REPOSITORY,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
        ports = {"shop": self.shop_port, "backoffice": self.backoffice_port}
        for role in roles:
            if role in ports:
                self._wait_ready(role, ports[role])

    def kill(self, role: str) -> None:
        """End a role with SIGKILL: it can tidy nothing up."""
        process = self.processes.pop(role)
        process.kill()
        process.wait()

    def stop(self) -> None:
        """End every process and let go of the database and the index."""
        for process in self.processes.values():
            end(process)
        self.processes.clear()
        if self.elasticsearch_url is not None:
            _remove_indices(self.elasticsearch_url, f"comptoir-{self.brand_id}.*")
        self.database.close()

    def environment(self) -> dict[str, str]:
        """What its processes are told."""
        return {
            "COMPTOIR_DATA": str(self.folder),
            "DATABASE_URL": self.database.url,
            "ELASTICSEARCH_URL": self.elasticsearch_url or "",
            "SHOP_PORT": str(self.shop_port),
            "BACKOFFICE_PORT": str(self.backoffice_port),
            "PAYMENT_API_KEY": "none",
            "PAYMENT_WEBHOOK_SECRET": "none",
            "HF_HUB_OFFLINE": "1",
            "REDIS_URL": "",
        }

    def _wait_ready(self, role: str, port: int) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline and self.processes[role].poll() is None:
            try:
                if httpx2.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).is_success:
                    return
            except httpx2.TransportError:
                time.sleep(0.1)
        told = (self.folder / f"{role}.log").read_text("utf-8", "replace")[-2000:]
        raise AssertionError(f"{role} did not start: {told}")

    def rows(self, statement: str, **values: object) -> list[Any]:
        """Ask the database."""
        with self.database.platform() as tx:
            return list(tx.execute(sa.text(statement), values))


def replace_settings(platform: Platform) -> Settings:
    """Settings for this process: the same folder and engine."""
    return Settings(comptoir_data=platform.folder, elasticsearch_url=platform.elasticsearch_url)


def _remove_indices(url: str, pattern: str) -> None:
    """By their names: a cluster need not take a pattern for that."""
    with httpx2.Client(base_url=url, timeout=60, trust_env=False) as client:
        for name in client.get(f"/_cat/indices/{pattern}?h=index").text.split():
            client.delete(f"/{name}")
