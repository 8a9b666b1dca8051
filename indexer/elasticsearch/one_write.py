"""Requests that leave in one piece, so that the server is woken once.

urllib3 hands a request's head and its body to the socket one after the other. For a question of a
few kB the second write costs more than the copy that joins them.
"""

from __future__ import annotations

from typing import Any

from elastic_transport import NodeConfig, Urllib3HttpNode
from urllib3.connection import HTTPConnection, HTTPSConnection

_JOINED_UP_TO = 1 << 16
"""Bytes of a request; what is larger, such as a batch of writes, leaves as it comes."""


class _InOnePiece:
    """Of a connection: what it sends within one request is sent together."""

    _parts: list[Any] | None = None

    def request(self, *args: Any, **options: Any) -> None:
        """As the connection's own."""
        self._parts = []
        try:
            super().request(*args, **options)  # type: ignore[misc]
            parts = self._parts
        finally:
            self._parts = None
        if sum(map(len, parts)) <= _JOINED_UP_TO:
            parts = [b"".join(parts)]
        for part in parts:
            self.send(part)

    def send(self, data: Any) -> None:
        """Kept back until the request is whole."""
        if self._parts is not None:
            self._parts.append(data)
        else:
            super().send(data)  # type: ignore[misc]


class _Plain(_InOnePiece, HTTPConnection):
    pass


class _Encrypted(_InOnePiece, HTTPSConnection):
    pass


class OneWriteNode(Urllib3HttpNode):
    """A node of the client that is asked so."""

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        kind: Any = _Encrypted if config.scheme == "https" else _Plain
        self.pool.ConnectionCls = kind
