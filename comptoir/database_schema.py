"""Bring a database to the schema of this release, or tell how far it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from kernel.db import Database

if TYPE_CHECKING:
    from alembic.config import Config


def _config() -> Config:
    from alembic.config import Config

    import migrations

    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    return config


def upgrade(database: Database) -> tuple[str | None, str]:
    """Apply what is missing; answers (revision before, revision now). One process at a time."""
    from alembic import command

    config = _config()
    with database.engine.connect() as connection:
        connection.execute(sa.text("SELECT pg_advisory_lock(7310001)"))
        connection.commit()
        try:
            before = current(database)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
        finally:
            connection.rollback()
            connection.execute(sa.text("SELECT pg_advisory_unlock(7310001)"))
            connection.commit()
    return before, head()


def current(database: Database) -> str | None:
    """Revision of the database; None for an empty one."""
    from alembic.runtime.migration import MigrationContext

    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head() -> str:
    """Revision that this release needs."""
    from alembic.script import ScriptDirectory

    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None
    return revision
