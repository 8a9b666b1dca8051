"""The provider's API: create, read, find, capture, void, refund. JSON, amounts in minor units.

Every change needs an Idempotency-Key and is committed with its stored answer in one transaction.
The platform is known by its API key, and sees its own payments alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from comptoir.payment_simulator import payments
from comptoir.payment_simulator.changes import Changes
from comptoir.payment_simulator.database import SimulatorDatabase
from comptoir.payment_simulator.exchange import (
    error_json,
    json_answer,
    platform_of,
    read_json,
    refusal,
)
from comptoir.payment_simulator.faults import Fault, take_fault
from comptoir.payment_simulator.keys import Platform
from comptoir.payment_simulator.payments import NewPayment, PaymentRefused
from kernel.money import is_currency

Tx = sqlite3.Connection
Model = TypeVar("Model", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class CreateBody(_Strict):
    """What POST /v1/payments takes."""

    amount: int = Field(gt=0, le=10_000_000_00)
    currency: str
    merchant_account: str = Field(pattern=r"^[A-Za-z0-9_-]{3,64}$")
    merchant_name: str = Field(min_length=1, max_length=120)
    reference: str = Field(pattern=r"^[A-Za-z0-9_./:-]{1,120}$")
    return_url: str = Field(max_length=2000)
    cancel_url: str = Field(max_length=2000)
    capture_method: Literal["manual"]
    locale: Literal["fr", "de", "en"] = "en"
    metadata: dict[str, str] = Field(default_factory=dict, max_length=20)

    @field_validator("currency")
    @classmethod
    def _known_currency(cls, code: str) -> str:
        if not is_currency(code):
            raise ValueError("not an ISO 4217 currency")
        return code

    @field_validator("return_url", "cancel_url")
    @classmethod
    def _web_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise ValueError("not a web address")
        if any(ord(character) <= 32 or ord(character) == 127 for character in url):
            raise ValueError("white space in a web address")
        return url


class AmountBody(_Strict):
    """What capture and refund take."""

    amount: int = Field(gt=0)


class EmptyBody(_Strict):
    """What void takes."""


class PaymentApi:
    """The routes under /v1/payments."""

    def __init__(
        self, database: SimulatorDatabase, platforms: list[Platform], public_url: str | None
    ) -> None:
        self._database = database
        self._platforms = platforms
        self._public_url = public_url
        self._changes = Changes(database, error_json)

    def routes(self) -> list[Route]:
        """Everything that platforms call."""
        one = "/v1/payments/{payment_id}"
        return [
            Route("/v1/payments", self._guarded(self._create), methods=["POST"]),
            Route("/v1/payments", self._guarded(self._find), methods=["GET"]),
            Route("/v1/movements", self._guarded(self._movements), methods=["GET"]),
            Route(one, self._guarded(self._read), methods=["GET"]),
            Route(f"{one}/capture", self._guarded(self._capture), methods=["POST"]),
            Route(f"{one}/void", self._guarded(self._void), methods=["POST"]),
            Route(f"{one}/refund", self._guarded(self._refund), methods=["POST"]),
        ]

    def platform_of(self, request: Request) -> Platform:
        """The caller by its bearer key. 401 otherwise."""
        return platform_of(request, self._platforms)

    def _guarded(self, handler: Callable[[Request], Any]) -> Callable[[Request], Any]:
        async def guarded(request: Request) -> Response:
            try:
                answer: Response = await handler(request)
            except PaymentRefused as error:
                return refusal(error)
            return answer

        return guarded

    async def _create(self, request: Request) -> Response:
        platform = self.platform_of(request)
        body = await read_json(request)
        wanted = _checked(CreateBody, body)
        new = NewPayment(platform=platform.name, **wanted.model_dump(exclude={"capture_method"}))
        base_url = self._public_url or str(request.base_url).rstrip("/")

        def work(tx: Tx) -> tuple[int, dict[str, Any]]:
            return 201, payments.payment_json(payments.create(tx, new, base_url))

        return await self._changes.once(request, platform.name, "create", body, work)

    async def _capture(self, request: Request) -> Response:
        return await self._change(request, "capture", AmountBody)

    async def _void(self, request: Request) -> Response:
        return await self._change(request, "void", EmptyBody)

    async def _refund(self, request: Request) -> Response:
        return await self._change(request, "refund", AmountBody)

    async def _change(self, request: Request, operation: str, model: type[_Strict]) -> Response:
        platform = self.platform_of(request)
        body = await read_json(request)
        wanted = _checked(model, body)
        payment_id = str(request.path_params["payment_id"])

        def work(tx: Tx) -> tuple[int, dict[str, Any]]:
            row = payments.settle_time(tx, payments.read(tx, payment_id, platform.name))
            if isinstance(wanted, AmountBody):
                act = payments.capture if operation == "capture" else payments.refund
                return 200, payments.payment_json(act(tx, row, wanted.amount))
            return 200, payments.payment_json(payments.void(tx, row))

        return await self._changes.once(request, platform.name, operation, body, work)

    async def _read(self, request: Request) -> Response:
        platform = self.platform_of(request)
        payment_id = str(request.path_params["payment_id"])

        def look(tx: Tx) -> dict[str, Any]:
            return payments.payment_json(
                payments.settle_time(tx, payments.read(tx, payment_id, platform.name))
            )

        return await self._look(look)

    async def _find(self, request: Request) -> Response:
        platform = self.platform_of(request)
        reference = request.query_params.get("reference", "")
        if not reference:
            raise PaymentRefused(400, "invalid_request", "The parameter reference is missing.")

        def look(tx: Tx) -> dict[str, Any]:
            row = payments.find(tx, platform.name, reference)
            found = [] if row is None else [payments.payment_json(payments.settle_time(tx, row))]
            return {"payments": found}

        return await self._look(look)

    async def _movements(self, request: Request) -> Response:
        platform = self.platform_of(request)
        query = request.query_params
        try:
            begin, end, after = (int(query.get(name, "")) for name in ("from", "until", "after"))
        except ValueError:
            raise PaymentRefused(400, "invalid_request", "from, until, after: numbers.") from None
        account = query.get("merchant_account", "")

        def look(tx: Tx) -> dict[str, Any]:
            rows = payments.movements(tx, platform.name, account, (begin, end), after)
            return {"movements": [dict(row) for row in rows]}

        return await self._look(look)

    async def _look(self, look: Callable[[Tx], dict[str, Any]]) -> Response:
        def within() -> tuple[Fault | None, dict[str, Any]]:
            with self._database.write() as tx:
                return take_fault(tx, "read"), look(tx)

        fault, content = within()
        return await self._changes.answered(fault, json_answer(200, content))


def _checked(model: type[Model], body: Any) -> Model:
    try:
        return model.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "body"
        raise PaymentRefused(400, "invalid_request", f"{field}: {first['msg']}.") from error
