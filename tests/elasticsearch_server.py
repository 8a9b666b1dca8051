"""One real Elasticsearch for the whole test run, from an unpacked home; absent: skipped, loudly."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
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
def elasticsearch_home() -> Path:
    """The unpacked server; COMPTOIR_TEST_REQUIRE_ALL makes its absence a failure."""
    if not (HOME / "bin" / "elasticsearch").exists():
        if os.environ.get("COMPTOIR_TEST_REQUIRE_ALL"):
            pytest.fail(f"Elasticsearch is required here and {HOME} is no unpacked home of it")
        pytest.skip(f"LEFT OUT: Elasticsearch, {HOME} is no unpacked home of it")
    return HOME


@contextmanager
def server_folder() -> Iterator[Path]:
    """Not pytest's own folder: the server runs as another user, who may not enter it."""
    folder = Path(tempfile.mkdtemp(prefix="comptoir-elasticsearch-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def elasticsearch_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Address of one server for the whole run."""
    given = os.environ.get("COMPTOIR_TEST_ELASTICSEARCH_URL")
    if given:
        yield given
        return
    home = request.getfixturevalue("elasticsearch_home")
    with server_folder() as folder:
        server = elasticsearch.start(home, folder, elasticsearch.free_port())
        try:
            server.wait()
            yield server.url
        finally:
            server.stop()
