"""The web server of a role: on a socket of its own, or on one that whoever started it holds.

A held socket outlives the process: who connects while a role is started again waits in its queue,
and is answered by the next process. Ending leaves no request without an answer: nothing more is
taken from the queue, what has come in is answered with the word that the connection ends, and only
then are connections closed that have long been silent.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from contextlib import suppress
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from comptoir.listening import LISTENER, QUEUE, READY, descriptor

DRAIN_S = 0.5
"""So long is a connection listened to that a client may just have written to."""
_START_FAILED = 3


def serve_app(app: ASGIApp, host: str, port: int, **options: Any) -> None:
    """Answer requests until a signal says to end; SystemExit where serving cannot begin."""
    held = descriptor(LISTENER)
    sockets = None if held is None else [socket.socket(fileno=held)]
    config = uvicorn.Config(app, host=host, port=port, backlog=QUEUE, **options)
    server = _Server(config)
    # The signal comes again when the server has ended.
    with suppress(KeyboardInterrupt):
        server.run(sockets=sockets)
    if not server.started:
        sys.exit(_START_FAILED)


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        told = descriptor(READY)
        if told is not None:
            with suppress(OSError):  # nobody waits any more
                os.write(told, b".")
            os.close(told)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listening in self.servers:
            listening.close()
        state = self.server_state
        state.default_headers = [*state.default_headers, (b"connection", b"close")]
        for connection in list(state.connections):
            # At work: it ends with its answer. A silent one may be written to at this moment.
            cycle = getattr(connection, "cycle", None)
            if cycle is not None and not cycle.response_complete:
                connection.shutdown()
        await asyncio.sleep(DRAIN_S)
        await super().shutdown(sockets=sockets)
