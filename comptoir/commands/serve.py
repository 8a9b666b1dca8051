"""`comptoir serve`: one role in this process, or all of them under one roof."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from comptoir.installation import Installation

ROLES = ("shop", "backoffice", "worker")


@click.command()
@click.option(
    "--role",
    type=click.Choice([*ROLES, "all"]),
    default="all",
    show_default=True,
    help="The shop (pages, search, purchase), the back office (push API), the worker (jobs).",
)
def command(role: str) -> None:
    """Serve until interrupted. `all` starts each role as a process of its own."""
    from comptoir.installation import Installation

    installation = Installation()
    installation.database.close()
    if role == "worker":
        from comptoir.worker import serve

        serve(installation)
    elif role == "all":
        _serve_all(installation)
    else:
        _serve_web(installation, role)


def _serve_all(installation: Installation) -> None:
    from comptoir.roles import role_child
    from comptoir.supervisor import Supervisor

    settings = installation.settings
    with Supervisor() as supervisor:
        for role in ROLES:
            supervisor.start(role_child(role, settings))
        click.echo(f"shop         http://{settings.host}:{settings.shop_port}")
        click.echo(f"back office  http://{settings.host}:{settings.backoffice_port}")
        click.echo(f"logs         {settings.data / 'logs'}")
        supervisor.wait()


def _serve_web(installation: Installation, role: str) -> None:
    import uvicorn

    settings = installation.settings
    if role == "shop":
        from comptoir.shop import create_shop

        app, port = create_shop(installation), settings.shop_port
    else:
        from comptoir.backoffice import create_backoffice

        app, port = create_backoffice(installation), settings.backoffice_port
    uvicorn.run(
        app,
        host=settings.host,
        port=port,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=10,
        proxy_headers=False,
    )
