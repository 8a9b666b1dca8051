"""Fixtures for every test: one private PostgreSQL for the run, one migrated database a module."""

from __future__ import annotations

import os
import tracemalloc  # noqa: F401 - pytest imports it in threads, two of which fail over half of it
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from comptoir import database_schema
from comptoir.embedded import postgres
from kernel.db import Database
from tests.elasticsearch_server import elasticsearch_home as elasticsearch_home
from tests.elasticsearch_server import elasticsearch_url as elasticsearch_url
from tests.running_demo import demo as demo
from tests.scheduling import ByFile

SHARED = Path(
    os.environ.get("COMPTOIR_TEST_SHARED", Path(__file__).resolve().parents[2] / "shared")
)

TEMPLATE = f"comptoir_template_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """How a run in several processes hands out the tests."""
    return ByFile(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests have counted is said at the end of a run, in one process or in several."""
    for report in terminalreporter.stats.get("passed", []):
        for what, count in report.user_properties:
            terminalreporter.write_line(f"{report.nodeid}: {count} {what}")


def _with_database(url: str, name: str) -> str:
    """The same server, another database."""
    head, _, query = url.partition("?")
    return f"{head.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A server for this worker of the run, with a migrated template database."""
    given = os.environ.get("COMPTOIR_TEST_DATABASE_URL")
    url = given or postgres.start(tmp_path_factory.mktemp("server") / "postgres")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {TEMPLATE}")
    template = Database(_with_database(url, TEMPLATE))
    database_schema.upgrade(template)
    template.close()
    return url


def fresh_database(postgres_url: str) -> str:
    """Address of a new database with the schema of this release, a copy of the template."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    return _with_database(postgres_url, name)


def copied_database(url: str) -> str:
    """Address of a new database, a copy of that one, to which nobody may be connected."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(_with_database(url, "postgres"), autocommit=True) as connection:
        source = url.partition("?")[0].rpartition("/")[2]
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {source}")
    return _with_database(url, name)


@pytest.fixture(scope="module")
def database(postgres_url: str) -> Iterator[Database]:
    """An empty migrated database shared by the tests of one module."""
    opened = Database(fresh_database(postgres_url))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real sample files; skips loudly where it is absent."""
    if not SHARED.is_dir():
        if os.environ.get("COMPTOIR_TEST_REQUIRE_ALL"):
            pytest.fail(f"the sample files are required here and {SHARED} is absent")
        pytest.skip(f"LEFT OUT: real sample files, {SHARED} is absent")
    return SHARED
