"""`comptoir serve`: one role in this process, or all of them under one roof."""

from __future__ import annotations

import signal

import click

from comptoir.roles import ROLES


@click.command()
@click.option(
    "--role",
    type=click.Choice([*ROLES, "all"]),
    default="all",
    show_default=True,
    help="The shop (pages, search, purchase), the back office (push API), the worker (jobs).",
)
def command(role: str) -> None:
    """Serve until interrupted. `all` starts each role as a process of its own, and holds the
    sockets: a role that ends keeps no visitor out. SIGUSR1 renews all roles, one beside the other.
    """
    from comptoir.roles import serve
    from kernel.settings import load_settings

    if role == "all":
        _serve_all()
        return
    settings = load_settings()
    ports = {"shop": settings.shop_port, "backoffice": settings.backoffice_port}
    where = f"http://{settings.host}:{ports[role]}" if role in ports else "looks for jobs"
    click.echo(f"{role:12} {where}")
    serve(role)


def _serve_all() -> None:
    from comptoir.installation import Installation
    from comptoir.roles import open_listeners, preload, role_child
    from comptoir.supervisor import Supervisor

    # Asked to renew what is only being started, it goes on starting.
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    installation = Installation()
    listeners = open_listeners(installation.settings)
    # Bring the schema up and let go of the database before anything is forked.
    installation.database.close()
    preload()
    settings = installation.settings
    with Supervisor() as supervisor:
        served = [role for role in ROLES if not (settings.read_only and role == "worker")]
        children = [
            role_child(role, settings, installation.url, forked=True, listener=listeners.get(role))
            for role in served
        ]
        supervisor.start(*children)
        click.echo(f"shop         http://{settings.host}:{settings.shop_port}")
        click.echo(f"back office  http://{settings.host}:{settings.backoffice_port}")
        click.echo(f"logs         {settings.data / 'logs'}")
        if settings.read_only:
            click.echo("worker       none: READ_ONLY is set")
        supervisor.wait()
