"""One HTTP exchange with a peer, bounded in time and size; failures say what may have happened.

In: a request. Out: status and JSON of any answer. Raises `NeverSent` when no byte left, and
`AnswerLost` when the peer may have acted on a request whose answer did not arrive whole.
"""

from __future__ import annotations

import json
import ssl
import time
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

import httpcore2
import httpx2

_NEVER_SENT = (
    httpcore2.ConnectError,
    httpcore2.ConnectTimeout,
    httpcore2.PoolTimeout,
    httpcore2.UnsupportedProtocol,
)
_LOST = (httpcore2.NetworkError, httpcore2.TimeoutException, httpcore2.ProtocolError)
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
    """An answer that arrived whole. `body` is the JSON, or None where it is not JSON."""

    status: int
    headers: Mapping[str, str]
    body: Any
    set_cookies: tuple[str, ...] = ()
    raw: bytes = b""


@cache
def trusted() -> ssl.SSLContext:
    """Whom peers' certificates have to come from. Reading them takes 50 ms: once for all peers."""
    return httpx2.create_ssl_context(trust_env=False)


class PeerClient:
    """A connection pool to one peer. Safe to share between threads; keeps no cookies.

    It is the pool that httpx works with, without the client around it, which costs as much again.
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
        silence_s = self._limits.silence_s
        self._timeouts = {
            "connect": self._limits.connect_s,
            **dict.fromkeys(("read", "write", "pool"), silence_s),
        }
        # Shorter than any usual server's, so that a request never meets a closing connection.
        self._pool = httpcore2.ConnectionPool(
            ssl_context=trusted(), keepalive_expiry=2.0, max_connections=50
        )

    def close(self) -> None:
        """Give the connections back."""
        self._pool.close()

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
        try:
            with self._pool.stream(
                method,
                self._address(path, query),
                headers=[(name.encode(), value.encode()) for name, value in every.items()],
                content=content,
                extensions={"timeout": self._timeouts},
            ) as response:
                raw = self._read(response, deadline)
        except _NEVER_SENT as error:
            raise NeverSent(str(error)) from error
        except _LOST as error:
            raise AnswerLost(str(error) or type(error).__name__) from error
        answered = httpx2.Headers(response.headers)
        return PeerAnswer(
            status=response.status,
            headers=answered,
            body=_json(raw),
            set_cookies=tuple(answered.get_list("set-cookie")),
            raw=raw,
        )

    def _address(self, path: str, query: Sequence[tuple[str, str]]) -> httpcore2.URL:
        """Where a path below the peer's address is, or an address of its own. Without a query of
        ours the one in it stays.
        """
        base, target = self._base_url, quote(path, safe=_KEPT_IN_PATHS)
        if "://" in path:
            base = httpx2.URL(path)
            target = base.raw_path.decode()
        else:
            target = base.raw_path.decode().rstrip("/") + "/" + target.lstrip("/")
        if query:
            target = f"{target.partition('?')[0]}?{urlencode(query)}"
        return httpcore2.URL(
            scheme=base.raw_scheme, host=base.raw_host, port=base.port, target=target.encode()
        )

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

    def _read(self, response: httpcore2.Response, deadline: float) -> bytes:
        raw = bytearray()
        for chunk in response.iter_stream():
            raw += chunk
            if len(raw) > self._limits.bytes:
                raise AnswerLost(f"the answer is larger than {self._limits.bytes} bytes")
            if time.monotonic() > deadline:
                raise AnswerLost(f"the answer took longer than {self._limits.whole_s:g} s")
        return bytes(raw)


def _spelled(body: object) -> bytes:
    """JSON in as few bytes as it takes."""
    spelled = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return spelled.encode()


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None
