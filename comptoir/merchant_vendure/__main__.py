"""Runs the shop: `python -m comptoir.merchant_vendure --port 8005 --data FOLDER`."""

from __future__ import annotations

from pathlib import Path

import click

from comptoir.merchant_vendure.catalogue import BackOffice
from comptoir.merchant_vendure.install import install_shop
from comptoir.merchant_vendure.run import start_shop, wait_ready
from comptoir.shop_install import end_with_children
from comptoir.shop_trial import show_shop
from kernel.errors import DomainError


@click.command()
@click.option("--port", type=int, required=True, help="Port on 127.0.0.1.")
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Folder of the shop.")
@click.option(
    "--sheets",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="JSON Lines of articles to sell, such as the catalogue.jsonl of the demonstration.",
)
def main(port: int, data: Path, sheets: Path | None) -> None:
    """A real Vendure shop to connect to, in memory. The first start installs it (160 MB)."""
    url = f"http://127.0.0.1:{port}"
    try:
        installation = install_shop(data, lambda step: click.echo(step, err=True))
        process = start_shop(installation, port)
        try:
            wait_ready(installation, url, process)
            office = BackOffice(url, **installation.account("admin"))
        except BaseException:
            end_with_children(process)
            raise
        settings = {"connector": "vendure", "url": url}
        show_shop(process, office.load, sheets, settings, installation.accounts_file)
    except DomainError as error:
        raise click.ClickException(f"{error.message} {error.hint}") from error


if __name__ == "__main__":
    main()
