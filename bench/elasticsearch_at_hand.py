"""The Elasticsearch that is measured: the one named in the environment, else one of our own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.catalogue import SHARED
from bench.judged_index import CACHE


@contextmanager
def elasticsearch_at_hand() -> Iterator[str | None]:
    """Its address, with 512 MB of heap where it is ours; None where there is none to start."""
    from comptoir.embedded import elasticsearch

    given = os.environ.get("COMPTOIR_TEST_ELASTICSEARCH_URL")
    home = Path(os.environ.get("ELASTICSEARCH_HOME", SHARED / "elasticsearch"))
    if given or not home.is_dir():
        yield given
        return
    folder = CACHE / "elasticsearch"
    folder.mkdir(parents=True, exist_ok=True)
    server = elasticsearch.start(home, folder, elasticsearch.free_port())
    try:
        server.wait()
        yield server.url
    finally:
        server.stop()
