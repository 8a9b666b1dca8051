"""`comptoir jobs`: work that the worker has given up on."""

from __future__ import annotations

import click


@click.group()
def command() -> None:
    """Show jobs that were tried in vain, and have them tried again once the cause is gone.

    Nothing is lost with one: what it would have done waits in the database. Why it failed stands in
    the worker's log.
    """


@command.command("list")
def list_() -> None:
    """List jobs that were given up on; ends with 1 if there are any."""
    from comptoir.installation import Installation
    from kernel import jobs

    with Installation().database.platform() as tx:
        given_up = jobs.failed(tx)
    for number, name, attempts in given_up:
        click.echo(f"{number:8}  {name:24} given up after {attempts} attempts")
    if given_up:
        raise SystemExit(1)
    click.echo("no job was given up on")


@command.command()
def retry() -> None:
    """Have every one of them tried again, by the worker, from now on."""
    from comptoir.installation import Installation
    from kernel import jobs

    with Installation().database.platform() as tx:
        click.echo(f"{jobs.try_again(tx)} jobs wait for the worker again")
