"""A running protocol merchant and a platform's site beside it, for the tests of UCP and ACP."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from checkout.merchant_connectors import open_connector
from checkout.merchant_connectors._ucp_profiles import (
    instrument_schema,
    platform_profile,
    profile_address,
)
from checkout.merchant_connectors._ucp_signatures import platform_key
from checkout.merchant_connectors.port import MerchantConnector
from tests.little_server import Answering, LittleServer
from tests.peers import REPOSITORY, Received, end, free_port, http, wait_for

MERCHANT = "acme"


class PlatformSite:
    """What a merchant sees of us: our profile, and an address that takes its notices."""

    def __init__(self, scratch: Path) -> None:
        self.key_file = scratch / "platform-key.pem"
        self.received: list[Received] = []
        self.statuses: list[int] = []
        self.hold_back = False
        site = self

        class Handler(Answering):
            def answer(self) -> None:
                status, body = self.profile() if self.command == "GET" else self.notice()
                self.reply(status, body, {"Content-Type": "application/json"})

            def profile(self) -> tuple[int, bytes]:
                asked = {k: v[0] for k, v in parse_qs(urlsplit(self.path).query).items()}
                body: dict[str, Any] = instrument_schema(site.url)
                if "merchant" in asked:
                    jwk = platform_key(site.key_file).public_jwk()
                    body = platform_profile(site.url, asked["merchant"], asked["version"], jwk)
                return 200, json.dumps(body).encode()

            def notice(self) -> tuple[int, bytes]:
                headers = dict(self.headers.items())
                site.received.append(Received(self.path, headers, self.taken()))
                return site.statuses.pop(0) if site.statuses else 200, b"{}"

        self._server = LittleServer(Handler)
        self.url = self._server.url

    def close(self) -> None:
        """Stop listening."""
        self._server.close()


@dataclass
class ProtocolShop:
    """A running merchant as one of its protocols sees it; has what `tests.peers.Shop` has."""

    name: str
    url: str
    data: Path
    site: PlatformSite
    process: subprocess.Popen[bytes]
    placing: str = "/complete"
    cancelling: str = ""
    sells_the_last_item_twice: bool = False
    overlooks_when_placing: Sequence[str] = ()
    keys: dict[str, str] = field(default_factory=dict)
    wrong_account: dict[str, str] = field(default_factory=lambda: {"password": "wrong"})

    def call(self, method: str, path: str, body: Any = None) -> httpx2.Response:
        """A call with the shop's own key."""
        headers = {"Authorization": f"Bearer {self.keys['api_key']}"}
        return http.request(method, self.url + path, headers=headers, json=body)

    def load(self, *sheets: dict[str, Any]) -> str:
        """Put articles on sale."""
        counted = self.call("PUT", "/shop/articles", list(sheets)).json()
        return f"{counted['new']} new, {counted['known']} known, 0 refused"

    def set_article(
        self, sku: str, *, price: int, stock: int, delivery: dict[str, int] | None = None
    ) -> None:
        """Change an article."""
        row = {"sku": sku, "title": "Grille-pain Lumière", "price_minor": price, "stock": stock}
        answer = self.call("PUT", "/shop/articles", [row | {"delivery": delivery or {}}])
        assert answer.status_code == 200, answer.text

    def settings(self, **others: str) -> dict[str, str]:
        """The connector's settings."""
        origin = others.pop("url", self.url)
        if self.name == "acp":
            known = {
                "password": self.keys["api_key"],
                "webhook_secret": self.keys["webhook_secret"],
            }
            return {"url": f"{origin}/acp"} | known | others
        # Another password is another key than the one that our profile names.
        key_file = self.site.key_file.with_suffix(f".{others.pop('password', 'pem')}")
        profile = profile_address(self.site.url, MERCHANT)
        return {"url": origin, "platform_profile": profile, "platform_key": str(key_file)} | others

    def connector(self, **others: str) -> MerchantConnector:
        """A connector to the shop."""
        return open_connector(self.name, self.settings(**others))

    def fault(self, operation: str, kind: str, **more: float) -> None:
        """Switch a fault on."""
        wanted = {"operation": operation, "kind": kind} | more
        assert self.call("POST", "/test/faults", wanted).status_code == 200

    def turn(self, order: str, status: str) -> None:
        """The shop's people turn an order into another state."""
        assert self.call("POST", f"/shop/orders/{order}", {"status": status}).status_code == 200

    def books(self) -> dict[str, Any]:
        """Orders, notices, and what broke a schema."""
        answer: dict[str, Any] = self.call("GET", "/test/books").json()
        return answer


@contextmanager
def running_merchant(
    scratch: Path, *options: str, schemas: Path | None = None
) -> Iterator[ProtocolShop]:
    """A real merchant process on a fresh folder; `options` are its own."""
    site = PlatformSite(scratch)
    port, data = free_port(), scratch / "merchant"
    given: Sequence[str] = () if schemas is None else ("--schemas", str(schemas))
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "comptoir.protocol_merchant", "--port", str(port)),
            *("--data", str(data), "--platform", site.url, *given, *options),
        ],
        cwd=REPOSITORY,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: http.get(f"{url}/health").status_code == 200, timeout_s=60)
        shop = ProtocolShop("ucp", url, data, site, process)
        shop.keys = json.loads((data / "platform.json").read_text("utf-8"))
        yield shop
    finally:
        end(process)
        site.close()


def _checked(scratch: Path, shared: Path, name: str) -> Iterator[ProtocolShop]:
    with running_merchant(scratch, schemas=shared / "specs") as shop:
        shop.name = name
        yield shop
        assert shop.books()["violations"] == []


@pytest.fixture(scope="session")
def ucp_shop(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Iterator[ProtocolShop]:
    """A merchant by UCP; every message is checked against the published schemas."""
    yield from _checked(tmp_path_factory.mktemp("ucp"), shared, "ucp")


@pytest.fixture(scope="session")
def acp_shop(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Iterator[ProtocolShop]:
    """A merchant by ACP, likewise."""
    yield from _checked(tmp_path_factory.mktemp("acp"), shared, "acp")
