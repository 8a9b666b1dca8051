"""`comptoir index`: the search index of each brand."""

from __future__ import annotations

import click

BRAND = click.option("--brand", help="Only this brand (default: every brand).")


@click.group()
def command() -> None:
    """Refresh, rebuild or show the search index of each brand."""


@command.command()
def refresh() -> None:
    """Do what is waiting: match landed offers and bring every index up to the catalogue."""
    from comptoir.installation import Installation
    from comptoir.progress import Stopwatch
    from comptoir.worker import drain

    watch = Stopwatch()
    drain(Installation(), label="matching and indexing")
    click.echo(f"up to date in {watch}")


@command.command()
@BRAND
def rebuild(brand: str | None) -> None:
    """Build a new index beside the live one and switch to it; searches go on meanwhile."""
    from comptoir.installation import Installation
    from comptoir.progress import Stopwatch, bar
    from indexer.rebuild import rebuild as build

    installation = Installation()
    chosen = [installation.brand(brand)] if brand else installation.brands.brands().values()
    for one in chosen:
        watch = Stopwatch()
        with bar(f"index of {one.id}", None, "products") as advance:
            built = build(
                installation.database, installation.engine, installation.encoder, one, advance
            )
        click.echo(f"{one.id}: {built.report.written} products indexed in {watch}")


@command.command()
def status() -> None:
    """Show each brand's index: products, model of the vectors, changes not yet in it."""
    from comptoir.installation import Installation
    from indexer.refresh import behind

    installation = Installation()
    for brand in installation.brands.brands().values():
        stats = installation.engine.stats(brand.id)
        if stats is None:
            click.echo(f"{brand.id}: no index; build it: comptoir index rebuild --brand {brand.id}")
            continue
        with installation.database.platform() as tx:
            changes = behind(tx, brand.id)
        click.echo(
            f"{brand.id}: {stats.count} products in {stats.index}, vectors of {stats.model_id}, "
            f"{changes} changes behind"
        )
