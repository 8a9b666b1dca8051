"""Sockets that listen for a process which is not there yet, and how it learns of them."""

from __future__ import annotations

import os
import socket

LISTENER = "COMPTOIR_LISTENER"
"""Names the descriptor of a socket that listens already."""
READY = "COMPTOIR_READY"
"""Names the descriptor of a pipe that is told, by a byte, that requests are taken."""
QUEUE = 2_048
"""Connections that wait while nobody takes them; the system may allow fewer."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that queues connections from now on. OSError where somebody else has the port."""
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    return socket.create_server((host, port), family=family, backlog=QUEUE)


def descriptor(name: str) -> int | None:
    """A descriptor that the environment names; named once, for children know nothing of it."""
    said = os.environ.pop(name, "")
    return int(said) if said.isdigit() else None
