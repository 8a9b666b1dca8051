"""A release goes on with a schema that a later one has only added to, and with no other."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from pydantic import SecretStr
from starlette.testclient import TestClient

from comptoir import database_schema
from comptoir.cli import cli
from comptoir.installation import Installation
from comptoir.shop import create_shop
from kernel.db import Database
from kernel.errors import DomainError
from kernel.settings import Settings
from tenants.brand import read_brand_file
from tenants.registry import apply_brand
from tests.comptoir.newer_release import NewerRelease
from tests.conftest import fresh_database

BUNDLED = Path(__file__).resolve().parents[2] / "tenants" / "bundled"
ADDS = "ALTER TABLE checkout.basket ADD COLUMN more text"
HEAD = database_schema.head()


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    opened = Database(fresh_database(postgres_url))
    yield opened
    opened.close()


@pytest.fixture
def newer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NewerRelease:
    return NewerRelease(tmp_path, monkeypatch)


def opened(database: Database, folder: Path) -> Installation:
    return Installation(
        Settings(comptoir_data=folder / "data", database_url=SecretStr(database.url))
    )


def test_a_schema_serves_its_own_release_and_says_so(database: Database) -> None:
    assert database_schema.serves_from(database) == HEAD


def test_a_shop_goes_on_and_starts_again_on_a_schema_that_was_added_to(
    database: Database, newer: NewerRelease, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.platform() as tx:
        apply_brand(tx, *read_brand_file(BUNDLED / "mirabelle.toml"))
    running = TestClient(
        create_shop(opened(database, tmp_path)), base_url="http://mirabelle.localhost"
    )
    now = newer.step(ADDS, serves_from=HEAD)
    assert newer.upgrade(database) == (HEAD, now)
    assert database_schema.serves_from(database) == HEAD
    started_again = TestClient(
        create_shop(opened(database, tmp_path)), base_url="http://mirabelle.localhost"
    )
    for shop in (running, started_again):
        assert shop.get("/legal/notice").status_code == 200
    monkeypatch.setenv("DATABASE_URL", database.url)
    monkeypatch.setenv("COMPTOIR_DATA", str(tmp_path / "data"))
    assert f"serves releases from {HEAD} on" in CliRunner().invoke(cli, ["db", "status"]).output
    assert f"ahead of this release ({HEAD})" in CliRunner().invoke(cli, ["doctor"]).output
    # Steps are the later release's to make and to take back.
    with pytest.raises(DomainError, match="later release"):
        database_schema.upgrade(database)


@pytest.mark.parametrize("serves_from", [None, "9999"])
def test_a_schema_that_does_not_serve_this_release_is_refused(
    database: Database, newer: NewerRelease, tmp_path: Path, serves_from: str | None
) -> None:
    newer.step(ADDS, serves_from)
    newer.upgrade(database)
    with pytest.raises(DomainError) as refused:
        _ = opened(database, tmp_path).database
    assert refused.value.code == "database_newer"


def test_the_strictest_word_of_all_steps_stands(
    database: Database, newer: NewerRelease, tmp_path: Path
) -> None:
    newer.step("DROP TABLE checkout.refund CASCADE")
    changed = newer.upgrade(database)[1]
    newer.step(ADDS, serves_from=HEAD)
    newer.upgrade(database)
    assert database_schema.serves_from(database) == changed
    with pytest.raises(DomainError, match="later release"):
        _ = opened(database, tmp_path).database


def test_while_a_step_is_missing_nobody_older_is_let_in(
    database: Database, newer: NewerRelease, tmp_path: Path
) -> None:
    added = newer.step(ADDS, serves_from=HEAD)
    newer.step("SELECT 1 / (SELECT count(*) FROM checkout.basket)", serves_from=HEAD)
    with pytest.raises(sa.exc.DataError):
        newer.upgrade(database)
    assert database_schema.current(database) == added
    assert database_schema.serves_from(database) is None
    with pytest.raises(DomainError, match="later release"):
        _ = opened(database, tmp_path).database
    with database.platform() as tx:
        apply_brand(tx, *read_brand_file(BUNDLED / "mirabelle.toml"))
    with database.engine.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO checkout.basket (basket_id, brand_id, created_at, updated_at) "
                "VALUES ('bas_x', 'mirabelle', now(), now())"
            )
        )
    newer.upgrade(database)
    assert database_schema.serves_from(database) == HEAD


def test_a_database_that_says_nothing_serves_nobody_older(
    database: Database, newer: NewerRelease, tmp_path: Path
) -> None:
    """Or says it of another revision: a word that is not of this schema is none."""
    with database.engine.begin() as connection:
        connection.execute(sa.text("UPDATE public.alembic_version SET version_num = '9998'"))
    assert database_schema.serves_from(database) is None
    with pytest.raises(DomainError, match="later release"):
        _ = opened(database, tmp_path).database


def test_an_empty_database_says_whom_it_serves(postgres_url: str, newer: NewerRelease) -> None:
    name = f"empty_{uuid.uuid4().hex[:10]}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    empty = Database(postgres_url.replace("/postgres?", f"/{name}?"))
    newer.step(ADDS, serves_from=HEAD)
    newer.upgrade(empty)
    assert database_schema.serves_from(empty) == HEAD
    empty.close()
