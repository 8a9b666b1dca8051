"""The outside peers of a purchase as real servers, for the tests: shop, provider, faulty wire."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from checkout.merchant_connectors import open_connector
from checkout.merchant_connectors.port import MerchantConnector
from checkout.payment_providers import ProviderSettings, open_provider
from checkout.payment_providers.port import PaymentProvider
from comptoir.merchant_oscar.install import (
    DATABASE,
    PLATFORM_USER,
    OscarInstallation,
    clone_shop,
    install_shop,
)
from comptoir.merchant_oscar.run import load_catalogue, start_shop, wait_ready
from tests.little_server import Answering, LittleServer

REPOSITORY = Path(__file__).resolve().parents[1]
# One for all: making a client costs more than a call. No connection is kept across a restart.
http = httpx2.Client(timeout=30, trust_env=False, limits=httpx2.Limits(max_keepalive_connections=0))


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process that we started, and wait for it."""
    process.terminate()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@dataclass
class Shop:
    """A running Oscar shop."""

    installation: OscarInstallation
    url: str
    scratch: Path
    placing = "/api/checkout/"  # words in the request lines, for a FaultyWire
    cancelling = "/cancel/"
    sells_the_last_item_twice = True
    overlooks_when_placing = ("gone",)
    wrong_account = {"password": "wrong"}  # noqa: RUF012 - never changed

    def load(self, *sheets: dict[str, Any]) -> str:
        """Load sheets into the catalogue."""
        file = self.scratch / "sheets.jsonl"
        file.write_text("\n".join(map(json.dumps, sheets)), encoding="utf-8")
        return load_catalogue(self.installation, file)

    def set_article(
        self, sku: str, *, price: int, stock: int, delivery: dict[str, int] | None = None
    ) -> None:
        """Change an article straight in the shop's database, as its own till would."""
        with closing(sqlite3.connect(self.installation.data_dir / DATABASE, timeout=20)) as shop:
            (product,) = shop.execute(
                "UPDATE partner_stockrecord SET price = ?, num_in_stock = ? WHERE partner_sku = ?"
                " RETURNING product_id",
                (f"{price / 100:.2f}", stock, sku),
            ).fetchone()
            shop.execute("DELETE FROM delivery_deliveryprice WHERE product_id = ?", (product,))
            shop.executemany(
                "INSERT INTO delivery_deliveryprice (product_id, country, price_minor)"
                " VALUES (?, ?, ?)",
                [(product, *row) for row in (delivery or {}).items()],
            )
            shop.commit()

    def turn(self, number: str, status: str) -> None:
        """Have an order in another state, as the shop's own people would."""
        with closing(sqlite3.connect(self.installation.data_dir / DATABASE, timeout=20)) as shop:
            changed = shop.execute(
                "UPDATE order_order SET status = ? WHERE number = ?", (status.capitalize(), number)
            )
            assert changed.rowcount == 1
            shop.commit()

    def settings(self, **others: str) -> dict[str, str]:
        """The connector's settings."""
        password = self.installation.password("platform")
        return {"url": self.url, "username": PLATFORM_USER, "password": password} | others

    def connector(self, **others: str) -> MerchantConnector:
        """A connector to the shop."""
        return open_connector("oscar", self.settings(**others))


@contextmanager
def running_shop(scratch: Path) -> Iterator[Shop]:
    """A real Oscar shop with an empty catalogue; installed once, copied for each use."""
    home = os.environ.get("COMPTOIR_TEST_OSCAR_HOME", str(REPOSITORY / ".comptoir" / "test-oscar"))
    installed = install_shop(Path(home), None, lambda step: print(step, file=sys.stderr))  # noqa: T201
    installation = clone_shop(installed, scratch / "shop")
    port = free_port()
    process = start_shop(installation, port)
    try:
        wait_ready(f"http://127.0.0.1:{port}", 60)
        yield Shop(installation, f"http://127.0.0.1:{port}", scratch)
    finally:
        end(process)


@dataclass
class Simulator:
    """A running payment simulator."""

    data: Path
    port: int
    process: subprocess.Popen[bytes]
    url: str = ""
    keys: dict[str, str] = field(default_factory=dict)

    def start(self) -> None:
        """Start, or start again on the same data and port."""
        command = [sys.executable, "-m", "comptoir.payment_simulator"]
        self.process = subprocess.Popen(
            [*command, "--port", str(self.port), "--data", str(self.data)], cwd=REPOSITORY
        )
        self.url = f"http://127.0.0.1:{self.port}"
        wait_for(lambda: http.get(f"{self.url}/health").status_code == 200)
        self.keys = json.loads((self.data / "platform.json").read_text(encoding="utf-8"))

    def kill(self) -> None:
        """As the power fails: no chance to tidy up."""
        self.process.kill()
        self.process.wait()

    def call(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """A raw call with the platform's key."""
        headers = {"Authorization": f"Bearer {self.keys['api_key']}"} | options.pop("headers", {})
        return http.request(method, self.url + path, headers=headers, **options)

    def fault(self, operation: str, kind: str, **more: float) -> None:
        """Switch a fault on."""
        body = {"operation": operation, "kind": kind} | more
        assert self.call("POST", "/v1/test/faults", json=body).status_code == 200

    def wait_until_struck(self) -> None:
        """Wait until every fault that was switched on has hit its request."""
        wait_for(lambda: self.call("GET", "/v1/test/faults").json() == {"faults": []})

    def settings(self, url: str | None = None) -> ProviderSettings:
        """The adapter's settings."""
        return ProviderSettings(url or self.url, self.keys["api_key"], self.keys["webhook_secret"])

    def provider(self) -> PaymentProvider:
        """An adapter to it."""
        return open_provider("simulator", self.settings())


@contextmanager
def running_simulator(data: Path) -> Iterator[Simulator]:
    """A real simulator process on a fresh folder."""
    simulator = Simulator(data, free_port(), subprocess.Popen(["true"]))
    simulator.process.wait()
    simulator.start()
    try:
        yield simulator
    finally:
        end(simulator.process)


def wait_for(condition: Callable[[], bool], timeout_s: float = 20) -> None:
    """Wait until a condition holds; a refused connection counts as not yet."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"not true within {timeout_s} s")


@dataclass
class Received:
    """One request that a listener got."""

    path: str
    headers: dict[str, str]
    body: bytes


class Listener:
    """A small HTTP server that keeps what it gets and answers with the statuses it was given."""

    def __init__(self, statuses: list[int] | None = None) -> None:
        self.received: list[Received] = []
        self.statuses = statuses or []
        listener = self

        class Handler(Answering):
            def answer(self) -> None:
                headers = dict(self.headers.items())
                listener.received.append(Received(self.path, headers, self.taken()))
                self.reply(listener.statuses.pop(0) if listener.statuses else 200, b"{}")

        self._server = LittleServer(Handler)
        self.url = self._server.url

    def close(self) -> None:
        """Stop listening."""
        self._server.close()


class FaultyWire:
    """A relay to a peer that fails as networks do, when told to.

    `lose` is a word in the request line, such as a path, whose answers are lost after the request
    was handed on; `drop` one whose requests are lost; `just_before` is done, once, when a request
    with the word of `at` passes. `slow_s` is added to every request; `is_down` ends them all.
    """

    def __init__(self, target: str) -> None:
        host, _, port = target.removeprefix("http://").partition(":")
        self._target = (host, int(port))
        self.lose: str | None = None
        self.lost = 0
        self.drop: str | None = None
        self.dropped = 0
        self.at = ""
        self.just_before: Callable[[], None] | None = None
        self.slow_s = 0.0
        self.is_down = False
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop accepting."""
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._relay, args=(client,), daemon=True).start()

    def _relay(self, client: socket.socket) -> None:
        """One request a connection: read it whole, pass it on, pass the answer back or lose it."""
        with client, socket.create_connection(self._target) as peer:
            if self.is_down:
                return
            request = self._whole_request(client)
            head, _, body = request.partition(b"\r\n\r\n")
            first_line = head.split(b"\r\n", 1)[0].decode()
            if self.drop and self.drop in first_line:
                self.dropped += 1
                return
            if self.just_before is not None and self.at in first_line:
                act, self.just_before = self.just_before, None
                act()
            time.sleep(self.slow_s)
            peer.sendall(head + b"\r\nConnection: close\r\n\r\n" + body)
            answer = bytearray()
            while chunk := peer.recv(65536):
                answer += chunk
            if self.lose and self.lose in first_line:
                self.lost += 1
                return
            client.sendall(answer)

    @staticmethod
    def _whole_request(client: socket.socket) -> bytes:
        request = bytearray()
        while b"\r\n\r\n" not in request:
            request += client.recv(65536)
        head, _, body = bytes(request).partition(b"\r\n\r\n")
        length = 0
        lines = []
        for line in head.split(b"\r\n"):
            name = line.split(b":")[0].lower()
            if name == b"content-length":
                length = int(line.split(b":")[1])
            if name != b"connection":
                lines.append(line)
        while len(body) < length:
            body += client.recv(65536)
        return b"\r\n".join(lines) + b"\r\n\r\n" + body
