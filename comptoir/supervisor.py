"""Child processes of one command: started together, watched, ended together.

A child that ends by itself is started again after a pause, unless it never became ready.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from comptoir.forked import Forked
from kernel.errors import DomainError

RESTART_AFTER_S = 1.0
STOP_WITHIN_S = 15.0


@dataclass(slots=True)
class Child:
    """A process to keep alive. `ready_urls` answer 2xx once it serves; none: no need to ask.

    `target` is what its command does; with it the first start is a fork of this process.
    """

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    ready_urls: tuple[str, ...] = ()
    working_folder: Path | None = None
    target: Callable[[], None] | None = None
    process: subprocess.Popen[bytes] | Forked | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start it; its output goes to the log file."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.target is not None and self.process is None:
            self.process = Forked(self.target, self.environment, self.log)
            return
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*_ending_with_us(), *self.arguments],
                env={**os.environ, **self.environment},
                cwd=self.working_folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_ready(self, timeout_s: float) -> None:
        """Return when it serves; DomainError with the end of its log when it does not."""
        deadline = time.monotonic() + timeout_s
        waiting = list(self.ready_urls)
        while waiting and time.monotonic() < deadline:
            if self.process is None or self.process.poll() is not None:
                break
            waiting = [url for url in waiting if not _answers(url)]
            if waiting:
                time.sleep(0.1)
        if waiting:
            raise DomainError(
                "child_not_ready",
                f"{self.name} did not start: {_last_lines(self.log)}",
                hint=f"Its log is {self.log}.",
            )

    def ask_to_end(self) -> None:
        """Send it the signal; `stop` waits for it."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def stop(self) -> None:
        """Ask it to end, wait, then insist."""
        self.ask_to_end()
        if self.process is None:
            return
        try:
            self.process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Supervisor:
    """Keeps children alive until `stop`. Use as a context manager."""

    def __init__(self) -> None:
        self.children: list[Child] = []
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, *children: Child, timeout_s: float = 60.0) -> None:
        """Start children together and wait until each serves."""
        for child in children:
            child.start()
            self.children.append(child)
        for child in children:
            child.wait_ready(timeout_s)
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, daemon=True)
            self._thread.start()

    def wait(self) -> None:
        """Return when SIGINT or SIGTERM arrives; more of them change nothing."""
        # A handler takes no lock: whom it interrupts may hold it, and both would wait for ever.
        woken, wake = os.pipe()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: os.write(wake, b"."))
        os.read(woken, 1)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        os.close(wake)
        os.close(woken)

    def stop(self) -> None:
        """End all children."""
        self._stopping.set()
        for child in self.children:
            child.ask_to_end()
        for child in self.children:
            child.stop()

    def _watch(self) -> None:
        while not self._stopping.wait(RESTART_AFTER_S):
            for child in list(self.children):
                ended = child.process is not None and child.process.poll() is not None
                if ended and not self._stopping.is_set():
                    sys.stderr.write(f"{child.name} ended and is started again; see {child.log}\n")
                    child.start()


@cache
def _ending_with_us() -> tuple[str, ...]:
    """Words before a command that end it when we are killed, where the system has them."""
    return ("setpriv", "--pdeathsig", "TERM") if shutil.which("setpriv") else ()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own child
            return 200 <= int(answer.status) < 300
    except (urllib.error.URLError, OSError, ValueError):
        return False


def _last_lines(log: Path, count: int = 3) -> str:
    try:
        lines = log.read_text("utf-8", "replace").strip().splitlines()
    except OSError:
        return "no output"
    return " | ".join(lines[-count:]) or "no output"
