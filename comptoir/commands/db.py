"""`comptoir db`: the database's schema."""

from __future__ import annotations

import click


@click.group()
def command() -> None:
    """Bring the database to this release, or tell how far it is."""


@command.command()
def upgrade() -> None:
    """Apply the migrations that are missing. Safe to run twice, and from several machines."""
    from comptoir import database_schema
    from comptoir.installation import Installation
    from kernel.db import Database

    before, now = database_schema.upgrade(Database(Installation().url))
    if before == now:
        click.echo(f"the database is at revision {now}; nothing to do")
    else:
        click.echo(f"the database went from revision {before or 'none'} to {now}")


@command.command()
def status() -> None:
    """Show the revision of the database and the one this release needs."""
    from comptoir import database_schema
    from comptoir.installation import Installation
    from kernel.db import Database

    database = Database(Installation().url)
    current = database_schema.current(database)
    oldest = database_schema.serves_from(database)
    serves = f", serves releases from {oldest} on" if oldest and oldest != current else ""
    click.echo(f"database: {current or 'empty'}{serves}")
    click.echo(f"release:  {database_schema.head()}")
