"""HTTP to addresses that strangers chose: merchants' feeds and pages.

The address is judged where the connection is made: a name is resolved once, every address it has
must be public, and the connection goes to one that was judged. A redirect passes the same gate.
The operator's own sources on private networks are named, as `host:port`, in `allow_hosts`.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, BinaryIO

import httpcore2
import httpx2

from kernel.errors import DomainError

if TYPE_CHECKING:
    from collections.abc import Iterator

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], list[str]]

SCHEMES = {"http": 80, "https": 443}
# NAT64, its local prefix, IPv4-compatible and IPv4-translated addresses: the last 32 bits count.
CARRIERS = tuple(
    ipaddress.IPv6Network(net)
    for net in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96", "::ffff:0:0:0/96")
)
# Headers that are for one host only.
PRIVATE_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})
USER_AGENT = "ComptoirBot/1.0 (+product feeds)"


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Bounds of one download. `wire_bytes` counts the body as sent, before inflation."""

    wire_bytes: int = 512 * 1024 * 1024
    total_s: float = 600.0
    connect_s: float = 10.0
    read_s: float = 30.0
    redirects: int = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer whose body went into the sink. Header names are lower case."""

    status: int
    url: str
    headers: Mapping[str, str]
    body_bytes: int


def is_public(address: str) -> bool:
    """True for an address of the public internet, after unwrapping the IPv4 inside an IPv6."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return all(_is_public(each) for each in (_carried(found) or [found]))


def _is_public(address: Address) -> bool:
    return address.is_global and not address.is_multicast and not address.is_unspecified


def _carried(address: Address) -> list[Address]:
    """IPv4 addresses that an IPv6 address stands for, by every scheme in use."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    found: list[Address | None] = [address.ipv4_mapped, address.sixtofour]
    if address.teredo:
        found += address.teredo
    if any(address in net for net in CARRIERS):
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [each for each in found if each is not None]


def resolve(host: str, port: int) -> list[str]:
    """Every address that the system knows for a name."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def checked_url(url: str, allow_hosts: Iterable[str] = ()) -> httpx2.URL:
    """The address, or a DomainError that says why it is not visited."""
    try:
        parsed = httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError, TypeError) as error:
        raise _refused(f"not an address: {error}") from error
    if parsed.scheme not in SCHEMES:
        raise _refused(f"the scheme {parsed.scheme or '(none)'!r} is not http or https")
    if not parsed.host:
        raise _refused("it names no host")
    if parsed.userinfo:
        raise _refused("it carries a user name or password")
    if parsed.port not in (None, 80, 443) and not _is_named(parsed.host, parsed.port, allow_hosts):
        raise _refused(f"port {parsed.port} is not open to strangers' addresses")
    return parsed


def _is_named(host: str, port: int | None, allow_hosts: Iterable[str]) -> bool:
    return f"{host.lower()}:{port}" in {each.lower() for each in allow_hosts}


def _refused(why: str) -> DomainError:
    return DomainError(
        "address_refused",
        f"The address is not visited: {why}",
        hint="Give a public http or https address; own sources are named by the operator.",
    )


class _TimedStream(httpcore2.NetworkStream):
    """A connection none of whose waits outlives the download."""

    def __init__(self, inner: httpcore2.NetworkStream, left_s: Callable[[], float]) -> None:
        self._inner = inner
        self._left_s = left_s

    def _wait(self, timeout: float | None) -> float:
        left = self._left_s()
        if left <= 0:
            raise httpcore2.ReadTimeout("the time for this download is over")
        return left if timeout is None else min(left, timeout)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._wait(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._wait(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        secure = self._inner.start_tls(ssl_context, server_hostname, self._wait(timeout))
        return _TimedStream(secure, self._left_s)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class GuardedBackend(httpcore2.NetworkBackend):
    """Opens connections to judged addresses only."""

    def __init__(
        self, allow_hosts: frozenset[str], resolver: Resolver, left_s: Callable[[], float]
    ) -> None:
        self._allow_hosts = allow_hosts
        self._resolver = resolver
        self._left_s = left_s
        self._sockets = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        address = self._judged(host, port)
        left = max(0.001, self._left_s())
        stream = self._sockets.connect_tcp(
            address,
            port,
            left if timeout is None else min(left, timeout),
            local_address,
            socket_options,
        )
        return _TimedStream(stream, self._left_s)

    def connect_unix_socket(
        self,
        path: str,  # noqa: ARG002
        timeout: float | None = None,  # noqa: ARG002
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore2.NetworkStream:
        raise _refused("local sockets are never visited")

    def _judged(self, host: str, port: int) -> str:
        try:
            addresses = self._resolver(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore2.ConnectError(f"{host} has no address: {error}") from error
        if not addresses:
            raise httpcore2.ConnectError(f"{host} has no address")
        if not _is_named(host, port, self._allow_hosts):
            hidden = [address for address in addresses if not is_public(address)]
            if hidden:
                raise _refused(f"{host} leads to {hidden[0]}, which is not a public address")
        return addresses[0]


@lru_cache(maxsize=1)
def _trusted() -> ssl.SSLContext:
    """The system's certificate authorities, read once."""
    return ssl.create_default_context()


class _GuardedTransport(httpx2.HTTPTransport):
    """The stock transport over a pool whose connections are guarded."""

    def __init__(self, backend: httpcore2.NetworkBackend, context: ssl.SSLContext) -> None:
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore2.ConnectionPool(
            ssl_context=context,
            network_backend=backend,
            max_connections=4,
            max_keepalive_connections=0,
        )


class GuardedClient:
    """Downloads from strangers. One download at a time; holds no cookies and no credentials."""

    def __init__(
        self,
        *,
        allow_hosts: Iterable[str] = (),
        limits: HttpLimits = HttpLimits(),
        resolver: Resolver = resolve,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.allow_hosts = frozenset(allow_hosts)
        self.limits = limits
        self._deadline = 0.0
        backend = GuardedBackend(self.allow_hosts, resolver, self._left_s)
        self._client = httpx2.Client(
            transport=_GuardedTransport(backend, context or _trusted()),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx2.Timeout(limits.read_s, connect=limits.connect_s),
        )

    def _left_s(self) -> float:
        return self._deadline - time.monotonic()

    def __enter__(self) -> GuardedClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back connections."""
        self._client.close()

    def download(
        self, url: str, sink: BinaryIO, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """GET into a sink, as the bytes come over the wire.

        Raises DomainError: `address_refused`, `too_many_redirects`, `download_too_large`,
        `download_encoding`, `download_failed` (no connection, bad TLS, out of time).
        """
        self._deadline = time.monotonic() + self.limits.total_s
        own = {name.lower(): value for name, value in (headers or {}).items()}
        at = checked_url(url, self.allow_hosts)
        try:
            for _ in range(self.limits.redirects + 1):
                with self._get(at, own) as response:
                    onward = response.headers.get("location")
                    if not (response.has_redirect_location and onward):
                        return self._received(response, sink)
                    before, at = at, self._next(at, onward)
                if (before.host, before.scheme) != (at.host, at.scheme):
                    own = {name: own[name] for name in own if name not in PRIVATE_HEADERS}
        except (httpx2.HTTPError, httpx2.InvalidURL, ssl.SSLError, OSError) as error:
            raise DomainError(
                "download_failed", f"{at.host}: {error or type(error).__name__}", status=502
            ) from error
        raise DomainError(
            "too_many_redirects", f"more than {self.limits.redirects} redirects from {url[:200]}"
        )

    def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> int:
        """POST once; answers the status. No redirect is followed, and no body of it is read.

        Raises DomainError: `address_refused`, `post_failed` (no connection, bad TLS, no answer).
        """
        self._deadline = time.monotonic() + self.limits.total_s
        at = checked_url(url, self.allow_hosts)
        every = {"user-agent": USER_AGENT, **headers}
        try:
            with self._client.stream("POST", at, content=content, headers=every) as response:
                return response.status_code
        except (httpx2.HTTPError, ssl.SSLError, OSError) as error:
            raise DomainError(
                "post_failed", f"{at.host}: {error or type(error).__name__}", status=502
            ) from error
        finally:
            self._client.cookies.clear()

    def _next(self, at: httpx2.URL, onward: str) -> httpx2.URL:
        try:
            target = at.join(onward)
        except (httpx2.InvalidURL, ValueError) as error:
            raise _refused(f"the redirect is not an address: {error}") from error
        if at.scheme == "https" and target.scheme == "http":
            raise _refused("the redirect leaves the encrypted connection")
        return checked_url(str(target), self.allow_hosts)

    @contextmanager
    def _get(self, url: httpx2.URL, headers: Mapping[str, str]) -> Iterator[httpx2.Response]:
        # Compression on the wire is refused, so that the count of bytes is honest.
        every = {"user-agent": USER_AGENT, "accept-encoding": "identity", **headers}
        with self._client.stream("GET", url, headers=every) as response:
            yield response
        self._client.cookies.clear()

    def _received(self, response: httpx2.Response, sink: BinaryIO) -> Answer:
        encoding = response.headers.get("content-encoding", "identity").lower()
        if encoding not in {"identity", "gzip", "x-gzip", ""}:
            raise DomainError("download_encoding", f"the answer is encoded as {encoding[:40]}")
        size = 0
        for block in response.iter_raw(64 * 1024):
            size += len(block)
            if size > self.limits.wire_bytes:
                raise DomainError(
                    "download_too_large", f"more than {self.limits.wire_bytes} bytes were sent"
                )
            if self._left_s() <= 0:
                raise httpx2.ReadTimeout("the time for this download is over")
            sink.write(block)
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, str(response.url), headers, size)
