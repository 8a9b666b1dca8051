"""The schema goes up, down and up again, and says where it stands."""

from __future__ import annotations

import uuid
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from comptoir import database_schema
from comptoir.cli import cli
from kernel.db import Database
from kernel.errors import DomainError

OURS = ("tenants", "mdm", "crawlers", "indexer", "checkout", "public")


@pytest.fixture
def empty(postgres_url: str) -> Database:
    name = f"empty_{uuid.uuid4().hex[:10]}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return Database(postgres_url.replace("/postgres?", f"/{name}?"))


def _tables(database: Database) -> set[str]:
    statement = sa.text(
        "SELECT table_schema || '.' || table_name FROM information_schema.tables "
        "WHERE table_schema = ANY(:schemas)"
    )
    with database.engine.connect() as connection:
        return set(connection.execute(statement, {"schemas": list(OURS)}).scalars())


def test_up_down_and_up_again(empty: Database) -> None:
    from alembic import command

    assert database_schema.current(empty) is None
    assert database_schema.upgrade(empty) == (None, database_schema.head())
    built = _tables(empty)
    assert len(built) > 25
    config = database_schema._config()
    with empty.engine.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        connection.commit()
    assert _tables(empty) == {"public.alembic_version"}
    database_schema.upgrade(empty)
    assert _tables(empty) == built
    empty.close()


def test_an_upgrade_with_nothing_to_do_changes_nothing(empty: Database) -> None:
    database_schema.upgrade(empty)
    head = database_schema.head()
    assert database_schema.upgrade(empty) == (head, head)
    empty.close()


def test_a_release_that_is_older_than_its_database_says_so(
    empty: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    database_schema.upgrade(empty)
    with empty.engine.begin() as connection:
        connection.execute(sa.text("UPDATE public.alembic_version SET version_num = '9999'"))
    with pytest.raises(DomainError, match="revision 9999") as refused:
        database_schema.upgrade(empty)
    assert refused.value.code == "database_newer"
    monkeypatch.setenv("DATABASE_URL", empty.url)
    monkeypatch.setenv("COMPTOIR_DATA", str(tmp_path))
    shown = CliRunner().invoke(cli, ["search", "lamp"]).exception
    assert isinstance(shown, DomainError)
    assert shown.code == "database_newer"
    said = CliRunner().invoke(cli, ["doctor"]).output
    assert "later release" in said
    assert "db upgrade" not in said
    empty.close()


def test_the_head_is_that_of_the_history() -> None:
    from alembic.script import ScriptDirectory

    history = ScriptDirectory.from_config(database_schema._config())
    assert history.get_heads() == [database_schema.head()]


def test_a_table_in_use_is_given_up_on_and_nothing_is_half_done(
    empty: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alembic import command

    database_schema.upgrade(empty)
    config = database_schema._config()
    with empty.engine.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "-1")
        connection.commit()
    before = database_schema.current(empty), _tables(empty)
    monkeypatch.setattr(database_schema, "WAIT_FOR_A_LOCK_MS", 200)
    with empty.engine.begin() as holding:
        holding.execute(sa.text("LOCK TABLE public.alembic_version IN EXCLUSIVE MODE"))
        with pytest.raises(DomainError) as refused:
            database_schema.upgrade(empty)
    assert refused.value.code == "database_busy"
    assert (database_schema.current(empty), _tables(empty)) == before
    assert database_schema.upgrade(empty)[1] == database_schema.head()
    with empty.engine.connect() as connection:
        assert connection.execute(sa.text("SHOW lock_timeout")).scalar() == "0"
    empty.close()


def test_a_login_role_that_may_too_little_is_told_what_it_needs(postgres_url: str) -> None:
    """On a server that has the two roles already: of a second installation, or a superuser's."""
    name = f"owner_{uuid.uuid4().hex[:10]}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN CREATEROLE")
        connection.execute(f"CREATE DATABASE {name} OWNER {name}")
    server = postgres_url.replace("/postgres?", f"/{name}?")
    owned = Database(server.replace("postgres:@", f"{name}:@").replace("postgres@", f"{name}@"))
    with pytest.raises(DomainError, match="permission denied to grant role") as refused:
        database_schema.upgrade(owned)
    assert refused.value.code == "database_privilege"
    assert "GRANT comptoir_app, comptoir_platform" in refused.value.hint
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"GRANT comptoir_app, comptoir_platform TO {name}")
    assert database_schema.upgrade(owned) == (None, database_schema.head())
    owned.close()
