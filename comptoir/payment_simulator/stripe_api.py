"""The same provider in Stripe's dialect: Checkout sessions, payment intents, refunds.

Form bodies, `Stripe-Account`, Stripe's errors, and its idempotency: a failure after the work is
answered again for ever. Several sessions may carry one reference, as at Stripe.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from comptoir.payment_simulator import payments
from comptoir.payment_simulator.changes import Changes
from comptoir.payment_simulator.database import SimulatorDatabase, unix_now
from comptoir.payment_simulator.exchange import json_answer, platform_of, read_bounded
from comptoir.payment_simulator.faults import Fault, take_fault
from comptoir.payment_simulator.keys import Platform
from comptoir.payment_simulator.payments import NewPayment, PaymentRefused, Row
from comptoir.payment_simulator.stripe_objects import (
    balance_json,
    error_body,
    intent_json,
    payment_id_of,
    refund_json,
    session_json,
)
from kernel.ids import drawn_id
from kernel.money import is_currency

Tx = sqlite3.Connection
Content = dict[str, Any]
_ACCOUNT = re.compile(r"acct_[A-Za-z0-9]{3,60}")
_OWN_STATUS = {
    "account_invalid",
    "idempotency_in_flight",
    "payment_unknown",
    "too_large",
    "unauthorised",
}
_MOST_FIELDS = 100
_PAGE = 100


class StripeApi:
    """The routes that the official package calls."""

    def __init__(
        self, database: SimulatorDatabase, platforms: list[Platform], public_url: str | None
    ) -> None:
        self._database = database
        self._platforms = platforms
        self._public_url = public_url
        self._changes = Changes(database, error_body, keeps_failures=True)

    def routes(self) -> list[Route]:
        """Everything that platforms call."""
        session = "/v1/checkout/sessions"
        intent = "/v1/payment_intents/{thing}"
        return [
            Route(session, self._guarded(self._create), methods=["POST"]),
            Route(session, self._guarded(self._list), methods=["GET"]),
            Route(f"{session}/{{thing}}", self._guarded(self._read), methods=["GET"]),
            Route(f"{session}/{{thing}}/expire", self._guarded(self._expire), methods=["POST"]),
            Route(f"{intent}/capture", self._guarded(self._capture), methods=["POST"]),
            Route(f"{intent}/cancel", self._guarded(self._cancel), methods=["POST"]),
            Route("/v1/refunds", self._guarded(self._refund), methods=["POST"]),
            Route("/v1/refunds", self._guarded(self._refunds), methods=["GET"]),
            Route("/v1/balance_transactions", self._guarded(self._balance), methods=["GET"]),
        ]

    def _guarded(self, handler: Callable[[Request, Platform, str], Any]) -> Callable[..., Any]:
        async def guarded(request: Request) -> Response:
            try:
                platform = platform_of(request, self._platforms)
                account = request.headers.get("stripe-account", "")
                if not _ACCOUNT.fullmatch(account):
                    raise PaymentRefused(403, "account_invalid", "No such account.")
                answer: Response = await handler(request, platform, account)
            except PaymentRefused as error:
                return json_answer(_http_status(error), error_body(error.code, error.message))
            return answer

        return guarded

    async def _create(self, request: Request, platform: Platform, account: str) -> Response:
        fields = await _fields(request)
        new = _new_payment(fields, platform.name, account)
        base_url = self._public_url or str(request.base_url).rstrip("/")

        def work(tx: Tx) -> tuple[int, Content]:
            return 200, session_json(payments.create(tx, new, base_url))

        return await self._once(request, platform, account, "create", fields, work)

    async def _expire(self, request: Request, platform: Platform, account: str) -> Response:
        fields = await _fields(request)

        def work(tx: Tx) -> tuple[int, Content]:
            row = _payment(tx, request, platform, account)
            if row["status"] != "requires_payment":
                raise PaymentRefused(400, "not_open", "Only an open session can be expired.")
            return 200, session_json(payments.void(tx, row))

        return await self._once(request, platform, account, "void", fields, work)

    async def _capture(self, request: Request, platform: Platform, account: str) -> Response:
        fields = await _fields(request)

        def work(tx: Tx) -> tuple[int, Content]:
            row = _payment(tx, request, platform, account)
            amount = _whole(fields, "amount_to_capture", row["authorised"])
            return 200, intent_json(payments.capture(tx, row, amount))

        return await self._once(request, platform, account, "capture", fields, work)

    async def _cancel(self, request: Request, platform: Platform, account: str) -> Response:
        fields = await _fields(request)

        def work(tx: Tx) -> tuple[int, Content]:
            row = _payment(tx, request, platform, account)
            if row["status"] == "requires_payment":
                raise PaymentRefused(400, "not_voidable", "Expire the session instead.")
            return 200, intent_json(payments.void(tx, row))

        return await self._once(request, platform, account, "void", fields, work)

    async def _refund(self, request: Request, platform: Platform, account: str) -> Response:
        fields = await _fields(request)

        def work(tx: Tx) -> tuple[int, Content]:
            intent = str(fields.get("payment_intent", ""))
            row = _payment(tx, request, platform, account, intent)
            amount = _whole(fields, "amount", row["captured"] - row["refunded"])
            row = payments.refund(tx, row, amount)
            key = request.headers["idempotency-key"]
            return 200, _kept_refund(tx, row, amount, fields, key)

        return await self._once(request, platform, account, "refund", fields, work)

    async def _read(self, request: Request, platform: Platform, account: str) -> Response:
        def look(tx: Tx) -> Content:
            return session_json(_payment(tx, request, platform, account))

        return await self._look(look)

    async def _list(self, request: Request, platform: Platform, account: str) -> Response:
        query = dict(request.query_params)
        limit = min(max(int(query.get("limit", "10")), 1), _PAGE)

        def look(tx: Tx) -> Content:
            rows = tx.execute(
                "SELECT * FROM payment WHERE platform = ? AND merchant_account = ?"
                " AND created_at >= ? AND id < ? ORDER BY id DESC LIMIT ?",
                (
                    *(platform.name, account, int(query.get("created[gte]", "0"))),
                    *(payment_id_of(query.get("starting_after", "")) or "pay_~", limit + 1),
                ),
            ).fetchall()
            shown = [session_json(payments.settle_time(tx, row)) for row in rows[:limit]]
            return {
                "object": "list",
                "url": request.url.path,
                "has_more": len(rows) > limit,
                "data": shown,
            }

        return await self._look(look)

    async def _refunds(self, request: Request, platform: Platform, account: str) -> Response:
        intent = request.query_params.get("payment_intent", "")

        def look(tx: Tx) -> Content:
            row = _payment(tx, request, platform, account, intent)
            kept = tx.execute(
                "SELECT value FROM setting WHERE name LIKE ? ORDER BY name",
                (f"refund:{row['id']}:%",),
            ).fetchall()
            shown = [refund_json(each["value"]) for each in kept]
            return {"object": "list", "url": "/v1/refunds", "has_more": False, "data": shown}

        return await self._look(look)

    async def _balance(self, request: Request, platform: Platform, account: str) -> Response:
        query = dict(request.query_params)
        limit = min(max(int(query.get("limit", "10")), 1), _PAGE)
        # Cards alone are paid with here: of other means there is never anything to list.
        kind = {"charge": "capture", "refund": "refund"}.get(query.get("type", ""), "")
        before = query.get("starting_after", "").removeprefix("txn_") or str(2**60)

        def look(tx: Tx) -> Content:
            rows = tx.execute(
                "SELECT payment.*, number AS entry_number, kind AS entry_kind, at AS entry_at,"
                " entry.amount AS entry_amount FROM entry JOIN payment ON payment.id = payment_id"
                " WHERE platform = ? AND merchant_account = ? AND kind = ?"
                " AND at >= ? AND at < ? AND number < ? ORDER BY number DESC LIMIT ?",
                (
                    *(platform.name, account, kind, int(query.get("created[gte]", "0"))),
                    *(int(query.get("created[lt]", str(2**60))), int(before), limit + 1),
                ),
            ).fetchall()
            return {
                "object": "list",
                "url": request.url.path,
                "has_more": len(rows) > limit,
                "data": [balance_json(row) for row in rows[:limit]],
            }

        return await self._look(look)

    async def _once(
        self,
        request: Request,
        platform: Platform,
        account: str,
        operation: str,
        fields: Content,
        work: Callable[[Tx], tuple[int, Content]],
    ) -> Response:
        def in_stripes_words(tx: Tx) -> tuple[int, Content]:
            try:
                return work(tx)
            except PaymentRefused as error:
                return _http_status(error), error_body(error.code, error.message)

        scope = f"{platform.name}/{account}"
        return await self._changes.once(request, scope, operation, fields, in_stripes_words)

    async def _look(self, look: Callable[[Tx], Content]) -> Response:
        def within() -> tuple[Fault | None, Content]:
            with self._database.write() as tx:
                return take_fault(tx, "read"), look(tx)

        fault, content = within()
        return await self._changes.answered(fault, json_answer(200, content))


def _http_status(error: PaymentRefused) -> int:
    """Stripe answers 400 to most of what this provider tells apart by status."""
    return error.status if error.code in _OWN_STATUS else 400


def _payment(
    tx: Tx, request: Request, platform: Platform, account: str, thing: str | None = None
) -> Row:
    """The payment behind a session or an intent of the account."""
    name = thing if thing is not None else str(request.path_params["thing"])
    row = payments.read(tx, payment_id_of(name) or "", platform.name)
    if row["merchant_account"] != account:
        raise PaymentRefused(404, "payment_unknown", "There is no such payment.")
    return payments.settle_time(tx, row)


def _new_payment(fields: Content, platform: str, account: str) -> NewPayment:
    try:
        (line,) = fields["line_items"].values()
        price = line["price_data"]
        intent = fields["payment_intent_data"]
        if fields["mode"] != "payment" or intent["capture_method"] != "manual":
            raise PaymentRefused(400, "invalid_request", "Only payments captured later are made.")
        currency = str(price["currency"]).upper()
        amount = _whole(price, "unit_amount", None) * _whole(line, "quantity", None)
        if not is_currency(currency) or not 0 < amount <= 10_000_000_00:
            raise PaymentRefused(400, "invalid_request", "Invalid amount or currency.")
        for name in ("success_url", "cancel_url"):
            parts = urlsplit(str(fields[name]))
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise PaymentRefused(400, "invalid_request", f"{name}: not a valid URL.")
        labels = {str(name): str(value) for name, value in intent.get("metadata", {}).items()}
        return NewPayment(
            platform=platform,
            # Unique here, and not at Stripe: the caller's own reference is among the labels.
            reference=drawn_id("ses"),
            merchant_account=account,
            merchant_name=str(price["product_data"]["name"])[:120],
            amount=amount,
            currency=currency,
            return_url=str(fields["success_url"]),
            cancel_url=str(fields["cancel_url"]),
            locale=str(fields.get("locale", "en")),
            metadata={
                **labels,
                "stripe:reference": str(fields.get("client_reference_id", "")),
            },
        )
    except (KeyError, ValueError, AttributeError, TypeError) as error:
        raise PaymentRefused(400, "invalid_request", f"Missing or unknown: {error}.") from error


def _kept_refund(tx: Tx, row: Row, amount: int, fields: Content, key: str) -> Content:
    """The refund, kept so that it can be listed."""
    labels = {str(name): str(value) for name, value in fields.get("metadata", {}).items()}
    made = {
        "id": drawn_id("re"),
        "amount": amount,
        "currency": row["currency"].lower(),
        "payment_intent": f"pi_{row['id'].removeprefix('pay_')}",
        "metadata": labels,
        "created": unix_now(tx),
    }
    tx.execute("INSERT INTO setting VALUES (?, ?)", (f"refund:{row['id']}:{key}", json.dumps(made)))
    return refund_json(json.dumps(made))


def _whole(fields: Content, name: str, default: int | None) -> int:
    value = fields.get(name, default)
    try:
        number = int(str(value))
    except ValueError:
        number = 0
    if number <= 0:
        raise PaymentRefused(400, "invalid_request", f"{name}: must be above 0.")
    return number


async def _fields(request: Request) -> Content:
    """A form such as `a[b][0]=c` as nested tables."""
    raw = (await read_bounded(request)).decode("utf-8", "replace")
    found: Content = {}
    try:
        pairs = parse_qsl(raw, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise PaymentRefused(400, "invalid_request", "Too many fields.") from error
    for name, value in pairs:
        first, *rest = re.findall(r"[^\[\]]+", name)[:6] or [""]
        place = found
        for step in rest:
            inner = place.setdefault(first, {})
            if not isinstance(inner, dict):
                raise PaymentRefused(400, "invalid_request", f"{name}: given twice.")
            place, first = inner, step
        place[first] = value
    return found
