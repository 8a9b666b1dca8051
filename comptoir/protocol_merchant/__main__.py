"""Runs the merchant: `python -m comptoir.protocol_merchant --port 8005 --data FOLDER`."""

from __future__ import annotations

from pathlib import Path

import click
import uvicorn

from comptoir.protocol_merchant.server import MerchantOptions, create_app
from comptoir.protocol_merchant.ucp_messages import NEWEST, OLDER


@click.command()
@click.option("--port", type=int, required=True, help="Port on 127.0.0.1.")
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Folder of its state.")
@click.option("--platform", "platforms", multiple=True, help="Origin that may buy by UCP.")
@click.option(
    "--ucp", "versions", multiple=True, default=(NEWEST, OLDER), help="UCP version, newest first."
)
@click.option(
    "--schemas",
    type=click.Path(path_type=Path, exists=True),
    default=None,
    help="Folder of published schemas that every message is checked against.",
)
@click.option("--hands-off", is_flag=True, help="Buyers finish on the shop's own page.")
@click.option("--order-prefix", default="M", help="What numbers of orders begin with.")
def main(
    port: int,
    data: Path,
    platforms: tuple[str, ...],
    versions: tuple[str, ...],
    schemas: Path | None,
    hands_off: bool,
    order_prefix: str,
) -> None:
    """A merchant that speaks UCP and ACP, to test against. Its keys are in FOLDER/platform.json."""
    options = MerchantOptions(data, platforms, versions, schemas, hands_off, order_prefix)
    application = create_app(options)
    uvicorn.run(application, host="127.0.0.1", port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
