"""The database: one pool, transactions opened here and nowhere else, and who is asking.

Two roles are taken on inside every transaction: `comptoir_app` sees the rows of one brand only
(row security), `comptoir_platform` sees all brands and is for jobs and operators' commands. The
login role is used by migrations alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Event
from typing import Literal

import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy import Connection, Engine, MetaData
from sqlalchemy.exc import DBAPIError

APP_ROLE = "comptoir_app"
PLATFORM_ROLE = "comptoir_platform"

_LOOK_UP_EVERY_S = 0.5
_AS_WHOM = sa.text(
    "SELECT set_config('role', :role, true), set_config('app.brand_id', :brand, true)"
)

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

Transaction = Connection
"""An open transaction. Functions that take one never commit it."""


def schema_metadata(schema: str) -> MetaData:
    """Table metadata of one package's PostgreSQL schema."""
    return MetaData(schema=schema, naming_convention=NAMING)


def sqlalchemy_url(url: str) -> str:
    """`postgresql://...` as SQLAlchemy wants it for psycopg 3."""
    for prefix in ("postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


class Database:
    """A pool of connections to the truth."""

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        self.url = url
        self.engine: Engine = sa.create_engine(
            sqlalchemy_url(url),
            pool_size=pool_size,
            max_overflow=8,
            connect_args={"application_name": "comptoir"},
        )

    @contextmanager
    def platform(self) -> Iterator[Transaction]:
        """A transaction that sees every brand: jobs, intake, operators' commands."""
        with self._as(PLATFORM_ROLE, "") as tx:
            yield tx

    @contextmanager
    def brand(self, brand_id: str) -> Iterator[Transaction]:
        """A transaction that sees and writes one brand's rows only."""
        with self._as(APP_ROLE, brand_id) as tx:
            yield tx

    @contextmanager
    def _as(self, role: str, brand_id: str) -> Iterator[Transaction]:
        who = {"role": role, "brand": brand_id}
        with self._begun(who) as tx:
            yield tx
            tx.commit()

    def _begun(self, who: Mapping[str, str]) -> Transaction:
        """A transaction of this role. A pooled connection that the server has ended meanwhile shows
        at this first statement, before anything was done: another takes its place.
        """
        tx = self.engine.connect()
        try:
            tx.execute(_AS_WHOM, who)
        except DBAPIError as error:
            tx.close()
            if not error.connection_invalidated:
                raise
            tx = self.engine.connect()
            tx.execute(_AS_WHOM, who)
        return tx

    def close(self) -> None:
        """Give every pooled connection back to the server."""
        self.engine.dispose()


def advisory_lock(tx: Transaction, name: str) -> None:
    """Serialise transactions that take the same name, until this one ends."""
    tx.execute(sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})


def announce(tx: Transaction, channel: str) -> None:
    """Wake those who listen on the channel when, and only if, this transaction commits."""
    tx.execute(sa.text("SELECT pg_notify(:channel, '')"), {"channel": channel})


def heard(url: str, channel: str, stopping: Event) -> Iterator[None]:
    """One turn at once, then one for each announcement; several that come together are one.

    Ends when `stopping` is set; raises psycopg.OperationalError when the server is lost.
    """
    with psycopg.connect(url, autocommit=True, application_name="comptoir") as connection:
        connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        yield
        while not stopping.is_set():
            if any(True for _ in connection.notifies(timeout=_LOOK_UP_EVERY_S, stop_after=1)):
                # What came together with it is announced by it.
                list(connection.notifies(timeout=0))
                yield


def brand_owned(table: str) -> list[str]:
    """DDL that makes a `schema.table` with a `brand_id` column visible to its brand alone."""
    guard = "brand_id = current_setting('app.brand_id', true)"
    name = table.replace(".", "_")
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY {name}_brand ON {table} TO {APP_ROLE} USING ({guard}) WITH CHECK ({guard})",
        f"CREATE POLICY {name}_platform ON {table} TO {PLATFORM_ROLE} "
        "USING (true) WITH CHECK (true)",
    ]


def grant(
    schema: str, *, app: Literal["read", "write"], platform: Literal["read", "write"] = "write"
) -> list[str]:
    """DDL that opens a package's schema to the two roles, for tables that exist now."""
    statements = []
    for role, right in ((APP_ROLE, app), (PLATFORM_ROLE, platform)):
        rights = "SELECT" if right == "read" else "SELECT, INSERT, UPDATE, DELETE"
        statements += [
            f"GRANT USAGE ON SCHEMA {schema} TO {role}",
            f"GRANT {rights} ON ALL TABLES IN SCHEMA {schema} TO {role}",
            f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
        ]
    return statements
