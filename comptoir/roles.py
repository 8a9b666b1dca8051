"""The three roles of an installation as child processes of one command."""

from __future__ import annotations

import ctypes
import gc
import signal
import socket
import sys
from functools import partial
from typing import Any

from comptoir.listening import listen
from comptoir.supervisor import Child
from kernel.errors import DomainError
from kernel.settings import Settings

ROLES = ("shop", "backoffice", "worker")
_MEMORY = {
    "M_TRIM_THRESHOLD": (-1, 1 << 20),
    "M_MMAP_THRESHOLD": (-3, 1 << 20),
    "M_ARENA_MAX": (-8, 2),
}
"""Options of glibc's malloc.h by number, with what they are set to."""


def role_child(
    role: str,
    settings: Settings,
    database_url: str,
    *,
    forked: bool = False,
    listener: socket.socket | None = None,
) -> Child:
    """The process of a role (or of `all`), on this data folder and the database open here.

    `forked` starts it from what this process has imported (see `preload`). `listener` is the
    socket that it takes requests from; without one it opens its own.
    """
    answer = {"shop": settings.shop_port, "backoffice": settings.backoffice_port}
    asked = answer.values() if role == "all" else [answer[role]] if role in answer else []
    return Child(
        name=role,
        arguments=(sys.executable, "-m", "comptoir.cli", "serve", "--role", role),
        environment={"COMPTOIR_DATA": str(settings.data), "DATABASE_URL": database_url},
        log=settings.data / "logs" / f"{role}.log",
        ready_urls=tuple(f"http://127.0.0.1:{port}/healthz" for port in asked),
        target=partial(serve, role) if forked else None,
        listener=listener,
    )


def open_listeners(settings: Settings) -> dict[str, socket.socket]:
    """The sockets of the roles that are asked over the web. Whoever holds them keeps the visitors
    of a role that is started again.

    DomainError `port_taken`: another that answers at a port of ours would be taken for us.
    """
    held: dict[str, socket.socket] = {}
    for role, name, port in (
        ("shop", "SHOP_PORT", settings.shop_port),
        ("backoffice", "BACKOFFICE_PORT", settings.backoffice_port),
    ):
        try:
            held[role] = listen(settings.host, port)
        except OSError as error:
            raise DomainError(
                "port_taken",
                f"Nobody can listen at {settings.host}:{port}: {error.strerror}.",
                hint=f"End what listens there, or set {name}.",
            ) from error
    return held


def preload() -> None:
    """Import what every role needs, so that forks of this process share it."""
    import comptoir.backoffice
    import comptoir.shop
    import comptoir.web_server
    import comptoir.worker  # noqa: F401


def serve(role: str) -> None:
    """Be one role, until asked to stop."""
    _share_memory()
    from comptoir.installation import Installation
    from comptoir.logs import write_logs

    write_logs()

    installation = Installation()
    if role == "worker":
        if installation.settings.read_only:
            raise DomainError(
                "read_only", "READ_ONLY is set: a worker would change what nobody may change."
            )
        from comptoir.worker import serve as work

        work(installation)
        return
    from comptoir.web_server import serve_app

    # The web server raises the signal again when it has ended: end as a program does, so that an
    # embedded database is let go of, not as one that was killed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    settings = installation.settings
    if role == "shop":
        from comptoir.shop import create_shop

        app, port = create_shop(installation), settings.shop_port
    else:
        from comptoir.backoffice import create_backoffice

        app, port = create_backoffice(installation), settings.backoffice_port
    collect_seldom()
    serve_app(app, settings.host, port, **server_options(settings))


def server_options(settings: Settings) -> dict[str, Any]:
    """How the web servers of an installation behave.

    What a proxy says of its visitor (`X-Forwarded-Proto`, `X-Forwarded-For`) is taken from those
    alone that the settings name: from anybody else it is a claim.
    """
    return {
        "log_level": "warning",
        "server_header": False,
        "access_log": False,
        # Longer than the minute that proxies keep theirs: the one who asks closes first.
        "timeout_keep_alive": 75,
        "timeout_graceful_shutdown": 10,
        "proxy_headers": settings.trusted_proxies is not None,
        "forwarded_allow_ips": settings.trusted_proxies or "",
    }


def collect_seldom() -> None:
    """Look for cycles of dead objects less often, and never among what stays for good.

    An answer is thousands of objects that die without a cycle: at Python's own pace looking for
    one took a fifth of a search's time, and a tenth of a second each time it went through all.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def _share_memory() -> None:
    """Let threads take memory from two pools, where the C library would give each its own, and
    give back what is free at the end of a pool.

    What one thread has freed is then used by the next: some 30 MB less in a busy shop. Left to
    itself the library keeps ever more for itself, once something large has been let go.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        for option, value in _MEMORY.values():
            set_option(option, value)
