"""The web servers: whose word counts for how a visitor came."""

from __future__ import annotations

import json
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
import uvicorn
from click.testing import CliRunner
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from comptoir.cli import cli
from comptoir.roles import server_options
from kernel.settings import Settings, load_settings

VISITOR = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}


async def who_asks(scope: Scope, receive: Receive, send: Send) -> None:
    """Says how the request came, as the shop sees it."""
    request = Request(scope)
    host = request.client.host if request.client else ""
    answer = JSONResponse({"site": str(request.base_url), "from": host})
    await answer(scope, receive, send)


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = server_options(settings)
    config = uvicorn.Config(who_asks, host="127.0.0.1", port=port, lifespan="off", **options)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def asked(url: str) -> dict[str, str]:
    with urllib.request.urlopen(urllib.request.Request(url, headers=VISITOR)) as answer:
        found: dict[str, str] = json.load(answer)
    return found


@pytest.mark.parametrize(
    ("proxies", "scheme", "visitor"),
    [
        ("", "http", "127.0.0.1"),
        ("10.0.0.0/8", "http", "127.0.0.1"),
        ("127.0.0.1", "https", "203.0.113.7"),
        ("10.0.0.0/8, 127.0.0.0/8", "https", "203.0.113.7"),
    ],
)
def test_only_a_proxy_that_is_named_says_how_a_visitor_came(
    monkeypatch: pytest.MonkeyPatch, proxies: str, scheme: str, visitor: str
) -> None:
    monkeypatch.setenv("TRUSTED_PROXIES", proxies)
    with served(load_settings()) as url:
        seen = asked(url)
    assert seen["site"].startswith(f"{scheme}://")
    assert seen["from"] == visitor


@pytest.mark.parametrize(
    ("role", "said"),
    [
        ("shop", "shop         http://127.0.0.1:8123\n"),
        ("backoffice", "backoffice   http://127.0.0.1:8001\n"),
        ("worker", "worker       looks for jobs\n"),
    ],
)
def test_a_role_by_itself_says_where_it_is(
    monkeypatch: pytest.MonkeyPatch, role: str, said: str
) -> None:
    monkeypatch.setenv("SHOP_PORT", "8123")
    monkeypatch.delenv("BACKOFFICE_PORT", raising=False)
    monkeypatch.setattr("comptoir.roles.serve", lambda _: None)
    assert CliRunner().invoke(cli, ["serve", "--role", role]).output == said
