"""The shop as it is composed, on a real database and a real index of two brands, over a socket."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from fastapi import FastAPI

from comptoir.installation import Installation
from comptoir.shop import create_shop
from indexer.document import ProductDocument
from indexer.embed_text import embed_text
from indexer.engine import Upsert
from kernel.settings import Settings
from tenants.brand import read_brand_file
from tenants.registry import apply_brand
from tests.conftest import fresh_database
from tests.indexer.documents import document, offer
from tests.search_api.test_routes import products

BUNDLED = Path(__file__).resolve().parents[2] / "tenants" / "bundled"
FRENCH, GERMAN = "mirabelle.localhost", "taktwerk.localhost"
SECRET = "Geheimwort"
"""A word that only the German brand's products have."""
PARTNERS_SITE = "https://partner.example"


def german_products() -> list[ProductDocument]:
    """What the other brand shows: nothing of it may ever be seen at the first."""
    return [
        document(
            f"prd_de{n:02}", f"{SECRET} Waschmaschine {n}", language="de", category=2549,
            manufacturer=f"{SECRET}werk",
            offers=(offer("elektrohaus", 30_000 + n, offer_id=f"off_de{n}"),),
        )
        for n in range(12)
    ]  # fmt: skip


@dataclass
class RealShop:
    """A running shop: its address, its parts, and clients that speak to either brand."""

    installation: Installation
    app: FastAPI
    port: int

    @property
    def url(self) -> str:
        """Address by socket; the brand is chosen by the `Host` header."""
        return f"http://127.0.0.1:{self.port}"

    def client(self, host: str = FRENCH, **headers: str) -> httpx2.Client:
        """A client of one brand, over the socket."""
        return httpx2.Client(base_url=self.url, headers={"host": host, **headers}, timeout=30)


def fill(installation: Installation) -> None:
    """Both brands on record, each with its own products in its own index."""
    shelves = {"mirabelle": products(), "taktwerk": german_products()}
    for name, rows in shelves.items():
        brand_file, terms = read_brand_file(BUNDLED / f"{name}.toml")
        brand_file["api"] = {"origins": [PARTNERS_SITE]}
        brand_file["hosts"] = [*brand_file["hosts"], f"{name}.localhost"]
        with installation.database.platform() as tx:
            apply_brand(tx, brand_file, terms)
        encoder = installation.encoder
        index = installation.engine.create(
            name, model_id=encoder.model_id, dimensions=encoder.dimensions
        )
        vectors = encoder.encode([embed_text(row, "fr") for row in rows])
        installation.engine.write(
            index, [Upsert(row, vector, 1) for row, vector in zip(rows, vectors, strict=True)]
        )
        installation.engine.publish(name, index)


@contextmanager
def real_shop(postgres_url: str, folder: Path, **settings: Any) -> Iterator[RealShop]:
    """Start it on a free port; `settings` are those of the installation."""
    if "elasticsearch_url" in settings:
        settings["elasticsearch_prefix"] = f"test-{uuid.uuid4().hex[:8]}-"
    installation = Installation(
        Settings(comptoir_data=folder, database_url=fresh_database(postgres_url), **settings)
    )
    fill(installation)
    with running(installation) as shop:
        yield shop


@contextmanager
def running(installation: Installation) -> Iterator[RealShop]:
    """The application of an installation on a free port."""
    app = create_shop(installation)
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", proxy_headers=False)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 30
    while not server.started:
        if time.monotonic() > until:
            raise TimeoutError("the shop does not start")
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield RealShop(installation, app, port)
    finally:
        server.should_exit = True
        thread.join(timeout=10)
