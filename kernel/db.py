"""The database: one pool, transactions opened here and nowhere else, and who is asking.

Two roles are taken on inside every transaction: `comptoir_app` sees the rows of one brand only
(row security), `comptoir_platform` sees all brands and is for jobs and operators' commands. The
login role is used by migrations alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from threading import Event
from typing import Any, Literal

import psycopg
import sqlalchemy as sa
from psycopg import sql
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, PipelineStatus
from psycopg.rows import namedtuple_row
from psycopg.types.json import Jsonb
from sqlalchemy import Connection, Engine, MetaData
from sqlalchemy.dialects.postgresql.psycopg import dialect as psycopg_dialect
from sqlalchemy.exc import DBAPIError

APP_ROLE = "comptoir_app"
PLATFORM_ROLE = "comptoir_platform"

_LOOK_UP_EVERY_S = 0.5
_BEGIN = sql.SQL("BEGIN; SELECT set_config('role', {}, true), set_config('app.brand_id', {}, true)")
_HOLD = sql.SQL("; SELECT pg_advisory_xact_lock(hashtextextended({}, 0))")
_DIALECT = psycopg_dialect()  # type: ignore[no-untyped-call]

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


def away(error: BaseException) -> str | None:
    """What kept us from the database, in a line; None for a failure of any other kind."""
    cause = _of_database(error)
    if not isinstance(cause, psycopg.OperationalError):
        return None
    # No connection (nobody gave a state), a broken one, a server that ends, a wrong password.
    is_away = cause.sqlstate is None or cause.sqlstate.startswith(("08", "28", "57P"))
    return str(cause).partition("\n")[0] if is_away else None


def refused_writing(error: BaseException) -> bool:
    """Whether it was a change, by a process that may only read."""
    return isinstance(_of_database(error), psycopg.errors.ReadOnlySqlTransaction)


def _of_database(error: BaseException) -> psycopg.Error | None:
    """What the database said, however often it was wrapped."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, psycopg.Error):
        cause = getattr(cause, "orig", None) or cause.__cause__
    return cause


class Database:
    """A pool of connections to the truth; `read_only` has the server refuse every change."""

    def __init__(self, url: str, *, pool_size: int = 8, read_only: bool = False) -> None:
        self.url = url
        options = {"options": "-c default_transaction_read_only=on"} if read_only else {}
        self.engine: Engine = sa.create_engine(
            sqlalchemy_url(url),
            # What a statement was given may be an address of a buyer: a failure never tells it.
            hide_parameters=True,
            pool_size=pool_size,
            max_overflow=8,
            # The one used last, whose server process has the statements and tables at hand.
            pool_use_lifo=True,
            connect_args={"application_name": "comptoir", **options},
        )

    @contextmanager
    def platform(self, *, holding: str = "") -> Iterator[Transaction]:
        """A transaction that sees every brand: jobs, intake, operators' commands. With `holding` it
        has this advisory lock before it sees anything."""
        with self._as(PLATFORM_ROLE, "", holding) as tx:
            yield tx

    @contextmanager
    def brand(self, brand_id: str) -> Iterator[Transaction]:
        """A transaction that sees and writes one brand's rows only."""
        with self._as(APP_ROLE, brand_id) as tx:
            yield tx

    @contextmanager
    def _as(self, role: str, brand_id: str, holding: str = "") -> Iterator[Transaction]:
        with self._begun(_beginning(role, brand_id, holding)) as tx:
            try:
                yield tx
                _driver(tx).commit()
            except psycopg.Error as error:
                if isinstance(error, psycopg.OperationalError):
                    # A connection in doubt is never used again.
                    tx.invalidate()
                raise DBAPIError.instance(None, None, error, psycopg.Error) from error

    def _begun(self, beginning: bytes) -> Transaction:
        """A transaction of this role. A pooled connection that the server has ended meanwhile shows
        at this first statement, before anything was done: new ones take the place of all of them.
        """
        tx = self.engine.connect()
        if _begin(tx, beginning) is None:
            return tx
        tx.invalidate()
        tx.close()
        self.engine.dispose()
        tx = self.engine.connect()
        error = _begin(tx, beginning)
        if error is None:
            return tx
        tx.close()
        raise DBAPIError.instance(None, None, error, psycopg.Error)

    def close(self) -> None:
        """Give every pooled connection back to the server."""
        self.engine.dispose()


@lru_cache(maxsize=1024)
def _beginning(role: str, brand_id: str, holding: str) -> bytes:
    """What opens a transaction and says who asks, in one trip to the server."""
    locking = _HOLD.format(holding) if holding else sql.SQL("")
    return (_BEGIN.format(role, brand_id) + locking).as_bytes(None)


def _begin(tx: Transaction, beginning: bytes) -> psycopg.Error | None:
    """Why there is no transaction, if there is none."""
    begun = _driver(tx).pgconn.exec_(beginning)
    return None if begun.status == ExecStatus.TUPLES_OK else error_from_result(begun)


def _driver(tx: Transaction) -> psycopg.Connection[Any]:
    connection = tx.connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    return connection


@dataclass(frozen=True, slots=True)
class _Form:
    """A statement as the driver takes it, for values of certain names."""

    sql: bytes
    constants: Mapping[str, Any]
    documents: tuple[str, ...]


class Prepared:
    """A statement that runs often: compiled once, then handed to the driver as it is, which takes
    a fifth of the time. Rows are named tuples. Errors are psycopg's, and SQLAlchemy's once they
    leave the transaction.

    Values are given by name as to `Connection.execute`; which names there are may vary.
    """

    def __init__(self, statement: sa.Executable) -> None:
        self._statement = statement
        self._forms: dict[tuple[str, ...], _Form] = {}

    def all(self, tx: Transaction, values: Mapping[str, Any] | None = None) -> list[Any]:
        """Every row."""
        return self._executed(tx, values or {}).fetchall()

    def first(self, tx: Transaction, values: Mapping[str, Any] | None = None) -> Any:
        """The first row, or None."""
        return self._executed(tx, values or {}).fetchone()

    def asked(
        self, tx: Transaction, values: Mapping[str, Any] | None = None
    ) -> psycopg.Cursor[Any]:
        """Rows to be fetched later: those of statements that are `sent_together`."""
        return self._executed(tx, values or {})

    def run(self, tx: Transaction, values: Mapping[str, Any] | None = None) -> int:
        """Change something; answers how many rows it was."""
        return self._executed(tx, values or {}).rowcount

    def run_each(self, tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
        """Change something for each of these rows, in one trip; they give the same names."""
        if rows:
            form = self._form(tuple(rows[0]))
            _driver(tx).cursor().executemany(form.sql, [_given(form, row) for row in rows])

    def _executed(self, tx: Transaction, values: Mapping[str, Any]) -> psycopg.Cursor[Any]:
        form = self._form(tuple(values))
        cursor = _driver(tx).cursor(row_factory=namedtuple_row)
        return cursor.execute(form.sql, _given(form, values))

    def _form(self, names: tuple[str, ...]) -> _Form:
        form = self._forms.get(names)
        if form is None:
            form = self._forms[names] = _compiled(self._statement, names)
        return form


def _compiled(statement: sa.Executable, names: tuple[str, ...]) -> _Form:
    compiled = statement.compile(dialect=_DIALECT, column_keys=list(names))  # type: ignore[attr-defined]
    whole = compiled.construct_expanded_state(dict.fromkeys(names))
    constants = {name: whole.parameters[name] for name in whole.parameters if name not in names}
    documents = tuple(name for name in names if isinstance(compiled.binds[name].type, sa.JSON))
    return _Form(whole.statement.encode(), constants, documents)


def _given(form: _Form, values: Mapping[str, Any]) -> dict[str, Any]:
    given = {**form.constants, **values}
    for name in form.documents:
        given[name] = None if given[name] is None else Jsonb(given[name])
    return given


@contextmanager
def sent_together(tx: Transaction) -> Iterator[None]:
    """Prepared statements in here go to the server in one trip, in their order. They tell nothing
    of rows or counts before the end, where a failure of any of them is raised; whoever fetches rows
    earlier waits for all before them. Inside another one it is a part of that."""
    connection = _driver(tx)
    if connection.pgconn.pipeline_status != PipelineStatus.OFF:
        # The driver would wait here for answers to what it has not sent yet, where that is large.
        yield
        return
    with connection.pipeline():
        yield


_PLAN_ONCE = Prepared(sa.text("SELECT set_config('plan_cache_mode', 'force_generic_plan', true)"))


def plan_once(tx: Transaction) -> None:
    """Until this transaction ends, prepared statements keep one plan whatever they are given: for
    work on few rows, where planning them anew takes longer than doing them."""
    _PLAN_ONCE.run(tx)


_LOCK = Prepared(sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"))


def advisory_lock(tx: Transaction, name: str) -> None:
    """Serialise transactions that take the same name, until this one ends."""
    _LOCK.run(tx, {"name": name})


_NOTIFY = Prepared(sa.text("SELECT pg_notify(:channel, '')"))


def announce(tx: Transaction, channel: str) -> None:
    """Wake those who listen on the channel when, and only if, this transaction commits."""
    _NOTIFY.run(tx, {"channel": channel})


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
