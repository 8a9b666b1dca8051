"""The same provider in Worldline Direct's dialect: hosted checkouts, payments, their operations.

Requests are signed (GCS v1HMAC) with the platform's key, whose id is the platform's name; keys of
idempotency come in `X-GCS-Idempotence-Key`. There is no search, and an open page cannot be closed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import sqlite3
from collections.abc import Callable, Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from comptoir.payment_simulator import payments
from comptoir.payment_simulator.changes import Changes
from comptoir.payment_simulator.database import SimulatorDatabase
from comptoir.payment_simulator.exchange import json_answer, read_json
from comptoir.payment_simulator.faults import Fault, take_fault
from comptoir.payment_simulator.keys import Platform
from comptoir.payment_simulator.payments import NewPayment, PaymentRefused, Row
from comptoir.payment_simulator.worldline_objects import (
    REFERENCE,
    details_json,
    error_body,
    operation_json,
    page_json,
    payment_id_of,
    status_json,
)
from kernel.ids import drawn_id
from kernel.money import is_currency

Tx = sqlite3.Connection
Content = dict[str, Any]
Work = Callable[[Tx], tuple[int, Content]]
_AUTHORISATION = re.compile(r"GCS v1HMAC:([^:]{1,100}):([A-Za-z0-9+/=]{1,100})")
_OWN_STATUS = {
    "idempotency_conflict": 409,
    "idempotency_in_flight": 409,
    "payment_unknown": 404,
    "too_large": 413,
    "unauthorised": 403,
}


class WorldlineApi:
    """The routes that the official package calls."""

    def __init__(
        self, database: SimulatorDatabase, platforms: list[Platform], public_url: str | None
    ) -> None:
        self._database = database
        self._platforms = platforms
        self._public_url = public_url
        self._changes = Changes(database, error_body, key_header="X-GCS-Idempotence-Key")

    def routes(self) -> list[Route]:
        """Everything that platforms call."""
        pages, one = "/v2/{account}/hostedcheckouts", "/v2/{account}/payments/{thing}"
        return [
            Route(pages, self._guarded(self._create), methods=["POST"]),
            Route(f"{pages}/{{thing}}", self._guarded(self._page), methods=["GET"]),
            Route(f"{one}/details", self._guarded(self._details), methods=["GET"]),
            Route(f"{one}/capture", self._guarded(self._capture), methods=["POST"]),
            Route(f"{one}/cancel", self._guarded(self._cancel), methods=["POST"]),
            Route(f"{one}/refund", self._guarded(self._refund), methods=["POST"]),
        ]

    def _guarded(self, handler: Callable[[Request, Platform], Any]) -> Callable[..., Any]:
        async def guarded(request: Request) -> Response:
            try:
                answer: Response = await handler(request, _platform_of(request, self._platforms))
            except PaymentRefused as error:
                status = _OWN_STATUS.get(error.code, 400)
                return json_answer(status, error_body(error.code, error.message))
            return answer

        return guarded

    async def _create(self, request: Request, platform: Platform) -> Response:
        body = await read_json(request)
        new = _new_payment(body, platform.name, request.path_params["account"])
        base_url = self._public_url or str(request.base_url).rstrip("/")

        def work(tx: Tx) -> tuple[int, Content]:
            return 201, page_json(payments.create(tx, new, base_url))

        return await self._once(request, platform, "create", body, work)

    async def _capture(self, request: Request, platform: Platform) -> Response:
        body = await read_json(request)

        def work(tx: Tx) -> tuple[int, Content]:
            row = _payment(tx, request, platform)
            amount = _above_0(body.get("amount", row["authorised"]))
            return 201, operation_json(payments.capture(tx, row, amount), "CAPTURED", amount, 1)

        return await self._once(request, platform, "capture", body, work)

    async def _cancel(self, request: Request, platform: Platform) -> Response:
        body = await read_json(request)

        def work(tx: Tx) -> tuple[int, Content]:
            row = _payment(tx, request, platform)
            if row["status"] == "requires_payment":
                raise PaymentRefused(400, "not_voidable", "Nobody has paid.")
            return 201, operation_json(payments.void(tx, row), "CANCELLED", row["amount"], 1)

        return await self._once(request, platform, "void", body, work)

    async def _refund(self, request: Request, platform: Platform) -> Response:
        body = await read_json(request)

        def work(tx: Tx) -> tuple[int, Content]:
            row = _payment(tx, request, platform)
            amount = _above_0(body.get("amountOfMoney", {}).get("amount"))
            row, number = payments.refund(tx, row, amount), len(_entries(tx, row))
            return 201, operation_json(row, "REFUNDED", amount, number)

        return await self._once(request, platform, "refund", body, work)

    async def _page(self, request: Request, platform: Platform) -> Response:
        return await self._look(lambda tx: status_json(_payment(tx, request, platform)))

    async def _details(self, request: Request, platform: Platform) -> Response:
        def look(tx: Tx) -> Content:
            row = _payment(tx, request, platform)
            if not row["authorised"]:
                raise PaymentRefused(404, "payment_unknown", "There is no such payment.")
            return details_json(row, _entries(tx, row))

        return await self._look(look)

    async def _once(
        self, request: Request, platform: Platform, operation: str, body: Content, work: Work
    ) -> Response:
        def in_worldlines_words(tx: Tx) -> tuple[int, Content]:
            try:
                return work(tx)
            except PaymentRefused as error:
                status = _OWN_STATUS.get(error.code, 400)
                return status, error_body(error.code, error.message)

        scope = f"{platform.name}/worldline/{request.path_params['account']}"
        return await self._changes.once(request, scope, operation, body, in_worldlines_words)

    async def _look(self, look: Callable[[Tx], Content]) -> Response:
        def within() -> tuple[Fault | None, Content]:
            with self._database.write() as tx:
                return take_fault(tx, "read"), look(tx)

        fault, content = within()
        return await self._changes.answered(fault, json_answer(200, content))


def _platform_of(request: Request, platforms: Iterable[Platform]) -> Platform:
    """The caller by its signature over method, type, date, Worldline's headers and address."""
    given = _AUTHORISATION.fullmatch(request.headers.get("authorization", ""))
    own = sorted(
        (name, " ".join(value.split()))
        for name, value in request.headers.items()
        if name.startswith("x-gcs")
    )
    address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    lines = [
        request.method,
        request.headers.get("content-type", ""),
        request.headers.get("date", ""),
        *(f"{name}:{value}" for name, value in own),
        address,
    ]
    signed = "".join(f"{line}\n" for line in lines).encode()
    for platform in platforms:
        digest = hmac.new(platform.api_key.encode(), signed, hashlib.sha256).digest()
        expected = base64.b64encode(digest).decode()
        if given and given[1] == platform.name and hmac.compare_digest(expected, given[2]):
            return platform
    raise PaymentRefused(403, "unauthorised", "The request is not signed by a known key.")


def _payment(tx: Tx, request: Request, platform: Platform) -> Row:
    row = payments.read(tx, payment_id_of(str(request.path_params["thing"])), platform.name)
    if row["merchant_account"] != request.path_params["account"]:
        raise PaymentRefused(404, "payment_unknown", "There is no such payment.")
    return payments.settle_time(tx, row)


def _entries(tx: Tx, row: Row) -> list[Row]:
    return tx.execute(
        "SELECT kind, amount FROM entry WHERE payment_id = ? ORDER BY number", (row["id"],)
    ).fetchall()


def _new_payment(body: Content, platform: str, account: str) -> NewPayment:
    try:
        money = body["order"]["amountOfMoney"]
        page, card = body["hostedCheckoutSpecificInput"], body["cardPaymentMethodSpecificInput"]
        if card["authorizationMode"] not in {"FINAL_AUTHORIZATION", "PRE_AUTHORIZATION"}:
            raise PaymentRefused(400, "invalid_request", "Only payments captured later are made.")
        if not is_currency(money["currencyCode"]):
            raise PaymentRefused(400, "invalid_request", "Unknown currency.")
        return NewPayment(
            platform=platform,
            # Unique here, and not at Worldline: the caller's own reference is among the labels.
            reference=drawn_id("hco"),
            merchant_account=account,
            merchant_name=account,
            amount=_above_0(money["amount"]),
            currency=money["currencyCode"],
            return_url=str(page["returnUrl"]),
            # Who goes back comes back to the same address.
            cancel_url=str(page["returnUrl"]),
            locale=str(page["locale"])[:2],
            metadata={REFERENCE: str(body["order"]["references"]["merchantReference"])[:40]},
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise PaymentRefused(400, "invalid_request", f"Missing or unknown: {error}.") from error


def _above_0(value: object) -> int:
    if not isinstance(value, int) or not 0 < value <= 10_000_000_00:
        raise PaymentRefused(400, "invalid_request", "amount: must be above 0.")
    return value
