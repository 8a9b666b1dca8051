"""A step that says it serves older releases only adds: nothing that they use is changed or gone."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory

from comptoir import database_schema
from kernel.db import Database
from tests.comptoir.newer_release import NewerRelease
from tests.conftest import fresh_database

OURS = "n.nspname IN ('tenants', 'mdm', 'crawlers', 'indexer', 'checkout')"
OBJECTS = {
    "table": f"SELECT c.oid::regclass::text, '', c.relkind::text || c.relrowsecurity || "
    f"c.relforcerowsecurity FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    f"WHERE {OURS} AND c.relkind IN ('r', 'p', 'v', 'm', 'S')",
    "column": f"SELECT c.oid::regclass::text, a.attname, format_type(a.atttypid, a.atttypmod) || "
    f"CASE WHEN a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' THEN ' wanted' ELSE '' END "
    f"FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n "
    f"ON n.oid = c.relnamespace WHERE {OURS} AND a.attnum > 0 AND NOT a.attisdropped "
    f"AND c.relkind IN ('r', 'p', 'v', 'm')",
    "constraint": f"SELECT c.oid::regclass::text, k.conname, pg_get_constraintdef(k.oid) "
    f"FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n "
    f"ON n.oid = c.relnamespace WHERE {OURS} AND k.contype <> 'n'",
    "trigger": f"SELECT c.oid::regclass::text, t.tgname, pg_get_triggerdef(t.oid) "
    f"FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n "
    f"ON n.oid = c.relnamespace "
    f"WHERE {OURS} AND NOT t.tgisinternal",
    "policy": f"SELECT c.oid::regclass::text, p.polname, coalesce(pg_get_expr(p.polqual, "
    f"p.polrelid), '') || coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '') FROM pg_policy p "
    f"JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
    f"WHERE {OURS}",
    "unique index": f"SELECT i.indrelid::regclass::text, i.indexrelid::regclass::text, "
    f"pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid "
    f"JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {OURS} AND i.indisunique",
    "function": f"SELECT p.oid::regprocedure::text, '', pg_get_functiondef(p.oid) FROM pg_proc p "
    f"JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {OURS} AND p.prokind = 'f'",
    "right": f"SELECT c.oid::regclass::text, coalesce(c.relacl::text, ''), '' FROM pg_class c "
    f"JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {OURS} AND c.relkind IN ('r', 'p', 'v')",
}
"""Kind: (whose, name, definition)."""
MAY_COME = {"table", "function"}

Catalogue = dict[tuple[str, str, str], str]


def catalogue(database: Database) -> Catalogue:
    """What releases meet in the database."""
    with database.engine.connect() as connection:
        return {
            (kind, str(row[0]), str(row[1])): str(row[2])
            for kind, statement in OBJECTS.items()
            for row in connection.execute(sa.text(statement))
        }


def taken(before: Catalogue, after: Catalogue) -> list[str]:
    """What an older release would miss, or be refused by."""
    tables = {whose for kind, whose, _ in before if kind == "table"}
    changed = [f"{' '.join(key)} changed" for key in before if after.get(key) != before[key]]
    for (kind, whose, name), says in after.items():
        is_new = (kind, whose, name) not in before and whose in tables and kind not in MAY_COME
        if is_new and not (kind == "column" and not says.endswith(" wanted")):
            changed.append(f"{kind} {whose} {name} is new")
    return changed


@pytest.fixture
def database(postgres_url: str) -> Database:
    return Database(fresh_database(postgres_url))


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE checkout.basket ADD COLUMN more text",
        "ALTER TABLE checkout.basket ADD COLUMN more boolean NOT NULL DEFAULT false",
        "CREATE TABLE checkout.more (more_id text PRIMARY KEY, basket_id text NOT NULL UNIQUE)",
        "CREATE INDEX ix_more ON checkout.basket (updated_at)",
    ],
)
def test_what_adds_takes_nothing(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    newer = NewerRelease(tmp_path, monkeypatch)
    before = catalogue(database)
    assert len(before) > 500
    newer.step(statement)
    newer.upgrade(database)
    assert taken(before, catalogue(database)) == []


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE checkout.basket DROP COLUMN contact",
        "ALTER TABLE checkout.basket RENAME COLUMN contact TO buyer",
        "ALTER TABLE checkout.basket ADD COLUMN more text NOT NULL",
        "ALTER TABLE checkout.basket_line ALTER COLUMN title TYPE varchar(80)",
        "ALTER TABLE checkout.basket ALTER COLUMN contact SET NOT NULL",
        "ALTER TABLE checkout.basket ADD CONSTRAINT later CHECK (created_at <= updated_at)",
        "CREATE UNIQUE INDEX ix_more ON checkout.basket (updated_at)",
        "ALTER TABLE checkout.basket NO FORCE ROW LEVEL SECURITY",
        "DROP TABLE checkout.refund CASCADE",
        "REVOKE INSERT ON checkout.basket FROM comptoir_app",
    ],
)
def test_what_takes_is_seen(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    newer = NewerRelease(tmp_path, monkeypatch)
    before = catalogue(database)
    newer.step(statement)
    newer.upgrade(database)
    assert taken(before, catalogue(database)) != []


def test_every_step_that_serves_older_releases_only_adds(postgres_url: str) -> None:
    config = database_schema._config()
    steps = [*ScriptDirectory.from_config(config).walk_revisions()][::-1]
    saying = {step.revision for step in steps if hasattr(step.module, "SERVES_FROM")}
    if not saying:
        return
    name = "steps_" + database_schema.head()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}")
        connection.execute(f"CREATE DATABASE {name}")
    database = Database(postgres_url.replace("/postgres?", f"/{name}?"))
    wrong = {}
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection
        for step in steps:
            before = catalogue(database) if step.revision in saying else {}
            command.upgrade(config, step.revision)
            connection.commit()
            if step.revision in saying:
                assert step.revision > step.module.SERVES_FROM
                if found := taken(before, catalogue(database)):
                    wrong[step.revision] = found
    database.close()
    assert wrong == {}
