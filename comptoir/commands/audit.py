"""`comptoir audit`: prove that what operators did stands as it was written."""

from __future__ import annotations

import click


@click.group()
def command() -> None:
    """Prove that the record of operators' acts is as it was written."""


@command.command()
@click.option("--head", help="A head that an earlier day has told: it has to be among the seals.")
def verify(head: str | None) -> None:
    """Count every seal again; names the first record that does not fit, and ends with an error.

    Rankings, stewards' acts with their effects, and corrections of categories and priorities.
    """
    from comptoir.installation import Installation
    from comptoir.sealing import verify_records

    with Installation().database.platform() as tx:
        proof = verify_records(tx, head)
    if proof.fault is not None:
        raise click.ClickException(
            f"{proof.sealed} records are as they were sealed, then: {proof.fault}"
        )
    waiting = f", {proof.unsealed} wait for the worker's next round" if proof.unsealed else ""
    click.echo(f"{proof.sealed} records, each as it was sealed{waiting}")
    click.echo(f"head {proof.head}")


@command.command()
def seal() -> None:
    """Seal what has no seal yet (the worker does this by itself)."""
    from datetime import UTC, datetime

    from comptoir.installation import Installation
    from comptoir.sealing import seal_records

    database, total = Installation().database, 0
    while True:
        with database.platform() as tx:
            count, last = seal_records(tx, datetime.now(UTC))
        total += count
        if not count:
            break
    click.echo(f"{total} records sealed")
    click.echo(f"head {last}")
