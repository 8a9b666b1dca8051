"""One running demonstration for the whole test run: six ports, a data folder, real processes.

Fresh unless COMPTOIR_TEST_DEMO_HOME names a folder to keep; one that runs there already is used
and left running. Its Oscar shop is a copy of the installation that the other tests use, so its
packages are installed once for a checkout.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa

from comptoir.demo.plan import DemoPlan
from comptoir.embedded import postgres
from comptoir.merchant_oscar.install import (
    DATABASE_STAMP,
    VENV_STAMP,
    OscarInstallation,
    clone_shop,
    install_shop,
)
from kernel.db import Database
from tests.peers import REPOSITORY, end, http

READY_WITHIN_S = 540


@dataclass
class Demo:
    """A running demonstration; `told` is what it said on the terminal."""

    plan: DemoPlan
    process: subprocess.Popen[bytes] | None = None
    told: str = ""

    @property
    def url(self) -> str:
        """Address of the shop."""
        return self.plan.shop

    @property
    def oscar(self) -> OscarInstallation:
        """The merchant's shop on disk."""
        return OscarInstallation(self.plan.data / "oscar")

    def environment(self) -> dict[str, str]:
        """What a `comptoir` command needs to work on this demonstration."""
        return {**os.environ, **self.plan.environment()}

    def command(self, *arguments: str, timeout_s: float = 240) -> str:
        """Run a command of ours on it; what it said."""
        done = subprocess.run(
            [sys.executable, "-m", "comptoir.cli", *arguments],
            env=self.environment(),
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    @cached_property
    def database(self) -> Database:
        """The truth behind the shop."""
        return Database(postgres.start(self.plan.data / "postgres"), pool_size=1)

    def rows(self, statement: str, **values: object) -> list[Any]:
        """Ask the database."""
        with self.database.platform() as tx:
            return list(tx.execute(sa.text(statement), values))

    def visitor(self, brand: str, language: str = "en") -> httpx2.Client:
        """Somebody without scripts in one of the shops; redirections are left to the caller."""
        cookies = {"brand": brand, "lang": language}
        return httpx2.Client(base_url=self.url, cookies=cookies, timeout=60, trust_env=False)

    def provider(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """Ask the payment provider with the platform's key."""
        key = self.plan.environment()["PAYMENT_API_KEY"]
        answer = http.request(
            method, self.plan.payment + path, headers={"Authorization": f"Bearer {key}"}, **options
        )
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def start(self) -> None:
        """Start it and wait until the shop answers."""
        log = self.plan.data / "demo.log"
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [*_COMMAND, "--port", str(self.plan.port)],
                env={
                    **os.environ,
                    "COMPTOIR_DATA": str(self.plan.data),
                    # All visitors of the tests have one address.
                },
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + READY_WITHIN_S
        while "Ctrl-C stops everything." not in (told := log.read_text("utf-8", "replace")):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                pytest.fail(f"the demonstration did not start:\n{told}")
            time.sleep(0.2)
        self.told = told

    def stop(self) -> None:
        """End it and its children."""
        if self.process is not None:
            end(self.process)


_COMMAND = (sys.executable, "-m", "comptoir.cli", "demo")


def ports_in_a_row(count: int = 6) -> int:
    """The first of `count` ports in a row that nobody listens on."""
    for first in range(21000 + os.getpid() % 900 * 10, 32000, 10):
        try:
            for port in range(first, first + count):
                with closing(socket.socket()) as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first
    raise AssertionError("no six free ports in a row")


def kept_port(folder: Path) -> int:
    """The port of the run before: another one would load everything again."""
    state = folder / "demo.json"
    if state.is_file():
        return int(json.loads(state.read_text("utf-8"))["port"])
    return ports_in_a_row()


def is_running(plan: DemoPlan) -> bool:
    """True where the shop of this folder answers already."""
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", plan.port)) == 0


def share_oscar(folder: Path) -> None:
    """Put a copy of the tests' Oscar installation where the demonstration looks for its own."""
    if folder.exists():
        return
    home = os.environ.get("COMPTOIR_TEST_OSCAR_HOME", str(REPOSITORY / ".comptoir" / "test-oscar"))
    installed = install_shop(Path(home), None, lambda step: None)
    clone_shop(installed, folder)
    for stamp in (VENV_STAMP, DATABASE_STAMP):
        shutil.copy2(installed.data_dir / stamp, folder / stamp)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demonstration, loaded and serving; one for the whole run."""
    kept = os.environ.get("COMPTOIR_TEST_DEMO_HOME")
    folder = Path(kept) if kept else tmp_path_factory.mktemp("demo")
    folder.mkdir(parents=True, exist_ok=True)
    share_oscar(folder / "oscar")
    running = Demo(DemoPlan(folder.absolute(), kept_port(folder)))
    if not is_running(running.plan):
        running.start()
    try:
        yield running
    finally:
        running.stop()
