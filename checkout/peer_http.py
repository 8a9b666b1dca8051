"""One HTTP exchange with a peer, bounded in time and size; failures say what may have happened.

In: a request. Out: status and JSON of any answer. Raises `NeverSent` when no byte left, and
`AnswerLost` when the peer may have acted on a request whose answer did not arrive whole.
"""

from __future__ import annotations

import json
import select
import ssl
import time
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import httpx2

# Shorter than any usual server's, so that a request never meets a closing connection.
_KEPT_S = 2.0
_PIECE_BYTES = 65_536
_KEPT_IN_PATHS = "/?%:=&~+!$,;'@()*[]"


class NeverSent(Exception):
    """The connection was not made; the peer knows nothing of the request."""


class AnswerLost(Exception):
    """The request was, or may have been, sent; no whole answer came."""


@dataclass(frozen=True, slots=True)
class PeerLimits:
    """Bounds of one exchange. `whole_s` holds however slowly the answer drips."""

    connect_s: float = 3.0
    silence_s: float = 10.0
    whole_s: float = 20.0
    bytes: int = 1_000_000


@dataclass(frozen=True, slots=True)
class PeerAnswer:
    """An answer that arrived whole. `body` is the JSON, or None where it is not JSON.

    Names of `headers` are in small letters; of several with one name the last counts.
    """

    status: int
    headers: Mapping[str, str]
    body: Any
    set_cookies: tuple[str, ...] = ()
    raw: bytes = b""


@cache
def trusted() -> ssl.SSLContext:
    """Whom peers' certificates have to come from. Reading them takes 50 ms: once for all peers."""
    context = httpx2.create_ssl_context(trust_env=False)
    context.set_alpn_protocols(["http/1.1"])
    return context


class _Origin(NamedTuple):
    """Whom a connection leads to."""

    scheme: str
    host: str
    port: int | None


class PeerClient:
    """Connections to one peer, kept open for a moment. Safe to share between threads; keeps no
    cookies.

    It is the standard library's client: the pool that httpx works with costs twice as much a call,
    and httpx four times.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        limits: PeerLimits | None = None,
    ) -> None:
        self._limits = limits or PeerLimits()
        self._base_url = httpx2.URL(base_url)
        own = {"User-Agent": "Comptoir", "Accept": "*/*", "Accept-Encoding": "identity"}
        self._headers = {**own, **(headers or {})}
        if auth is not None:
            pair = b64encode(":".join(auth).encode()).decode()
            self._headers["Authorization"] = f"Basic {pair}"
        self._origin = _origin_of(self._base_url)
        self._idle: list[tuple[HTTPConnection, float]] = []

    def close(self) -> None:
        """Give the connections back."""
        while self._idle:
            connection, _ = self._idle.pop()
            connection.close()

    def exchange(
        self,
        method: str,
        path: str,
        *,
        json_body: object | None = None,
        content: bytes | None = None,
        query: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> PeerAnswer:
        """Send and wait for the whole answer, of whatever status."""
        deadline = time.monotonic() + self._limits.whole_s
        every = {**self._headers, **(headers or {})}
        if json_body is not None:
            content = _spelled(json_body)
            every.setdefault("Content-Type", "application/json")
        if content is None and method != "GET":
            content = b""
        origin, target = self._address(path, query)
        connection = self._connected(origin)
        try:
            connection.request(
                method, target, content, {name: value.encode() for name, value in every.items()}
            )
            response = connection.getresponse()
            if response.status < 200:
                raise AnswerLost(f"{response.status} is no answer")
            raw = self._read(response, deadline)
        except (OSError, HTTPException) as error:
            connection.close()
            raise AnswerLost(str(error) or type(error).__name__) from error
        except BaseException:
            connection.close()
            raise
        self._keep(origin, connection, response)
        return PeerAnswer(
            status=response.status,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=_json(raw),
            set_cookies=tuple(response.headers.get_all("set-cookie", ())),
            raw=raw,
        )

    def _connected(self, origin: _Origin) -> HTTPConnection:
        """A connection that the peer has not ended, or a new one."""
        while origin == self._origin:
            try:
                connection, since = self._idle.pop()
            except IndexError:
                break
            if time.monotonic() - since < _KEPT_S and not _has_ended(connection):
                return connection
            connection.close()
        return self._connect(origin)

    def _connect(self, origin: _Origin) -> HTTPConnection:
        scheme, host, port = origin
        limit_s = self._limits.connect_s
        if scheme not in ("http", "https"):
            raise NeverSent(f"{scheme!r} is not spoken")
        connection = (
            HTTPSConnection(host, port, timeout=limit_s, context=trusted())
            if scheme == "https"
            else HTTPConnection(host, port, timeout=limit_s)
        )
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            raise NeverSent(str(error) or type(error).__name__) from error
        connection.sock.settimeout(self._limits.silence_s)
        return connection

    def _keep(self, origin: _Origin, connection: HTTPConnection, response: HTTPResponse) -> None:
        """Have the connection ready for the next request, where the peer leaves it open."""
        response.close()
        if origin == self._origin and connection.sock is not None:
            self._idle.append((connection, time.monotonic()))
        else:
            connection.close()

    def _address(self, path: str, query: Sequence[tuple[str, str]]) -> tuple[_Origin, str]:
        """Where a path below the peer's address is, or an address of its own. Without a query of
        ours the one in it stays.
        """
        if "://" in path:
            whole = httpx2.URL(path)
            origin, target = _origin_of(whole), whole.raw_path.decode()
        else:
            base = self._base_url.raw_path.decode().rstrip("/")
            origin = self._origin
            target = base + "/" + quote(path, safe=_KEPT_IN_PATHS).lstrip("/")
        if query:
            target = f"{target.partition('?')[0]}?{urlencode(query)}"
        return origin, target

    def ask(self, path: str, query: Sequence[tuple[str, str]] = ()) -> PeerAnswer:
        """A question: it changes nothing, and is asked twice before it counts as unanswered.

        Raises NeverSent or AnswerLost, as `exchange` does.
        """
        try:
            answer = self.exchange("GET", path, query=query)
            if answer.status < 500:
                return answer
        except AnswerLost:
            pass
        return self.exchange("GET", path, query=query)

    def _read(self, response: HTTPResponse, deadline: float) -> bytes:
        raw = bytearray()
        while piece := response.read1(_PIECE_BYTES):
            raw += piece
            if len(raw) > self._limits.bytes:
                raise AnswerLost(f"the answer is larger than {self._limits.bytes} bytes")
            if time.monotonic() > deadline:
                raise AnswerLost(f"the answer took longer than {self._limits.whole_s:g} s")
        if response.length:
            raise AnswerLost(f"the answer ended {response.length} bytes early")
        return bytes(raw)


def _origin_of(url: httpx2.URL) -> _Origin:
    return _Origin(url.scheme, url.raw_host.decode(), url.port)


def _has_ended(connection: HTTPConnection) -> bool:
    """Whether there is something to read where nothing was asked: mostly the end."""
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))


def _spelled(body: object) -> bytes:
    """JSON in as few bytes as it takes."""
    spelled = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return spelled.encode()


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None
