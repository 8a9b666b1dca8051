"""The same provider in Worldline SIPS 2.0's dialect: Paypage, cash management, diagnosis.

Messages are sealed with the platform's key, whose version is 1; answers too. There are no keys of
idempotency: a transaction's reference is used up by the page that it opened, and what is asked for
twice is done twice where the payment allows it. A validated payment cannot be cancelled here.
"""

from __future__ import annotations

import hmac
import re
import sqlite3
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from comptoir.payment_simulator import payments
from comptoir.payment_simulator.changes import Changes
from comptoir.payment_simulator.database import SimulatorDatabase, read_setting, unix_now
from comptoir.payment_simulator.exchange import json_answer, read_bounded, read_json
from comptoir.payment_simulator.faults import take_fault
from comptoir.payment_simulator.keys import Platform
from comptoir.payment_simulator.payments import NewPayment, PaymentRefused, Row
from comptoir.payment_simulator.sips_objects import (
    NOTICE_URL,
    NUMBERS,
    REFERENCE,
    TRANSACTION,
    diagnosis_json,
    error_body,
    operation_json,
    own_reference,
    page_json,
    page_of,
    seal_of,
)

Tx = sqlite3.Connection
Content = dict[str, Any]
REMITTED_UNTIL = "sips:remitted_until"
_DAY_S = 24 * 3600
_CURRENCIES = {number: code for code, number in NUMBERS.items()}
_FAULT_OF = {"validate": "capture", "cancel": "void", "refund": "refund"}


class SipsApi:
    """The routes that merchants' software calls, and the one that its form leads to."""

    def __init__(
        self, database: SimulatorDatabase, platforms: list[Platform], public_url: str | None
    ) -> None:
        self._database = database
        self._platforms = platforms
        self._public_url = public_url
        self._changes = Changes(database, error_body)

    def routes(self) -> list[Route]:
        """All of them are posted to."""
        handlers = {
            "/rs-services/v2/paymentInit": self._guarded(self._create),
            "/rs-services/v2/cashManagement/{operation}": self._guarded(self._move),
            "/rs-services/v2/diagnostic/getTransactionData": self._guarded(self._diagnose),
            "/sips/payment": self._to_page,
        }
        return [Route(path, handler, methods=["POST"]) for path, handler in handlers.items()]

    def _guarded(self, handler: Callable[[Request, Platform, Content], Any]) -> Callable[..., Any]:
        async def guarded(request: Request) -> Response:
            try:
                body = await read_json(request)
                answer: Response = await handler(request, _platform_of(body, self._platforms), body)
            except PaymentRefused as error:
                return json_answer(200, error_body(error.code, error.message))
            return answer

        return guarded

    async def _create(self, request: Request, platform: Platform, body: Content) -> Response:
        new = _new_payment(body, platform.name)
        base_url = self._public_url or str(request.base_url).rstrip("/")

        def work(tx: Tx) -> Content:
            return page_json(payments.create(tx, new, base_url), base_url)

        return await self._change(platform, "create", work)

    async def _move(self, request: Request, platform: Platform, body: Content) -> Response:
        operation = str(request.path_params["operation"])
        if operation not in _FAULT_OF:
            raise PaymentRefused(400, "invalid_request", "There is no such operation.")
        amount = _whole(body, "operationAmount")

        def work(tx: Tx) -> Content:
            row = _transaction(tx, platform, body)
            if _currency(body) != row["currency"]:
                raise PaymentRefused(400, "invalid_request", "currencyCode: another one.")
            moved = _moved(tx, row, operation, amount)
            left = moved["captured"] - moved["refunded"]
            return operation_json(moved, left, unix_now(tx), is_remitted=_is_remitted(tx, moved))

        return await self._change(platform, _FAULT_OF[operation], work)

    async def _diagnose(self, _request: Request, platform: Platform, body: Content) -> Response:
        def within() -> tuple[Any, Content]:
            with self._database.write() as tx:
                fault = take_fault(tx, "read")
                try:
                    row = _transaction(tx, platform, body)
                    return fault, diagnosis_json(row, is_remitted=_is_remitted(tx, row))
                except PaymentRefused as error:
                    return fault, error_body(error.code, error.message)

        fault, content = within()
        return await self._changes.answered(fault, _sealed(platform, content))

    async def _to_page(self, request: Request) -> Response:
        fields = parse_qs((await read_bounded(request)).decode("utf-8", "replace"))
        payment_id = page_of(fields.get("redirectionData", [""])[0])
        return RedirectResponse(f"/pay/{payment_id or 'unknown'}", 303)

    async def _change(
        self, platform: Platform, operation: str, work: Callable[[Tx], Content]
    ) -> Response:
        def in_their_words(tx: Tx) -> Content:
            try:
                return work(tx)
            except PaymentRefused as error:
                return error_body(error.code, error.message)

        return await self._changes.each_time(
            operation, in_their_words, lambda content: _sealed(platform, content)
        )


def _sealed(platform: Platform, content: Content) -> Response:
    return json_answer(200, {**content, "seal": seal_of(content, platform.api_key)})


def _platform_of(body: Any, platforms: list[Platform]) -> Platform:
    """The caller by the seal of its message."""
    if not isinstance(body, dict):
        raise PaymentRefused(400, "invalid_request", "The body is no object.")
    for platform in platforms:
        if hmac.compare_digest(seal_of(body, platform.api_key), str(body.get("seal", ""))):
            return platform
    raise PaymentRefused(403, "unauthorised", "The message is not sealed by a known key.")


def _transaction(tx: Tx, platform: Platform, body: Content) -> Row:
    """The transaction of a message; there is none before somebody has finished at its page."""
    reference = own_reference(str(body.get("merchantId")), str(body.get("transactionReference")))
    row = payments.find(tx, platform.name, reference)
    row = None if row is None else payments.settle_time(tx, row)
    if row is None or row["status"] == "requires_payment":
        raise PaymentRefused(404, "payment_unknown", "There is no such transaction.")
    return row


def _moved(tx: Tx, row: Row, operation: str, amount: int) -> Row:
    if operation == "validate":
        return payments.capture(tx, row, amount)
    if operation == "cancel":
        if amount != row["authorised"]:
            raise PaymentRefused(400, "invalid_request", "Only the whole is cancelled here.")
        return payments.void(tx, row)
    if row["status"] == "captured" and not _is_remitted(tx, row):
        raise PaymentRefused(409, "not_refundable", "It has not been sent to the bank.")
    return payments.refund(tx, row, amount)


def _is_remitted(tx: Tx, row: Row) -> bool:
    """Whether a day has passed since the capture, or a test has had it sent."""
    entry = tx.execute(
        "SELECT at FROM entry WHERE payment_id = ? AND kind = 'capture'", (row["id"],)
    ).fetchone()
    if entry is None:
        return False
    at = int(entry["at"])
    is_sent = at <= int(read_setting(tx, REMITTED_UNTIL) or 0)
    return is_sent or at + _DAY_S <= unix_now(tx)


def _new_payment(body: Content, platform: str) -> NewPayment:
    try:
        transaction, reference = str(body["transactionReference"]), str(body["orderId"])
        account = str(body["merchantId"])
        back = urlsplit(str(body["normalReturnUrl"]))
        if not re.fullmatch(r"[A-Za-z0-9]{1,35}", transaction) or not 1 <= len(reference) <= 32:
            raise PaymentRefused(400, "invalid_request", "transactionReference or orderId.")
        if body["captureMode"] != "VALIDATION" or body["orderChannel"] != "INTERNET":
            raise PaymentRefused(400, "invalid_request", "Only payments validated later are made.")
        if not str(body["interfaceVersion"]).startswith("IR_WS_") or not back.hostname:
            raise PaymentRefused(400, "invalid_request", "interfaceVersion or normalReturnUrl.")
        return NewPayment(
            platform=platform,
            reference=own_reference(account, transaction),
            merchant_account=account,
            merchant_name=account,
            amount=_whole(body, "amount"),
            currency=_currency(body),
            return_url=str(body["normalReturnUrl"]),
            # Who goes back comes back to the same address.
            cancel_url=str(body["normalReturnUrl"]),
            locale=str(body.get("customerLanguage", "en")),
            metadata={
                REFERENCE: reference,
                TRANSACTION: transaction,
                NOTICE_URL: str(body.get("automaticResponseUrl", "")),
            },
        )
    except KeyError as error:
        raise PaymentRefused(400, "invalid_request", f"Missing: {error}.") from error


def _currency(body: Content) -> str:
    try:
        return _CURRENCIES[str(body["currencyCode"])]
    except KeyError:
        raise PaymentRefused(400, "invalid_request", "currencyCode: unknown.") from None


def _whole(body: Content, name: str) -> int:
    text = str(body.get(name, ""))
    if not re.fullmatch(r"[1-9][0-9]{0,11}", text):
        raise PaymentRefused(400, "invalid_request", f"{name}: must be above 0.")
    return int(text)
