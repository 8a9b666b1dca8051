"""Nodes that are dead, silent, busy or no Elasticsearch: another is asked, or a sentence said."""

from __future__ import annotations

import socket
import socketserver
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from comptoir.embedded.elasticsearch import free_port
from indexer.elasticsearch import ElasticsearchEngine, connection
from indexer.elasticsearch.connection import node_urls, shown_url
from indexer.engine import SearchRequest
from kernel.errors import DomainError
from tests.contracts.search_engines import fill
from tests.indexer.documents import document, upsert
from tests.little_server import Answering, LittleServer


@contextmanager
def silent_node() -> Iterator[str]:
    """It takes the connection and says nothing: a process that hangs."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@contextmanager
def answering_node(status: int, body: bytes) -> Iterator[str]:
    """It gives every question the same answer."""

    class Answer(Answering):
        def answer(self) -> None:
            self.taken()
            self.reply(status, body, {"content-type": "application/json"})

    server = LittleServer(Answer)
    try:
        yield server.url
    finally:
        server.close()


@contextmanager
def attentive_node(first_reads: list[bytes]) -> Iterator[str]:
    """It notes what the first read of each request brings, and answers as an empty index does."""
    body = b'{"hits":{"total":{"value":0},"hits":[]}}'
    head = b"HTTP/1.1 200 OK\r\nX-Elastic-Product: Elasticsearch\r\nContent-Type: application/json"
    answer = head + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    class Attentive(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            while read := self.request.recv(1 << 16):
                first_reads.append(read)
                before, _, asked = read.partition(b"\r\n\r\n")
                length = int(before.lower().partition(b"content-length: ")[2].split()[0])
                while len(asked) < length:
                    asked += self.request.recv(1 << 16)
                self.request.sendall(answer)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Attentive) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def dead_node() -> str:
    """Nobody listens there."""
    return f"http://127.0.0.1:{free_port()}"


@contextmanager
def opened(url: str, prefix: str = "test-") -> Iterator[ElasticsearchEngine]:
    engine = ElasticsearchEngine(url, prefix=prefix)
    try:
        yield engine
    finally:
        engine.close()


@pytest.fixture
def filled(elasticsearch_url: str) -> tuple[str, str]:
    """The address of a real node with one product in a brand `b1`, and the prefix."""
    prefix = f"test-{uuid.uuid4().hex[:8]}-"
    with opened(elasticsearch_url, prefix) as engine:
        fill(engine, "b1", [upsert(document("prd_a", "lamp"))])
    return elasticsearch_url, prefix


def questions(url: str, prefix: str, count: int = 4) -> None:
    """Each node has its turn: none of the questions fails."""
    with opened(url, prefix) as engine:
        for _ in range(count):
            assert engine.search("b1", SearchRequest()).total == 1
            assert set(engine.read("b1", ["prd_a"])) == {"prd_a"}


@pytest.mark.elasticsearch
def test_a_dead_node_is_passed_over(filled: tuple[str, str]) -> None:
    url, prefix = filled
    questions(f"{dead_node()},{url},{dead_node()}", prefix)


@pytest.mark.elasticsearch
def test_a_silent_node_is_given_up_for_another(
    filled: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first try has only part of the time: the rest is for the other node."""
    url, prefix = filled
    monkeypatch.setattr(connection, "FIRST_READ_S", 0.3)
    monkeypatch.setattr(connection, "READ_WITHIN_S", 15.0)
    with silent_node() as silent:
        questions(f"{silent},{url}", prefix)


@pytest.mark.elasticsearch
@pytest.mark.parametrize("status", [429, 502, 503])
def test_a_busy_node_is_given_up_for_another(filled: tuple[str, str], status: int) -> None:
    url, prefix = filled
    body = b'{"error": {"type": "search_phase_execution_exception", "reason": "busy"}}'
    with answering_node(status, body) as busy:
        questions(f"{busy},{url}", prefix)


@pytest.mark.elasticsearch
def test_writes_reach_the_node_that_lives(filled: tuple[str, str]) -> None:
    url, prefix = filled
    with opened(f"{dead_node()},{url}", prefix) as engine:
        (generation,) = engine.generations("b1")
        changes = [upsert(document(f"prd_{n}", "lamp"), 2) for n in range(3)]
        assert engine.write(generation.index, changes).written == 3


def test_nodes_that_are_all_away_are_said_to_be() -> None:
    with (
        opened(f"{dead_node()},{dead_node()}") as engine,
        pytest.raises(DomainError, match="cannot be reached") as refusal,
    ):
        engine.search("b1", SearchRequest())
    assert (refusal.value.code, refusal.value.status) == ("search_unavailable", 503)


def test_silence_ends_with_a_sentence() -> None:
    """A shopper's request never hangs, with one node or with several."""
    with silent_node() as one, silent_node() as two:
        for url in (one, f"{one},{two}"):
            with opened(url) as engine, pytest.raises(DomainError, match="in time") as refusal:
                engine.search("b1", SearchRequest())
            assert refusal.value.status == 503


def test_another_kind_of_server_is_told_apart() -> None:
    with (
        answering_node(200, b"{}") as other,
        opened(other) as engine,
        pytest.raises(DomainError, match="no Elasticsearch"),
    ):
        engine.stats("b1")


def test_the_setting_names_nodes() -> None:
    """Commas, blanks, a trailing slash, the port left out; secrets are not shown."""
    assert node_urls(" http://a:9200/ , http://b,") == ["http://a:9200", "http://b:9200"]
    assert node_urls("https://u:p@c/path") == ["https://u:p@c:9200/path"]
    assert shown_url("https://u:p@c:9243,https://d") == "https://c:9243, https://d:9200"
    for wrong in ("", " , ", "localhost:9200", "http://a,https://b", "ftp://a"):
        with pytest.raises(DomainError) as refusal:
            node_urls(wrong)
        assert refusal.value.code == "elasticsearch_settings"
        assert "ELASTICSEARCH_URL" in refusal.value.message


def test_an_authority_that_is_no_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DomainError, match="no file"):
        ElasticsearchEngine("https://a:9200", ca=tmp_path / "ca.pem")


def test_a_question_leaves_in_one_piece() -> None:
    reads: list[bytes] = []
    with attentive_node(reads) as url, opened(url) as engine:
        for _ in range(20):
            assert engine.search("brand", SearchRequest()).total == 0
    assert len(reads) == 20
    assert all(read.endswith(b"}") for read in reads), "the head came first, the body later"
