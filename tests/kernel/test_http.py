"""Strangers' addresses: only public hosts are reached, whatever the spelling, and in bounds."""

from __future__ import annotations

import gzip
import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpcore2
import pytest

from kernel.errors import DomainError
from kernel.http import GuardedBackend, GuardedClient, HttpLimits, checked_url, is_public, resolve

Handler = Callable[["_Requests"], None]


class _Requests(BaseHTTPRequestHandler):
    """Answers by the table of paths that its server carries."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))  # type: ignore[attr-defined]
        self.server.answers[self.path](self)  # type: ignore[attr-defined]

    def reply(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    answers: dict[str, Handler]
    asked: list[tuple[str, dict[str, str]]]

    def handle_error(self, *_: object) -> None:
        pass

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_port}"


@contextmanager
def _serving(answers: dict[str, Handler]) -> Iterator[_Server]:
    server = _Server(("127.0.0.1", 0), _Requests)
    server.answers, server.asked = answers, []
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def _canary() -> Iterator[tuple[int, list[str]]]:
    """A port on every loopback address that must never be reached."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        reached: list[str] = []
        stop = threading.Event()

        def watch() -> None:
            while not stop.is_set():
                try:
                    connection, peer = listener.accept()
                except TimeoutError:
                    continue
                connection.close()
                reached.append(str(peer))

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield listener.getsockname()[1], reached
        finally:
            time.sleep(0.06)
            stop.set()
            thread.join()


def _refusal(url: str, **options: object) -> str:
    with (
        GuardedClient(**options) as client,  # type: ignore[arg-type]
        pytest.raises(DomainError) as refused,
    ):
        client.download(url, io.BytesIO())
    return refused.value.code


INWARD = [
    "127.0.0.1", "127.1", "127.0.0.2", "0.0.0.0", "0", "2130706433", "0x7f.1", "0x7f000001",
    "0177.0.0.1", "localhost", "LOCALHOST", "localhost.", "[::1]", "[::]", "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
    "[::ffff:0:7f00:1]", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "[fe80::1]", "[fc00::1]", "[fd12::1]", "100.64.0.1", "192.0.0.1", "198.18.0.1", "224.0.0.1",
    "239.1.1.1", "[ff02::1]", "255.255.255.255", "240.0.0.1", "192.0.2.1", "203.0.113.1",
    "[2001:db8::1]", "[64:ff9b::169.254.169.254]", "[2002:a9fe:a9fe::]", "[::ffff:10.0.0.1]",
    "127.0.0.1%2f", "①②⑦.⓪.⓪.①",
]  # fmt: skip


@pytest.mark.parametrize("host", INWARD)
def test_no_spelling_of_an_inward_address_is_reached(host: str) -> None:
    assert _refusal(f"http://{host}/") in {"address_refused", "download_failed"}


def test_the_connection_itself_refuses_every_inward_address() -> None:
    backend = GuardedBackend(frozenset(), resolve, lambda: 5.0)
    with _canary() as (port, reached):
        for host in INWARD:
            with pytest.raises((DomainError, httpcore2.ConnectError)):
                backend.connect_tcp(host.strip("[]"), port)
        assert reached == []
    with pytest.raises(DomainError):
        backend.connect_unix_socket("/run/docker.sock")


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "224.0.0.1", "::1",
     "100.64.0.1", "169.254.169.254", "2001:0:4136:e378:8000:63bf:80ff:fffe", "not an address",
     "fe80::1%eth0", "::ffff:0:127.0.0.1", "::"],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"],
)
def test_addresses_that_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    ["ftp://example.com/", "file:///etc/passwd", "gopher://example.com", "//example.com/x",
     "example.com/feed.xml", "http://", "http:///x", "http://user:secret@example.com/",
     "http://user@example.com/", "http://example.com:22/", "https://example.com:8443/",
     "javascript:alert(1)", "data:text/plain,x", "", "http://[::1", "http://exa mple.com:99/",
     "http://example.com:99999/"],
)  # fmt: skip
def test_addresses_refused_before_anything_is_resolved(url: str) -> None:
    with pytest.raises(DomainError) as refused:
        checked_url(url)
    assert refused.value.code == "address_refused"
    assert refused.value.hint


def test_a_name_whose_address_changes_is_judged_where_it_connects() -> None:
    """Rebinding: public when looked up first, loopback at the connection."""
    with _canary() as (port, reached):
        answers = iter([["8.8.8.8"], ["127.0.0.1"]])
        first = next(answers)
        assert is_public(first[0])

        def rebinding(_host: str, _port: int) -> list[str]:
            return next(answers)

        code = _refusal("http://rebind.example/", resolver=rebinding)
        assert code == "address_refused"
        assert port
        assert reached == []


def test_one_inward_address_among_public_ones_refuses_the_name() -> None:
    code = _refusal("http://mixed.example/", resolver=lambda *_: ["8.8.8.8", "127.0.0.1"])
    assert code == "address_refused"


def test_the_connection_goes_to_the_judged_address() -> None:
    """The name is resolved exactly once; the resolver's answer is what is connected to."""
    with _serving({"/": lambda request: request.reply(200, b"here")}) as server:
        asked: list[tuple[str, int]] = []

        def resolver(host: str, port: int) -> list[str]:
            asked.append((host, port))
            return ["127.0.0.1"]

        named = f"shop.example:{server.server_port}"
        with GuardedClient(allow_hosts={named}, resolver=resolver) as client:
            sink = io.BytesIO()
            answer = client.download(f"http://{named}/", sink)
        assert (answer.status, sink.getvalue()) == (200, b"here")
        assert asked == [("shop.example", server.server_port)]


def test_a_named_source_is_read_and_others_on_the_same_host_are_not() -> None:
    with _serving({"/feed": lambda request: request.reply(200, b"<rss/>", ETag='"1"')}) as server:
        with GuardedClient(allow_hosts={server.host}) as client:
            sink = io.BytesIO()
            answer = client.download(f"http://{server.host}/feed", sink)
        assert answer.headers["etag"] == '"1"'
        assert (sink.getvalue(), answer.body_bytes) == (b"<rss/>", 6)
        with _canary() as (port, reached):
            assert _refusal(f"http://127.0.0.1:{port}/", allow_hosts={server.host})
            assert reached == []


def test_a_redirect_inward_is_not_followed() -> None:
    with _canary() as (port, reached):
        for target in (f"http://127.0.0.2:{port}/", "http://localhost/", "file:///etc/passwd"):
            answers: dict[str, Handler] = {
                "/": lambda request, target=target: request.reply(302, Location=target)
            }
            with _serving(answers) as server:
                code = _refusal(f"http://{server.host}/", allow_hosts={server.host})
                assert code == "address_refused", target
        assert reached == []


def test_three_redirects_are_followed_and_a_fourth_is_not() -> None:
    answers: dict[str, Handler] = {
        f"/{step}": lambda request, step=step: request.reply(302, Location=f"/{step + 1}")
        for step in range(4)
    }
    answers["/4"] = lambda request: request.reply(200, b"end")
    with _serving(answers) as server, GuardedClient(allow_hosts={server.host}) as client:
        sink = io.BytesIO()
        assert client.download(f"http://{server.host}/1", sink).body_bytes == 3
        code = _refusal(f"http://{server.host}/0", allow_hosts={server.host})
        assert code == "too_many_redirects"


def test_credentials_and_cookies_do_not_travel_to_another_host() -> None:
    with _serving({"/": lambda request: request.reply(200, b"")}) as other:
        onward = f"http://{other.host}/"
        answers: dict[str, Handler] = {
            "/": lambda request: request.reply(302, Location=onward, Set_Cookie="a=b")
        }

        def resolver(host: str, port: int) -> list[str]:
            return ["127.0.0.1"] if host == "own.example" else resolve(host, port)

        with _serving(answers) as server:
            own = f"own.example:{server.server_port}"
            with GuardedClient(allow_hosts={own, other.host}, resolver=resolver) as client:
                headers = {"Authorization": "Bearer secret", "If-None-Match": '"1"'}
                client.download(f"http://{own}/", io.BytesIO(), headers)
        sent = {name.lower(): value for name, value in other.asked[0][1].items()}
        assert "authorization" not in sent
        assert "cookie" not in sent
        assert sent["if-none-match"] == '"1"'


def test_more_bytes_than_allowed_end_the_download() -> None:
    def endless(request: _Requests) -> None:
        request.send_response(200)
        request.end_headers()
        for _ in range(10_000):
            request.wfile.write(b"0" * 65536)

    limits = HttpLimits(wire_bytes=1_000_000)
    with _serving({"/": endless}) as server:
        sink = io.BytesIO()
        with (
            GuardedClient(allow_hosts={server.host}, limits=limits) as client,
            pytest.raises(DomainError) as refused,
        ):
            client.download(f"http://{server.host}/", sink)
    assert refused.value.code == "download_too_large"
    assert sink.tell() <= 1_000_000


@pytest.mark.parametrize("in_headers", [True, False])
def test_a_slow_drip_ends_with_the_time_of_the_download(in_headers: bool) -> None:
    def drip(request: _Requests) -> None:
        if not in_headers:
            request.send_response(200)
            request.send_header("Content-Length", "1000")
            request.end_headers()
        for _ in range(100):
            request.wfile.write(b"H")
            request.wfile.flush()
            time.sleep(0.05)

    limits = HttpLimits(total_s=0.4, read_s=5.0)
    with _serving({"/": drip}) as server:
        began = time.monotonic()
        code = _refusal(f"http://{server.host}/", allow_hosts={server.host}, limits=limits)
        assert code == "download_failed"
        assert time.monotonic() - began < 2.0


def test_compression_on_the_wire_is_kept_as_sent_and_rare_ones_refused() -> None:
    packed = gzip.compress(b"0" * 1_000_000)
    answers: dict[str, Handler] = {
        "/gzip": lambda request: request.reply(200, packed, Content_Encoding="gzip"),
        "/br": lambda request: request.reply(200, b"x", Content_Encoding="br"),
    }
    with _serving(answers) as server, GuardedClient(allow_hosts={server.host}) as client:
        sink = io.BytesIO()
        client.download(f"http://{server.host}/gzip", sink)
        assert sink.getvalue() == packed
        with pytest.raises(DomainError) as refused:
            client.download(f"http://{server.host}/br", io.BytesIO())
        assert refused.value.code == "download_encoding"


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with _canary() as (port, reached), _serving({"/": lambda r: r.reply(200, b"x")}) as server:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        with GuardedClient(allow_hosts={server.host}) as client:
            assert client.download(f"http://{server.host}/", io.BytesIO()).status == 200
        assert reached == []


def test_a_server_that_is_not_there_is_a_refusal_with_a_reason() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    host = f"127.0.0.1:{port}"
    assert _refusal(f"http://{host}/", allow_hosts={host}) == "download_failed"


def test_a_certificate_that_cannot_be_checked_ends_the_download() -> None:
    with _serving({}) as plain:
        code = _refusal(f"https://{plain.host}/", allow_hosts={plain.host})
    assert code == "download_failed"
