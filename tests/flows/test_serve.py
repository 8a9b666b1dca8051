"""`comptoir serve` as an operator types it, with no setting of a demonstration."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from kernel.db import Database
from tenants.brand import read_brand_file
from tenants.registry import apply_brand
from tests.conftest import fresh_database
from tests.peers import free_port

BUNDLED = Path(__file__).resolve().parents[2] / "tenants" / "bundled"
COMMAND = (sys.executable, "-m", "comptoir.cli", "serve")


@pytest.fixture
def environment(postgres_url: str, tmp_path: Path) -> dict[str, str]:
    """An installation with one brand, and two ports."""
    url = fresh_database(postgres_url)
    database = Database(url)
    with database.platform() as tx:
        apply_brand(tx, *read_brand_file(BUNDLED / "mirabelle.toml"))
    database.close()
    own = {name: value for name, value in os.environ.items() if name != "BRAND_BY_QUERY"}
    return own | {
        "COMPTOIR_DATA": str(tmp_path / "data"),
        "DATABASE_URL": url,
        "SHOP_PORT": str(free_port()),
        "BACKOFFICE_PORT": str(free_port()),
    }


@contextmanager
def served(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        COMMAND, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def test_all_roles_come_up_and_end_as_asked(environment: dict[str, str]) -> None:
    with served(environment) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(3)]
        shop = f"http://127.0.0.1:{environment['SHOP_PORT']}"
        assert told[0].split() == ["shop", shop], told
        assert httpx2.get(f"{shop}/healthz").text == "ready\n"
        page = httpx2.get(f"{shop}/legal/notice", headers={"host": "mirabelle.localhost"})
        assert (page.status_code, "Mirabelle" in page.text) == (200, True)
        assert httpx2.get(f"{shop}/legal/notice").status_code == 404
        office = httpx2.get(f"http://127.0.0.1:{environment['BACKOFFICE_PORT']}/sign-in")
        assert office.status_code == 200

        # Somebody else who answers at our ports is never taken for us.
        second = subprocess.run(
            COMMAND, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert second.returncode == 2
        assert "Nobody can listen" in second.stderr
        assert "SHOP_PORT" in second.stderr
        assert "Traceback" not in second.stderr
    assert process.returncode == 0
