"""Requests over kept-open connections: one after the other, as many as go, or so many a second."""

from __future__ import annotations

import asyncio
import http.client
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit


class Client:
    """One connection that stays open: the plainest client there is."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80)

    def ask(self, path: str, body: bytes | None = None) -> bytes:
        """The body of the answer; RuntimeError for anything but 200."""
        headers = {"content-type": "application/json"} if body is not None else {}
        self._connection.request("GET" if body is None else "POST", path, body, headers)
        answer = self._connection.getresponse()
        found = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}: {found[:200]!r}")
        return found

    def timed(self, path: str, body: bytes | None = None) -> float:
        """Seconds from the question to the last byte of the answer."""
        started = time.perf_counter()
        self.ask(path, body)
        return time.perf_counter() - started


@dataclass(frozen=True, slots=True)
class Load:
    """What came back: answers, the seconds it took, each answer's own seconds, failures."""

    answers: int
    seconds: float
    took: tuple[float, ...]
    failed: int


def saturate(port: int, paths: Sequence[str], *, connections: int, seconds: float) -> Load:
    """As many as go, each connection asking again at once."""
    return asyncio.run(_run(port, paths, connections, seconds, rate=None))


def steady(port: int, paths: Sequence[str], *, rate: float, seconds: float) -> Load:
    """`rate` questions a second, whether or not the last one was answered: waiting counts."""
    return asyncio.run(_run(port, paths, 32, seconds, rate=rate))


async def _run(
    port: int, paths: Sequence[str], connections: int, seconds: float, rate: float | None
) -> Load:
    took: list[float] = []
    failed = 0
    started = time.perf_counter()
    numbers = iter(range(10**9))

    async def one() -> None:
        nonlocal failed
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            while True:
                number = next(numbers)
                due = started + number / rate if rate is not None else time.perf_counter()
                if due > started + seconds or time.perf_counter() > started + seconds:
                    return
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                status = await _ask(reader, writer, paths[number % len(paths)])
                took.append(time.perf_counter() - due)
                failed += status != 200
        finally:
            writer.close()

    await asyncio.gather(*(one() for _ in range(connections)))
    return Load(len(took), time.perf_counter() - started, tuple(took), failed)


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> int:
    writer.write(f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = head.partition("content-length:")[2].partition("\r\n")[0]
    await reader.readexactly(int(length))
    return int(head.split(" ", 2)[1])
