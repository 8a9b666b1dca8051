"""Child processes of one command: started together, watched, ended together.

A child that ends by itself is started again after a pause, unless it never became ready.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
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
from comptoir.listening import LISTENER, READY
from kernel.errors import DomainError

RESTART_AFTER_S = 1.0
STOP_WITHIN_S = 15.0


@dataclass(slots=True)
class Child:
    """A process to keep alive. `ready_urls` answer 2xx once it serves; none: no need to ask.

    `target` is what its command does; with it the first start is a fork of this process.
    `listener` is the socket that it takes requests from: held here, so that visitors who come while
    it is started again wait.
    """

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    ready_urls: tuple[str, ...] = ()
    working_folder: Path | None = None
    target: Callable[[], None] | None = None
    listener: socket.socket | None = None
    process: subprocess.Popen[bytes] | Forked | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start it; its output goes to the log file."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.target is not None and self.process is None:
            self.process = Forked(self.target, {**self.environment, **self._held()}, self.log)
            return
        self.process = self._spawn()

    def renew(self, timeout_s: float) -> None:
        """Start it anew by its command. One with a listener serves before the former one ends;
        DomainError `child_not_ready`, and the former one goes on, where it does not.
        """
        before = self.process
        if self.listener is None:
            self.stop()
            self.start()
            return
        heard, told = os.pipe()
        try:
            after = self._spawn(told)
            os.close(told)
            # Closed without a word: it has ended.
            is_ready = bool(select.select([heard], [], [], timeout_s)[0]) and os.read(heard, 1)
        finally:
            os.close(heard)
        if not is_ready:
            _end(after)
            raise self._not_ready()
        self.process = after
        if before is not None:
            _end(before)

    def _spawn(self, told: int | None = None) -> subprocess.Popen[bytes]:
        held = self._held() if told is None else {**self._held(), READY: str(told)}
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*_ending_with_us(), *self.arguments],
                env={**os.environ, **self.environment, **held},
                cwd=self.working_folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=[int(number) for number in held.values()],
            )

    def _held(self) -> dict[str, str]:
        """Descriptors that are handed on, by the names that the child looks for."""
        return {} if self.listener is None else {LISTENER: str(self.listener.fileno())}

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
            raise self._not_ready()

    def _not_ready(self) -> DomainError:
        return DomainError(
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
        if self.process is not None:
            _end(self.process)


class Supervisor:
    """Keeps children alive until `stop`. Use as a context manager."""

    def __init__(self) -> None:
        self.children: list[Child] = []
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

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

    def renew(self, timeout_s: float = 60.0) -> None:
        """Start every child anew, one after the other; who cannot is told and goes on as it was."""
        for child in self.children:
            with self._starting:
                try:
                    child.renew(timeout_s)
                except DomainError as refused:
                    sys.stderr.write(f"{refused.message} The former one goes on.\n")

    def wait(self) -> None:
        """Return when SIGINT or SIGTERM arrives; more of them change nothing. SIGUSR1 renews."""
        # A handler takes no lock: whom it interrupts may hold it, and both would wait for ever.
        woken, wake = os.pipe()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: os.write(wake, b"."))
        signal.signal(signal.SIGUSR1, lambda *_: os.write(wake, b"r"))
        while os.read(woken, 1) == b"r":
            self.renew()
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
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
                with self._starting:
                    ended = child.process is not None and child.process.poll() is not None
                    if ended and not self._stopping.is_set():
                        told = f"{child.name} ended and is started again; see {child.log}\n"
                        sys.stderr.write(told)
                        child.start()


def _end(process: subprocess.Popen[bytes] | Forked) -> None:
    """Ask it to end, wait, then insist."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


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
