"""One real Elasticsearch for the whole test run, from an unpacked home; absent: skipped, loudly."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from comptoir.embedded import elasticsearch

HOME = Path(
    os.environ.get(
        "COMPTOIR_TEST_ELASTICSEARCH_HOME",
        Path(__file__).resolve().parents[2] / "shared" / "elasticsearch",
    )
)


@pytest.fixture(scope="session")
def elasticsearch_url() -> Iterator[str]:
    """Address of the server; COMPTOIR_TEST_REQUIRE_ALL makes its absence a failure."""
    given = os.environ.get("COMPTOIR_TEST_ELASTICSEARCH_URL")
    if given:
        yield given
        return
    if not (HOME / "bin" / "elasticsearch").exists():
        if os.environ.get("COMPTOIR_TEST_REQUIRE_ALL"):
            pytest.fail(f"Elasticsearch is required here and {HOME} is no unpacked home of it")
        pytest.skip(f"LEFT OUT: Elasticsearch, {HOME} is no unpacked home of it")
    # Not pytest's own folder: the server runs as another user, who may not enter it.
    folder = Path(tempfile.mkdtemp(prefix="comptoir-elasticsearch-"))
    server = elasticsearch.start(HOME, folder, elasticsearch.free_port())
    try:
        server.wait()
        yield server.url
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
