"""Installs the Medusa shop into a data folder: packages, PostgreSQL, a furnished database.

In: an empty or half-made folder. Out: a shop ready to start, each time on a copy of that database.
Doing it again does only what is missing; two at once wait for each other.
"""

from __future__ import annotations

import json
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import psycopg
from psycopg import sql

from comptoir.embedded import postgres
from comptoir.shop_install import (
    Report,
    alone,
    fingerprint,
    install_node_packages,
    is_done,
    node_environment,
    run,
    step,
    write_whole,
)

SHOP = Path(__file__).parent / "shop"
SOURCES = ("medusa-config.js", "seed.js", "tsconfig.json")
PACKAGES_STAMP = "packages.done"
DATABASE_STAMP = "database.done"
TEMPLATE = "shop_template"


@dataclass(frozen=True, slots=True)
class MedusaInstallation:
    """Where the shop lies. `data_dir` holds all of it: packages, PostgreSQL, keys, log."""

    data_dir: Path

    @property
    def log_file(self) -> Path:
        """What the server wrote."""
        return self.data_dir / "shop.log"

    @property
    def accounts_file(self) -> Path:
        """The shop's keys and the ids of what it was furnished with, for the owner's eyes alone."""
        return self.data_dir / "accounts.json"

    def accounts(self) -> dict[str, str]:
        """`publishable_key`, `secret_key`, `region`, `sales_channel`, `stock_location`..."""
        return {
            key: str(value)
            for key, value in json.loads(self.accounts_file.read_text(encoding="utf-8")).items()
        }

    def command(self, *arguments: str) -> list[str]:
        """A command of Medusa's own command line."""
        cli = self.data_dir / "node_modules" / "@medusajs" / "cli" / "cli.js"
        return ["node", str(cli), *arguments]

    def environment(self, database: str) -> dict[str, str]:
        """The environment of the shop's processes; starts PostgreSQL where it is not running."""
        return node_environment(self.data_dir) | {
            "NODE_ENV": "production",
            "SHOP_SECRET": (self.data_dir / "secret").read_text(encoding="ascii"),
            "SHOP_ACCOUNTS": str(self.accounts_file),
            "DATABASE_URL": self._database_url(database),
        }

    def copy_database(self, source: str, name: str) -> None:
        """Make database `name` anew, a copy of `source`, to which nobody may be connected."""
        self.drop_database(name)
        command = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        with psycopg.connect(self._server(), autocommit=True) as connection:
            connection.execute(command.format(sql.Identifier(name), sql.Identifier(source)))

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is connected to it."""
        command = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        with psycopg.connect(self._server(), autocommit=True) as connection:
            connection.execute(command.format(sql.Identifier(name)))

    def _server(self) -> str:
        return postgres.start(self.data_dir / "postgres")

    def _database_url(self, database: str) -> str:
        """The server's address as Node writes it: the folder of its socket stands for the host."""
        socket = parse_qs(urlsplit(self._server()).query)["host"][0]
        return f"postgresql://postgres:@{quote(socket, safe='')}/{database}"


def install_shop(data_dir: Path, report: Report) -> MedusaInstallation:
    """Install or complete the shop in `data_dir`, telling each step to `report`.

    Raises DomainError without Node.js, or with the end of the failing command's output.
    """
    data_dir = data_dir.absolute()
    data_dir.mkdir(parents=True, exist_ok=True)
    installation = MedusaInstallation(data_dir)

    def packages() -> None:
        report("Medusa: installing its packages (680 MB, two minutes)")
        install_node_packages(SHOP, data_dir)

    def database() -> None:
        report("Medusa: preparing its database (half a minute)")
        write_whole(data_dir / "secret", secrets.token_urlsafe(48), 0o600)
        installation.copy_database("template1", TEMPLATE)
        environment = installation.environment(TEMPLATE)
        run(installation.command("db:migrate", "--skip-scripts"), environment, data_dir)
        run(installation.command("exec", "./seed.js"), environment, data_dir)

    with alone(data_dir / "install.lock"):
        for name in SOURCES:
            shutil.copy2(SHOP / name, data_dir / name)
        step(data_dir / PACKAGES_STAMP, _packages_fingerprint(), packages)
        step(data_dir / DATABASE_STAMP, _database_fingerprint(), database)
    return installation


def is_installed(data_dir: Path) -> bool:
    """True where a complete shop of this version lies in the folder."""
    return is_done(data_dir / PACKAGES_STAMP, _packages_fingerprint()) and is_done(
        data_dir / DATABASE_STAMP, _database_fingerprint()
    )


def _packages_fingerprint() -> str:
    return fingerprint([SHOP / "package-lock.json"])


def _database_fingerprint() -> str:
    return fingerprint([SHOP / "package-lock.json", *(SHOP / name for name in SOURCES)])
