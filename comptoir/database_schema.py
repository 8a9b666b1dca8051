"""Bring a database to the schema of this release, or tell how far it is.

A step that only adds may say so by `SERVES_FROM`, the revision of the oldest release that works on
what it leaves: releases from there on then go on, and may be started again, on the newer schema.
The database keeps the strictest of these words itself; without one it serves nobody older.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import sqlalchemy as sa

from kernel.db import APP_ROLE, PLATFORM_ROLE, Database
from kernel.errors import DomainError

if TYPE_CHECKING:
    from alembic.config import Config


_READ_PROMISE = sa.text("SELECT obj_description(to_regclass('public.alembic_version'), 'pg_class')")
_PROMISE = re.compile(r"serves_from=([0-9]{4}) at=([0-9]{4})")

WAIT_FOR_A_LOCK_MS = 4_000
"""How long a step waits for a table: all who come later for it wait behind."""


def _config() -> Config:
    from alembic.config import Config

    import migrations

    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    return config


def upgrade(database: Database) -> tuple[str | None, str]:
    """Apply what is missing; answers (revision before, revision now). One process at a time.

    Raises DomainError `database_newer` where a later release has been at work.
    """
    from alembic import command

    config = _config()
    with database.engine.connect() as connection:
        connection.execute(sa.text("SELECT pg_advisory_lock(7310001)"))
        connection.commit()
        try:
            before = current(database)
            if before is not None and before > head():
                raise _newer(before)
            config.attributes["connection"] = connection
            # A table that somebody holds is given up on, and what waits behind us goes on.
            connection.execute(sa.text(f"SET lock_timeout = {WAIT_FOR_A_LOCK_MS}"))
            connection.commit()
            _promise(connection, config, before)
            command.upgrade(config, "head")
            connection.commit()
            if before is None:
                # The word has its place only now; until here nothing older was let in.
                _promise(connection, config, before)
        except sa.exc.DBAPIError as error:
            raise _refused(error) or error from error
        finally:
            connection.rollback()
            connection.execute(sa.text("RESET lock_timeout"))
            connection.execute(sa.text("SELECT pg_advisory_unlock(7310001)"))
            connection.commit()
    return before, head()


def _refused(error: sa.exc.DBAPIError) -> DomainError | None:
    """What an operator can do something about; None for a failure of ours."""
    said = str(error.orig).partition("\n")[0]
    if isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
        return DomainError(
            "database_privilege",
            f"The login role may not do this: {said}.",
            hint="It has to own the database and to be allowed to create roles, or a superuser "
            f"does: GRANT {APP_ROLE}, {PLATFORM_ROLE} TO the login role WITH ADMIN OPTION.",
        )
    if isinstance(error.orig, psycopg.errors.LockNotAvailable):
        return DomainError(
            "database_busy",
            f"A table was in use for {WAIT_FOR_A_LOCK_MS // 1000} s: {said}.",
            hint="Nothing was left half done. Run comptoir db upgrade again, at a quiet time.",
        )
    return None


def refuse_newer(database: Database, revision: str | None) -> bool:
    """Whether a later release has brought the database further, and this one goes on with it.

    DomainError `database_newer` where it cannot.
    """
    if revision is None or revision <= head():
        return False
    oldest = serves_from(database)
    if oldest is None or oldest > head():
        raise _newer(revision)
    return True


def _newer(revision: str) -> DomainError:
    return DomainError(
        "database_newer",
        f"The database is at revision {revision}: a later release has been at work. "
        f"This one knows revision {head()}.",
        hint="Run the later release, or restore a backup from before it.",
    )


def serves_from(database: Database) -> str | None:
    """Revision of the oldest release that works on this schema; None where it does not say, or
    says it of another revision than it is at.
    """
    with database.engine.connect() as connection:
        said = _PROMISE.fullmatch(connection.execute(_READ_PROMISE).scalar() or "")
    return said[1] if said and said[2] == current(database) else None


def _promise(connection: sa.Connection, config: Config, before: str | None) -> None:
    """Have the database say whom it will serve once all steps are done. The word names the revision
    that it is for: while steps are under way, and where one fails, it holds for nobody.
    """
    from alembic.script import ScriptDirectory

    if not connection.execute(sa.text("SELECT to_regclass('public.alembic_version')")).scalar():
        return
    steps = [
        getattr(step.module, "SERVES_FROM", step.revision)
        for step in ScriptDirectory.from_config(config).walk_revisions()
        if before is None or step.revision > before
    ]
    said = _PROMISE.fullmatch(connection.execute(_READ_PROMISE).scalar() or "")
    stood = said[1] if said else before
    oldest = max(steps if stood is None else [*steps, stood])
    if steps or said is None:
        word = f"serves_from={oldest} at={head()}"
        connection.execute(sa.text(f"COMMENT ON TABLE public.alembic_version IS '{word}'"))
    connection.commit()


def current(database: Database) -> str | None:
    """Revision of the database; None for an empty one."""
    with database.engine.connect() as connection:
        if connection.execute(sa.text("SELECT to_regclass('public.alembic_version')")).scalar():
            statement = sa.text("SELECT version_num FROM public.alembic_version")
            revision = connection.execute(statement).scalar_one_or_none()
            return None if revision is None else str(revision)
    return None


def head() -> str:
    """Revision that this release needs: the last step of the history, by its file's number.

    Every process asks at its start, so alembic (half a second) is left out of it.
    """
    import migrations

    steps = (Path(migrations.__file__).parent / "versions").glob("m[0-9]*.py")
    return max(step.stem[1:5] for step in steps)
