"""What a test may ask of the simulator, and no real provider offers: faults, time, the books."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from comptoir.payment_simulator import payments
from comptoir.payment_simulator.api import PaymentApi
from comptoir.payment_simulator.database import (
    SimulatorDatabase,
    read_setting,
    unix_now,
    write_setting,
)
from comptoir.payment_simulator.exchange import json_answer, read_json, refusal
from comptoir.payment_simulator.faults import is_fault, switch_on
from comptoir.payment_simulator.payments import PaymentRefused
from comptoir.payment_simulator.sips_api import REMITTED_UNTIL


class FaultBody(BaseModel):
    """What POST /v1/test/faults takes."""

    model_config = ConfigDict(extra="forbid")

    operation: Literal["create", "read", "capture", "void", "refund", "webhook"]
    kind: str
    count: int = Field(default=1, ge=1, le=1000)
    delay_s: float = Field(default=0, ge=0, le=120)


class ClockBody(BaseModel):
    """What POST /v1/test/clock takes: the clock only ever goes forward."""

    model_config = ConfigDict(extra="forbid")

    advance_s: int = Field(ge=0, le=10 * 365 * 24 * 3600)


class EndpointBody(BaseModel):
    """What PUT /v1/webhook-endpoint takes."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(pattern=r"^https?://[^\s@]+$", max_length=2000)


class Controls:
    """The routes under /v1/test, and the address for notices."""

    def __init__(self, database: SimulatorDatabase, api: PaymentApi) -> None:
        self._database = database
        self._api = api

    def routes(self) -> list[Route]:
        """All of them want the API key, as the API does."""
        return [
            Route("/v1/webhook-endpoint", self._endpoint, methods=["PUT"]),
            Route("/v1/test/faults", self._faults, methods=["GET", "POST", "DELETE"]),
            Route("/v1/test/clock", self._clock, methods=["POST"]),
            Route("/v1/test/remittance", self._remittance, methods=["POST"]),
            Route("/v1/test/ledger", self._ledger, methods=["GET"]),
            Route("/v1/test/events", self._events, methods=["GET"]),
        ]

    async def _endpoint(self, request: Request) -> Response:
        def act(tx: sqlite3.Connection, platform: str, body: Any) -> dict[str, Any]:
            wanted = EndpointBody.model_validate(body)
            write_setting(tx, f"webhook:{platform}", wanted.url)
            return {"url": wanted.url}

        return await self._run(request, act)

    async def _faults(self, request: Request) -> Response:
        def act(tx: sqlite3.Connection, _platform: str, body: Any) -> dict[str, Any]:
            if request.method == "DELETE":
                tx.execute("DELETE FROM fault")
            if request.method != "POST":
                rows = tx.execute(
                    "SELECT operation, kind, remaining FROM fault WHERE remaining > 0"
                )
                return {"faults": [dict(row) for row in rows]}
            wanted = FaultBody.model_validate(body)
            if not is_fault(wanted.operation, wanted.kind):
                raise PaymentRefused(400, "invalid_request", "This operation has no such fault.")
            switch_on(tx, wanted.operation, wanted.kind, wanted.count, wanted.delay_s)
            return wanted.model_dump()

        return await self._run(request, act)

    async def _clock(self, request: Request) -> Response:
        def act(tx: sqlite3.Connection, _platform: str, body: Any) -> dict[str, Any]:
            ahead = int(read_setting(tx, "clock_ahead_s") or 0)
            ahead += ClockBody.model_validate(body).advance_s
            write_setting(tx, "clock_ahead_s", str(ahead))
            return {"clock_ahead_s": ahead}

        return await self._run(request, act)

    async def _remittance(self, request: Request) -> Response:
        """Everything captured so far is sent to the bank now, for the dialect where that counts."""

        def act(tx: sqlite3.Connection, _platform: str, _body: Any) -> dict[str, Any]:
            write_setting(tx, REMITTED_UNTIL, str(unix_now(tx)))
            return {"remitted": True}

        return await self._run(request, act)

    async def _ledger(self, request: Request) -> Response:
        return await self._run(request, lambda tx, platform, _body: _books(tx, platform))

    async def _events(self, request: Request) -> Response:
        def act(tx: sqlite3.Connection, platform: str, _body: Any) -> dict[str, Any]:
            rows = tx.execute(
                "SELECT event.id, type, payment_id, created_at, body, tries, outcome FROM event"
                " LEFT JOIN delivery ON delivery.event_id = event.id WHERE platform = ?"
                " ORDER BY event.rowid, delivery.number",
                (platform,),
            ).fetchall()
            return {"events": [dict(row) | {"body": json.loads(row["body"])} for row in rows]}

        return await self._run(request, act)

    async def _run(self, request: Request, act: Any) -> Response:
        try:
            platform = self._api.platform_of(request).name
            body = await read_json(request)

            def within() -> dict[str, Any]:
                with self._database.write() as tx:
                    answer: dict[str, Any] = act(tx, platform, body)
                    return answer

            return json_answer(200, within())
        except PaymentRefused as error:
            return refusal(error)
        except ValidationError as error:
            return refusal(PaymentRefused(400, "invalid_request", str(error.errors()[0]["msg"])))


def _books(tx: sqlite3.Connection, platform: str) -> dict[str, Any]:
    """Every payment with its entries, and the balance of each account, which sum to nothing."""
    rows = tx.execute("SELECT * FROM payment WHERE platform = ? ORDER BY rowid", (platform,))
    listed = []
    balances: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    totals: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in [payments.settle_time(tx, each) for each in rows.fetchall()]:
        entries = tx.execute(
            "SELECT kind, from_account, to_account, amount, currency, at FROM entry"
            " WHERE payment_id = ? ORDER BY number",
            (row["id"],),
        ).fetchall()
        for entry in entries:
            balances[entry["currency"]][entry["from_account"]] -= entry["amount"]
            balances[entry["currency"]][entry["to_account"]] += entry["amount"]
        for name in ("authorised", "captured", "refunded"):
            totals[row["currency"]][name] += row[name]
        listed.append(payments.payment_json(row) | {"entries": [dict(entry) for entry in entries]})
    return {"payments": listed, "totals": totals, "balances": balances}
