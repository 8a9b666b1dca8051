"""One exchange with a peer that keeps its connections, ends them, drips, or answers in parts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from checkout import peer_http
from checkout.peer_http import AnswerLost, NeverSent, PeerClient, PeerLimits
from tests.little_server import Answering, LittleServer
from tests.peers import free_port


@contextmanager
def peer(answer: Callable[[Answering], None]) -> Iterator[tuple[str, list[int]]]:
    """A peer that answers so: its address, and a number for each connection made to it."""
    connections: list[int] = []

    class Handler(Answering):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            connections.append(len(connections))
            super().setup()

        def answer(self) -> None:
            self.taken()
            answer(self)

    server = LittleServer(Handler)
    try:
        yield server.url, connections
    finally:
        server.close()


@pytest.fixture(autouse=True)
def _kept_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is, a connection is not too old."""
    monkeypatch.setattr(peer_http, "_KEPT_S", 600.0)


def test_a_connection_is_used_again() -> None:
    with peer(lambda handler: handler.reply(200, b'{"a": 1}')) as (url, connections):
        client = PeerClient(url)
        answers = [client.exchange("POST", "/x", json_body={}) for _ in range(3)]
        client.close()
    assert [answer.body for answer in answers] == [{"a": 1}] * 3
    assert len(connections) == 1


def test_a_connection_that_the_peer_ended_is_not() -> None:
    def answers_once(handler: Answering) -> None:
        handler.reply(200, b"1")
        handler.close_connection = True

    with peer(answers_once) as (url, connections):
        client = PeerClient(url)
        assert client.exchange("GET", "/x").body == 1
        _wait_until_ended(client)
        assert client.exchange("GET", "/x").body == 1
    assert len(connections) == 2


def test_an_answer_in_chunks_is_read_whole() -> None:
    def in_chunks(handler: Answering) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.send_header("Set-Cookie", "a=1")
        handler.send_header("Set-Cookie", "b=2")
        handler.end_headers()
        handler.wfile.write(b"3\r\n[1,\r\n2\r\n2]\r\n0\r\n\r\n")

    with peer(in_chunks) as (url, connections):
        client = PeerClient(url)
        first, second = client.exchange("GET", "/x"), client.exchange("GET", "/x")
    assert first.body == second.body == [1, 2]
    assert first.set_cookies == ("a=1", "b=2")
    assert len(connections) == 1


def test_an_answer_that_ends_early_is_lost() -> None:
    def too_short(handler: Answering) -> None:
        handler.reply(200, b"{}", {"Content-Length": "90"})
        handler.close_connection = True

    with peer(too_short) as (url, _), pytest.raises(AnswerLost, match="88 bytes early"):
        PeerClient(url).exchange("GET", "/x")


def test_an_answer_is_bounded_in_size_and_time() -> None:
    def drips(handler: Answering) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(600):
            handler.wfile.write(b" " * 100)
            handler.wfile.flush()
            time.sleep(0.02)

    with peer(lambda handler: handler.reply(200, b"x" * 2000)) as (url, _):
        small = PeerClient(url, limits=PeerLimits(bytes=1999))
        with pytest.raises(AnswerLost, match="larger than 1999"):
            small.exchange("GET", "/x")
    with peer(drips) as (url, _):
        hasty = PeerClient(url, limits=PeerLimits(whole_s=0.1))
        with pytest.raises(AnswerLost, match=r"longer than 0\.1 s"):
            hasty.exchange("GET", "/x")


@pytest.mark.parametrize(
    ("begin", "more"),
    [
        (b"HTTP/1.1 200 ", b"O"),
        (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x"),
        (b"HTTP/1.1 200 OK\r\n", b"X-More: 1\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
)
def test_an_answer_whose_beginning_drips_is_bounded_in_time(begin: bytes, more: bytes) -> None:
    """Never long silent, and never done: a status, a header, headers, or interim answers."""
    given_up = threading.Event()

    def drips(handler: Answering) -> None:
        handler.close_connection = True
        handler.wfile.write(begin)
        while not given_up.wait(0.02):
            handler.wfile.write(more)

    with peer(drips) as (url, _):
        client = PeerClient(url, limits=PeerLimits(silence_s=60, whole_s=0.3))
        try:
            with pytest.raises(AnswerLost, match=r"longer than 0\.3 s"):
                client.exchange("GET", "/x")
        finally:
            given_up.set()


def test_each_exchange_on_a_connection_has_its_own_time() -> None:
    def slowly(handler: Answering) -> None:
        time.sleep(0.3)
        handler.reply(200, b"1")

    with peer(slowly) as (url, connections):
        client = PeerClient(url, limits=PeerLimits(whole_s=0.9))
        assert [client.exchange("GET", "/x").body for _ in range(4)] == [1] * 4
    assert len(connections) == 1


def test_what_nobody_hears_was_never_sent() -> None:
    for address in (f"http://127.0.0.1:{free_port()}", "ftp://127.0.0.1"):
        with pytest.raises(NeverSent):
            PeerClient(address).exchange("POST", "/x", json_body={})


def _wait_until_ended(client: PeerClient) -> None:
    """Until the news has come that the peer has ended the connection."""
    deadline = time.monotonic() + 30
    (connection, _) = client._idle[-1]
    while not peer_http._has_ended(connection):
        assert time.monotonic() < deadline
        time.sleep(0.01)
