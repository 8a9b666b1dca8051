"""The provider's API: create, read, find, capture, void, refund. JSON, amounts in minor units.

Every change needs an Idempotency-Key and is committed with its stored answer in one transaction.
The platform is known by its API key, and sees its own payments alone.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
import sqlite3
from collections.abc import Callable
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from comptoir.payment_simulator import idempotency, payments
from comptoir.payment_simulator.database import SimulatorDatabase
from comptoir.payment_simulator.exchange import (
    LostAnswer,
    error_json,
    json_answer,
    read_json,
    refusal,
)
from comptoir.payment_simulator.faults import Fault, take_fault
from comptoir.payment_simulator.keys import Platform
from comptoir.payment_simulator.payments import NewPayment, PaymentRefused
from kernel.money import is_currency

Tx = sqlite3.Connection
Work = Callable[[Tx], tuple[int, dict[str, Any]]]
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
        # Claims of an earlier process, killed in the middle, are void.
        self._boot = secrets.token_hex(8)

    def routes(self) -> list[Route]:
        """Everything that platforms call."""
        one = "/v1/payments/{payment_id}"
        return [
            Route("/v1/payments", self._guarded(self._create), methods=["POST"]),
            Route("/v1/payments", self._guarded(self._find), methods=["GET"]),
            Route(one, self._guarded(self._read), methods=["GET"]),
            Route(f"{one}/capture", self._guarded(self._capture), methods=["POST"]),
            Route(f"{one}/void", self._guarded(self._void), methods=["POST"]),
            Route(f"{one}/refund", self._guarded(self._refund), methods=["POST"]),
        ]

    def platform_of(self, request: Request) -> Platform:
        """The caller by its bearer key. 401 otherwise."""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        for platform in self._platforms:
            if scheme.lower() == "bearer" and hmac.compare_digest(
                key.encode(), platform.api_key.encode()
            ):
                return platform
        raise PaymentRefused(401, "unauthorised", "The API key is missing or unknown.")

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

        return await self._once(request, platform, "create", body, work)

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

        return await self._once(request, platform, operation, body, work)

    async def _once(
        self, request: Request, platform: Platform, operation: str, body: Any, work: Work
    ) -> Response:
        """Do the work once for its idempotency key, with whatever fault is switched on."""
        key = request.headers.get("idempotency-key", "")
        if not 1 <= len(key) <= 255:
            raise PaymentRefused(
                400, "idempotency_key_required", "The header Idempotency-Key is missing."
            )
        digest = idempotency.request_hash(request.url.path, body)
        stored, fault = await run_in_threadpool(self._begin, platform, key, digest, operation)
        if stored is not None:
            return json_answer(stored.status, stored.body, {"Idempotent-Replayed": "true"})
        try:
            await _fail_before(fault)
            answer = await run_in_threadpool(self._commit, platform, key, work)
        except _NothingDone as failure:
            await run_in_threadpool(self._release, platform, key)
            return failure.response
        except Exception:
            await run_in_threadpool(self._release, platform, key)
            raise
        return await _bent(fault, json_answer(answer.status, answer.body))

    def _begin(
        self, platform: Platform, key: str, digest: str, operation: str
    ) -> tuple[idempotency.StoredAnswer | None, Fault | None]:
        with self._database.write() as tx:
            stored = idempotency.claim(tx, platform.name, key, digest, self._boot)
            return stored, None if stored else take_fault(tx, operation)

    def _commit(self, platform: Platform, key: str, work: Work) -> idempotency.StoredAnswer:
        with self._database.write() as tx:
            try:
                status, content = work(tx)
            except PaymentRefused as error:
                status, content = error.status, error_json(error.code, error.message)
            answer = idempotency.StoredAnswer(status, json.dumps(content))
            idempotency.store(tx, platform.name, key, answer)
        return answer

    def _release(self, platform: Platform, key: str) -> None:
        with self._database.write() as tx:
            idempotency.release(tx, platform.name, key)

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

    async def _look(self, look: Callable[[Tx], dict[str, Any]]) -> Response:
        def within() -> tuple[Fault | None, dict[str, Any]]:
            with self._database.write() as tx:
                return take_fault(tx, "read"), look(tx)

        fault, content = await run_in_threadpool(within)
        try:
            await _fail_before(fault)
        except _NothingDone as failure:
            return failure.response
        return await _bent(fault, json_answer(200, content))


class _NothingDone(Exception):
    """A fault struck before the work."""

    def __init__(self, response: Response) -> None:
        super().__init__("fault before the work")
        self.response = response


def _server_error() -> Response:
    return json_answer(500, error_json("internal_error", "Something broke here."))


async def _fail_before(fault: Fault | None) -> None:
    if fault and fault.kind == "error_before":
        raise _NothingDone(_server_error())
    if fault and fault.kind == "timeout_before":
        await asyncio.sleep(fault.delay_s)
        raise _NothingDone(LostAnswer())


async def _bent(fault: Fault | None, answer: Response) -> Response:
    """The answer, or what a fault makes of it once the work is committed."""
    if fault and fault.kind == "answer_late":
        await asyncio.sleep(fault.delay_s)
    if fault and fault.kind == "error_after":
        return _server_error()
    return LostAnswer() if fault and fault.kind == "answer_lost" else answer


def _checked(model: type[Model], body: Any) -> Model:
    try:
        return model.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "body"
        raise PaymentRefused(400, "invalid_request", f"{field}: {first['msg']}.") from error
