"""`comptoir demo`: the demonstration market, from nothing to an open shop."""

from __future__ import annotations

import click


@click.command()
@click.option(
    "--engine",
    type=click.Choice(["embedded", "elasticsearch"]),
    default="embedded",
    show_default=True,
    help="Search engine. elasticsearch uses ELASTICSEARCH_URL, or starts ELASTICSEARCH_HOME.",
)
@click.option(
    "--port",
    type=click.IntRange(1024, 65000),
    default=8000,
    show_default=True,
    help="First of six ports: shop, back office, merchants' sites, Oscar, payment, Werkkontor.",
)
@click.option("--check", is_flag=True, help="Stop again once everything has answered.")
def command(engine: str, port: int, check: bool) -> None:
    """Run two brands, four merchants, a payment provider and the shop. Ctrl-C stops all of it.

    The first run loads the market; later runs find everything in the data folder.
    """
    from comptoir.demo.story import tell

    tell(engine=engine, port=port, stop_when_ready=check)
