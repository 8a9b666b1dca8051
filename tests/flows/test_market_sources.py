"""The demo merchants' own ways in, over HTTP: a packed feed, a mapped table, a crawled shop."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

import comptoir
from comptoir.demo_market import generate
from comptoir.merchant_sites.app import create_app
from crawlers.ingest import IngestReport, crawl_source, ingest_source
from crawlers.merchant_file import read_merchant_file
from kernel.db import Database

FOLDER = Path(comptoir.__file__).parent / "demo_market" / "merchants"
LOADERS = {
    "lumiporte": ingest_source,
    "werkkontor": ingest_source,
    "atelier-boreal": crawl_source,
}


@pytest.fixture(scope="module")
def sites() -> Iterator[str]:
    """`host:port` of the merchants' sites."""
    config = uvicorn.Config(create_app(generate()), port=0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.mark.parametrize("merchant_id", LOADERS)
def test_a_source_lands_once(
    database: Database, sites: str, tmp_path: Path, merchant_id: str
) -> None:
    merchant = read_merchant_file(FOLDER / f"{merchant_id}.toml")

    def load() -> IngestReport:
        return LOADERS[merchant_id](
            database,
            merchant,
            folder=tmp_path,
            base_url=f"http://{sites}",
            allow_hosts=frozenset({sites}),
        )

    first = load()
    assert first.landed > 100, first
    assert first.parked is None
    assert first.is_complete, first.reasons
    second = load()
    assert (second.landed, second.withdrawn) == (0, 0)
