"""One request, whatever the protocol: its key, its faults, its effect and its answer.

The key of a request is claimed before the work, and the answer stored with the work in one commit.
The same request gets the stored answer, another one under its key is refused, one under way has
to wait. Answers from 500 are never stored; a claim of a killed process counts for nothing.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from comptoir.payment_simulator.exchange import LostAnswer
from comptoir.protocol_merchant.database import MerchantDatabase
from comptoir.protocol_merchant.faults import strike_shop, take_fault

MOST_BYTES = 256_000


class ProtocolError(Exception):
    """A request that is not answered with a session. The protocol's API gives it its shape."""

    def __init__(self, status: int, code: str, message: str, param: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.param = param


@dataclass(frozen=True, slots=True)
class Call:
    """A request by a known owner. `digest` tells requests under one key apart."""

    operation: str
    owner: str
    path: str
    base_url: str
    body: Any
    key: str | None = None
    digest: str = ""
    session_id: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        """As HTTP."""
        return Response(
            json.dumps(self.body), self.status, dict(self.headers), media_type="application/json"
        )


Act = Callable[[sqlite3.Connection, Call], Answer]


class Exchange:
    """Carries requests out. `boot` names this process."""

    def __init__(self, database: MerchantDatabase, boot: str, conflict_status: int) -> None:
        self._database = database
        self._boot = boot
        self._conflict_status = conflict_status

    def carry_out(self, call: Call, act: Act) -> Response:
        """The answer, new or stored. Raises ProtocolError."""
        with self._database.write() as tx:
            fault = take_fault(tx, call.operation)
            is_down = fault is not None and fault.kind == "down"
            if not is_down and (stored := self._claim(tx, call)):
                return stored.response()
            if fault is not None:
                strike_shop(tx, fault, _skus(tx, call.session_id))
        if is_down:
            raise ProtocolError(503, "service_unavailable", "The shop is away for a moment.")
        if fault and fault.kind == "slow":
            time.sleep(fault.delay_s)
        answer = self._work(call, act)
        return LostAnswer() if fault and fault.kind == "answer_lost" else answer.response()

    def _work(self, call: Call, act: Act) -> Answer:
        try:
            with self._database.write() as tx:
                answer = act(tx, call)
                if call.key is not None:
                    tx.execute(
                        "UPDATE idempotency SET status = ?, body = ?"
                        " WHERE owner = ? AND path = ? AND key = ?",
                        (answer.status, json.dumps(answer.body), call.owner, call.path, call.key),
                    )
        except BaseException:
            self._release(call)
            raise
        return answer

    def _claim(self, tx: sqlite3.Connection, call: Call) -> Answer | None:
        if call.key is None:
            return None
        row = tx.execute(
            "SELECT * FROM idempotency WHERE owner = ? AND path = ? AND key = ?",
            (call.owner, call.path, call.key),
        ).fetchone()
        if row is not None and row["digest"] != call.digest:
            raise ProtocolError(
                self._conflict_status, "idempotency_conflict", "The key is another request's."
            )
        if row is not None and row["status"] is not None:
            replayed = {"Idempotent-Replayed": "true"}
            return Answer(row["status"], json.loads(row["body"]), replayed)
        if row is not None and row["boot"] == self._boot:
            raise ProtocolError(409, "idempotency_in_flight", "The same request is under way.")
        tx.execute(
            "INSERT INTO idempotency (owner, path, key, digest, boot) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (owner, path, key) DO UPDATE SET boot = excluded.boot",
            (call.owner, call.path, call.key, call.digest, self._boot),
        )
        return None

    def _release(self, call: Call) -> None:
        with self._database.write() as tx:
            tx.execute(
                "DELETE FROM idempotency"
                " WHERE owner = ? AND path = ? AND key = ? AND status IS NULL",
                (call.owner, call.path, call.key),
            )


def _skus(tx: sqlite3.Connection, session_id: str) -> list[str]:
    row = tx.execute("SELECT wanted FROM session WHERE id = ?", (session_id,)).fetchone()
    return [] if row is None else [sku for sku, _quantity in json.loads(row["wanted"])["lines"]]


async def read_body(request: Request) -> bytes:
    """The body. 413 where it is larger than any request has reason to be."""
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MOST_BYTES:
            raise ProtocolError(413, "invalid_request", f"The body exceeds {MOST_BYTES} bytes.")
    return bytes(raw)


def parsed(raw: bytes) -> Any:
    """The JSON of a body; an empty one counts as {}."""
    try:
        return json.loads(raw) if raw else {}
    except (ValueError, RecursionError) as error:
        raise ProtocolError(400, "invalid_request", "The body is not JSON.") from error


def base_url(request: Request) -> str:
    """The address by which the caller reached this server."""
    return f"{request.url.scheme}://{request.headers.get('host', '')}"


def answered(error: ProtocolError, body: Mapping[str, Any]) -> Response:
    """An error in the shape of its protocol; with Retry-After where asking again helps."""
    headers = {"Retry-After": "1"} if error.code == "idempotency_in_flight" else {}
    return Answer(error.status, body, headers).response()
