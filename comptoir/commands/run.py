"""`comptoir run`: runs of intake, and those that wait for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from comptoir.commands.row_number import RowNumber

if TYPE_CHECKING:
    from mdm.intake import RunSummary


RUN = RowNumber("comptoir run list")


@click.group()
def command() -> None:
    """Show what came in from merchants, and decide on what was held back.

    A feed that would withdraw most of a merchant's offers, or change most of its prices at once, is
    parked: nothing of it takes effect until a person has looked.
    """


@command.command("list")
@click.option("--merchant", help="Only this merchant's runs.")
@click.option("--parked", is_flag=True, help="Only those that wait; ends with 1 if any does.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
def list_(merchant: str | None, parked: bool, limit: int) -> None:
    """List runs, the newest first."""
    from comptoir.installation import Installation
    from mdm.intake import list_runs

    state = "parked" if parked else None
    with Installation().database.platform() as tx:
        runs = list_runs(tx, merchant, limit, state=state)
    for run in runs:
        _tell(run)
    if not runs:
        click.echo("no run waits for a person" if parked else "no run yet")
    elif parked:
        raise SystemExit(1)


@command.command()
@click.argument("run_id", type=RUN)
def release(run_id: int) -> None:
    """Say that a parked run is right after all: it takes effect now."""
    from comptoir.installation import Installation
    from comptoir.worker import drain
    from mdm.intake import release_run

    installation = Installation()
    with installation.database.platform() as tx:
        released = release_run(tx, run_id)
    _tell(released)
    drain(installation, label="matching and indexing")


@command.command()
@click.argument("run_id", type=RUN)
def discard(run_id: int) -> None:
    """Say that a parked run is wrong: nothing of it takes effect, now or later."""
    from comptoir.installation import Installation
    from mdm.intake import discard_run

    with Installation().database.platform() as tx:
        _tell(discard_run(tx, run_id))


def _tell(run: RunSummary) -> None:
    click.echo(
        f"{run.run_id:6}  {run.merchant_id:20} {run.state:9} {run.landed} landed, "
        f"{run.unchanged} unchanged, {run.refused} refused, {run.withdrawn} withdrawn"
    )
    if run.state == "parked":
        click.echo(f"        {run.reason}")
