"""A role that ends is started again, renewed ones follow each other, and no request fails."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import psutil
import pytest

from kernel.db import Database
from tenants.brand import read_brand_file
from tenants.registry import apply_brand
from tests.conftest import fresh_database
from tests.peers import free_port

BUNDLED = Path(__file__).resolve().parents[2] / "tenants" / "bundled"
LONGEST_S = 30.0
PATHS = ("/healthz", "/legal/notice")


@dataclass
class Served:
    """All roles under one roof, with the shop's port."""

    process: subprocess.Popen[str]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def shop(self) -> int:
        """The process that answers for the shop now: a connection to it shows."""
        with httpx2.Client(base_url=self.url, trust_env=False, timeout=LONGEST_S) as client:
            assert client.get("/healthz").is_success
            for child in psutil.Process(self.process.pid).children():
                with suppress(psutil.NoSuchProcess):
                    for each in child.net_connections("tcp"):
                        if each.status == "ESTABLISHED" and each.laddr.port == self.port:
                            return child.pid
        raise AssertionError("nobody answers for the shop")

    def another_than(self, pid: int) -> int:
        """The shop's next process."""
        deadline = time.monotonic() + LONGEST_S
        while (now := self.shop()) == pid:
            assert time.monotonic() < deadline, "the process is still the same"
            time.sleep(0.1)
        return now


@dataclass
class Visitors:
    """What visitors have met: answers, the longest wait, failures by kind."""

    answers: int = 0
    longest_s: float = 0.0
    failed: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, get: Callable[[str], httpx2.Response], path: str) -> None:
        began = time.monotonic()
        try:
            answer = get(path)
            said = "" if answer.is_success else str(answer.status_code)
        except httpx2.HTTPError as error:
            said = type(error).__name__
        with self.lock:
            self.answers += not said
            self.longest_s = max(self.longest_s, time.monotonic() - began)
            if said:
                self.failed.append(said)


@pytest.fixture
def served(postgres_url: str, tmp_path: Path) -> Iterator[Served]:
    url, port = fresh_database(postgres_url), free_port()
    database = Database(url)
    with database.platform() as tx:
        apply_brand(tx, *read_brand_file(BUNDLED / "mirabelle.toml"))
    database.close()
    environment = os.environ | {
        "COMPTOIR_DATA": str(tmp_path / "data"),
        "DATABASE_URL": url,
        "SHOP_PORT": str(port),
        "BACKOFFICE_PORT": str(free_port()),
        "BRAND_BY_QUERY": "true",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "comptoir.cli", "serve"],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdout.readline().split()[:1] == ["shop"]
        yield Served(process, port)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@contextmanager
def visitors(served: Served, count: int = 4) -> Iterator[Visitors]:
    """Some that connect anew for every request, as many that keep their connection."""
    seen, over = Visitors(), threading.Event()

    def anew() -> None:
        while not over.is_set():
            with httpx2.Client(base_url=served.url, trust_env=False, timeout=LONGEST_S) as client:
                for path in PATHS[:1]:
                    seen.ask(client.get, path)

    def keeping() -> None:
        with httpx2.Client(base_url=served.url, trust_env=False, timeout=LONGEST_S) as client:
            while not over.is_set():
                for path in PATHS:
                    seen.ask(client.get, path)

    threads = [threading.Thread(target=each) for each in (anew, keeping) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(0.5)
        yield seen
        time.sleep(0.5)
    finally:
        over.set()
        for thread in threads:
            thread.join(LONGEST_S)


def test_no_request_fails_while_the_shop_ends_and_is_started_again(
    served: Served, record_property: Callable[[str, object], None]
) -> None:
    before = served.shop()
    with visitors(served) as seen:
        os.kill(before, signal.SIGTERM)
        served.another_than(before)
    assert seen.failed == []
    assert seen.answers > 20
    assert seen.longest_s < LONGEST_S
    record_property(f"answers, none failed, the longest after {seen.longest_s:.1f} s", seen.answers)


def test_no_request_fails_and_none_waits_long_while_all_roles_are_renewed(
    served: Served, record_property: Callable[[str, object], None]
) -> None:
    before = served.shop()
    with visitors(served) as seen:
        served.process.send_signal(signal.SIGUSR1)
        between = served.another_than(before)
        served.process.send_signal(signal.SIGUSR1)
        served.another_than(between)
    assert seen.failed == []
    assert seen.answers > 50
    record_property(f"answers, none failed, the longest after {seen.longest_s:.1f} s", seen.answers)


def test_who_comes_while_a_killed_shop_is_started_again_waits_and_is_answered(
    served: Served,
) -> None:
    before = served.shop()
    with visitors(served, 2) as seen:
        os.kill(before, signal.SIGKILL)
        served.another_than(before)
    # What was being answered at that moment is lost, once for each visitor; nobody is turned away.
    assert len(seen.failed) <= 4
    assert "ConnectError" not in seen.failed
    assert seen.answers > 20
