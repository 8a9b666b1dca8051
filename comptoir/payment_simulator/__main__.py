"""Runs the simulator: `python -m comptoir.payment_simulator --port 8004 --data FOLDER`."""

from __future__ import annotations

from pathlib import Path

import click
import uvicorn

from comptoir.payment_simulator.keys import platform_keys
from comptoir.payment_simulator.server import create_app


@click.command()
@click.option("--port", type=int, required=True, help="Port on 127.0.0.1.")
@click.option(
    "--data", type=click.Path(path_type=Path), required=True, help="Folder of keys and payments."
)
@click.option("--public-url", default=None, help="Address by which browsers reach the page.")
def main(port: int, data: Path, public_url: str | None) -> None:
    """A strict payment provider to test against. Its keys are in FOLDER/platform.json."""
    application = create_app(data, [platform_keys(data)], public_url)
    uvicorn.run(application, host="127.0.0.1", port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
