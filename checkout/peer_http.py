"""One HTTP exchange with a peer, bounded in time and size; failures say what may have happened.

In: a request. Out: status and JSON of any answer. Raises `NeverSent` when no byte left, and
`AnswerLost` when the peer may have acted on a request whose answer did not arrive whole.
"""

from __future__ import annotations

import io
import json
import select
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import quote, urlencode

import httpx2

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

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
    """Bounds of one exchange. `whole_s` holds however slowly its answer drips, headers included."""

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


class _Wire:
    """A connection's socket, which serves no exchange for longer than that may take."""

    def __init__(self, inner: socket.socket, limits: PeerLimits) -> None:
        self._inner = inner
        self._limits = limits
        self._until = 0.0
        self.fileno = inner.fileno
        self.close = inner.close

    def begin(self, until: float) -> None:
        """The next exchange has until then, by the monotonic clock."""
        self._until = until

    def have_time(self) -> None:
        """Wait for what comes next as long as is left, and no longer than for a silence.

        Raises AnswerLost where nothing is left.
        """
        left_s = self._until - time.monotonic()
        if left_s <= 0:
            raise AnswerLost(f"the answer took longer than {self._limits.whole_s:g} s")
        self._inner.settimeout(min(left_s, self._limits.silence_s))

    def sendall(self, content: bytes) -> None:
        """As a socket does; its time is for all of the content."""
        self.have_time()
        self._inner.sendall(content)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What the peer sends, as one answer reads it."""
        return io.BufferedReader(_Arriving(self, self._inner.makefile("rb", buffering=0)))


class _Arriving(io.RawIOBase):
    """Bytes from the peer; each wait for more ends with the exchange at the latest."""

    def __init__(self, wire: _Wire, inner: socket.SocketIO) -> None:
        super().__init__()
        self._wire = wire
        self._inner = inner

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        self._wire.have_time()
        try:
            return self._inner.readinto(buffer)
        except TimeoutError:
            # Whether the peer was silent too long, or the exchange has taken too long.
            self._wire.have_time()
            raise

    def close(self) -> None:
        self._inner.close()
        super().close()


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
        cast("_Wire", connection.sock).begin(deadline)
        try:
            connection.request(
                method, target, content, {name: value.encode() for name, value in every.items()}
            )
            response = connection.getresponse()
            if response.status < 200:
                raise AnswerLost(f"{response.status} is no answer")
            raw = self._read(response)
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
        connection.sock = _Wire(connection.sock, self._limits)
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

    def _read(self, response: HTTPResponse) -> bytes:
        raw = bytearray()
        while piece := response.read1(_PIECE_BYTES):
            raw += piece
            if len(raw) > self._limits.bytes:
                raise AnswerLost(f"the answer is larger than {self._limits.bytes} bytes")
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
