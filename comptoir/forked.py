"""A process made by forking one that has everything imported: a role starts in a tenth of the time.

Only for a parent without threads and open connections. A role that ends later is started anew as
a process of its own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path


class Forked:
    """What `subprocess.Popen` is to a supervisor: pid, poll, terminate, wait."""

    def __init__(
        self, target: Callable[[], None], environment: Mapping[str, str], log: Path
    ) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            os._exit(_run(target, environment, log))

    def poll(self) -> int | None:
        """The exit status, or None while it runs."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def terminate(self) -> None:
        """Ask it to end."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGTERM)

    def wait(self, timeout: float | None = None) -> int:
        """The exit status, once it has ended. subprocess.TimeoutExpired where it does not."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("forked", timeout or 0)
            time.sleep(0.02)
        return code


def _end_with(parent: int) -> None:
    """Have the kernel end this process when its parent is killed (Linux; elsewhere nothing)."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os._exit(1)


def _run(target: Callable[[], None], environment: Mapping[str, str], log: Path) -> int:
    """The life of the child; answers its exit status."""
    try:
        os.setsid()
        _end_with(os.getppid())
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        os.environ.update(environment)
        written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(written, 1)
        os.dup2(written, 2)
        target()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    except BaseException:  # noqa: BLE001 - a child has nobody to raise to but its log
        traceback.print_exc()
        sys.stderr.flush()
        return 1
    return 0
