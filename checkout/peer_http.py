"""One HTTP exchange with a peer, bounded in time and size; failures say what may have happened.

In: a request. Out: status and JSON of any answer. Raises `NeverSent` when no byte left, and
`AnswerLost` when the peer may have acted on a request whose answer did not arrive whole.
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx2

_NEVER_SENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.UnsupportedProtocol,
)


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
    """A connection pool to one peer. Safe to share between threads; keeps no cookies."""

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        limits: PeerLimits | None = None,
    ) -> None:
        self._limits = limits or PeerLimits()
        self._client = httpx2.Client(
            base_url=base_url,
            headers=dict(headers or {}),
            auth=auth,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            timeout=httpx2.Timeout(self._limits.silence_s, connect=self._limits.connect_s),
            # Shorter than any usual server's, so that a request never meets a closing connection.
            limits=httpx2.Limits(keepalive_expiry=2.0, max_connections=50),
            follow_redirects=False,
            verify=trusted(),
            trust_env=False,
        )

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

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
        try:
            with self._client.stream(
                method,
                path,
                json=json_body,
                content=content,
                # Without a query of ours the one in the address stays.
                params=httpx2.QueryParams(list(query)) if query else None,
                headers=dict(headers or {}),
            ) as response:
                raw = self._read(response, deadline)
        except _NEVER_SENT as error:
            raise NeverSent(str(error)) from error
        except httpx2.HTTPError as error:
            raise AnswerLost(str(error) or type(error).__name__) from error
        return PeerAnswer(
            status=response.status_code,
            headers=response.headers,
            body=_json(raw),
            set_cookies=tuple(response.headers.get_list("set-cookie")),
            raw=raw,
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

    def _read(self, response: httpx2.Response, deadline: float) -> bytes:
        raw = bytearray()
        for chunk in response.iter_bytes():
            raw += chunk
            if len(raw) > self._limits.bytes:
                raise AnswerLost(f"the answer is larger than {self._limits.bytes} bytes")
            if time.monotonic() > deadline:
                raise AnswerLost(f"the answer took longer than {self._limits.whole_s:g} s")
        return bytes(raw)


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None
