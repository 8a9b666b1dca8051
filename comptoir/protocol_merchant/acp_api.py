"""The REST API of ACP: who asks, in which version, and the operations on sessions."""

from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
from collections.abc import Callable

from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from comptoir.payment_simulator.keys import Platform
from comptoir.protocol_merchant import shop
from comptoir.protocol_merchant.acp_messages import (
    VERSION,
    CompleteRequest,
    SessionRequest,
    session_json,
)
from comptoir.protocol_merchant.exchange import (
    Answer,
    Call,
    Exchange,
    ProtocolError,
    answered,
    base_url,
    parsed,
    read_body,
)
from comptoir.protocol_merchant.notices import NoticeQueue
from comptoir.protocol_merchant.schemas import Schemas

Handler = Callable[[sqlite3.Connection, Call], Answer]
MOST_KEY = 255
_TYPES = {500: "processing_error", 503: "service_unavailable"}


class AcpApi:
    """All routes under /acp. `hands_off`: every buyer finishes on the shop's own page."""

    def __init__(
        self,
        exchange: Exchange,
        platform: Platform,
        schemas: Schemas,
        notices: NoticeQueue,
        *,
        hands_off: bool,
    ) -> None:
        self._exchange = exchange
        self._platform = platform
        self._schemas = schemas
        self._notices = notices
        self._hands_off = hands_off

    def routes(self) -> list[Route]:
        """The operations."""
        one = "/acp/checkout_sessions/{id}"
        return [
            self._route("/acp/checkout_sessions", "POST", "create", self._create),
            self._route(one, "GET", "read", self._read),
            self._route(one, "POST", "update", self._update),
            self._route(f"{one}/complete", "POST", "complete", self._complete),
            self._route(f"{one}/cancel", "POST", "cancel", self._cancel),
        ]

    def _route(self, path: str, method: str, operation: str, handler: Handler) -> Route:
        async def endpoint(request: Request) -> Response:
            try:
                raw = await read_body(request)
                return await run_in_threadpool(self._answer, request, raw, operation, handler)
            except ProtocolError as error:
                kind = _TYPES.get(error.status, "invalid_request")
                body = {"type": kind, "code": error.code, "message": error.message}
                if error.param:
                    body["param"] = error.param
                self._schemas.check_acp_response(operation, body, error.status)
                return answered(error, body)

        return Route(path, endpoint, methods=[method])

    def _answer(self, request: Request, raw: bytes, operation: str, handler: Handler) -> Response:
        self._check_caller(request)
        key = request.headers.get("idempotency-key", "")
        if request.method == "POST" and not 1 <= len(key) <= MOST_KEY:
            raise ProtocolError(400, "idempotency_key_required", "Idempotency-Key is missing.")
        body = parsed(raw)
        self._schemas.check_acp_request(operation, body)
        meaning = json.dumps(body, sort_keys=True, separators=(",", ":"))
        call = Call(
            operation=operation,
            owner=self._platform.name,
            path=f"{request.method} {request.url.path}",
            base_url=base_url(request),
            body=body,
            key=key if request.method == "POST" else None,
            digest=hashlib.sha256(meaning.encode()).hexdigest(),
            session_id=request.path_params.get("id", ""),
        )
        return self._exchange.carry_out(call, lambda tx, call: self._act(tx, call, handler))

    def _act(self, tx: sqlite3.Connection, call: Call, handler: Handler) -> Answer:
        try:
            answer = handler(tx, call)
        except ValidationError as error:
            raise ProtocolError(400, "invalid_request", str(error.errors()[0]["loc"])) from error
        except shop.NotForSale as gone:
            wanted = [item["id"] for item in call.body.get("line_items", [])]
            skus = list(dict.fromkeys(wanted))
            number = wanted.index(skus[gone.lines[0]])
            raise ProtocolError(
                400, "invalid_item", "The shop does not have it.", f"$.line_items[{number}]"
            ) from gone
        self._schemas.check_acp_response(call.operation, answer.body, answer.status)
        return answer

    def _check_caller(self, request: Request) -> None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        is_known = hmac.compare_digest(key.encode(), self._platform.api_key.encode())
        if scheme.lower() != "bearer" or not is_known:
            raise ProtocolError(401, "unauthorized", "The API key is missing or unknown.")
        if request.headers.get("api-version") != VERSION:
            raise ProtocolError(400, "unsupported_version", f"This shop speaks {VERSION}.")

    def _create(self, tx: sqlite3.Connection, call: Call) -> Answer:
        wanted = SessionRequest.model_validate(call.body).wanted(shop.Wanted(()))
        if not wanted.lines:
            raise ProtocolError(400, "invalid_request", "Nothing is wanted.", "$.line_items")
        return self._shown(tx, call, shop.open_session(tx, "acp", call.owner, wanted), 201)

    def _read(self, tx: sqlite3.Connection, call: Call) -> Answer:
        return self._shown(tx, call, self._session(tx, call))

    def _update(self, tx: sqlite3.Connection, call: Call) -> Answer:
        session = self._session(tx, call)
        if session.status != "open":
            raise ProtocolError(409, "conflict", f"The session is {session.status}.")
        wanted = SessionRequest.model_validate(call.body).wanted(session.wanted)
        return self._shown(tx, call, shop.change_session(tx, session, wanted))

    def _complete(self, tx: sqlite3.Connection, call: Call) -> Answer:
        session = self._session(tx, call)
        if session.status != "open":
            raise ProtocolError(409, "conflict", f"The session is {session.status}.")
        reference = CompleteRequest.model_validate(call.body).reference
        bill = shop.bill_of(tx, session)
        if self._hands_off:
            raise ProtocolError(400, "requires_escalation", "This shop takes orders on its page.")
        if reference is None:
            raise ProtocolError(400, "payment_declined", "There is no authorisation.")
        if bill.total != session.shown_total:
            raise ProtocolError(400, "price_changed", "The total is another now.", "$.totals")
        if bill.problems:
            raise ProtocolError(400, "not_ready_for_payment", f"It is {bill.problems[0]}.")
        session, sale = shop.complete(tx, session, bill, reference)
        self._notices.changed(tx, sale, call.base_url, None)
        return self._shown(tx, call, session)

    def _cancel(self, tx: sqlite3.Connection, call: Call) -> Answer:
        session = self._session(tx, call)
        if session.status != "open":
            raise ProtocolError(405, "not_cancelable", f"The session is {session.status}.")
        return self._shown(tx, call, shop.cancel_session(tx, session))

    def _session(self, tx: sqlite3.Connection, call: Call) -> shop.Session:
        session = shop.read_session(tx, call.session_id, call.owner)
        if session is None or session.protocol != "acp":
            raise ProtocolError(404, "not_found", "There is no such session.")
        return session

    def _shown(
        self, tx: sqlite3.Connection, call: Call, session: shop.Session, status: int = 200
    ) -> Answer:
        bill = shop.bill_of(tx, session)
        shop.shown(tx, session, bill)
        sale = shop.sale_of(tx, session.id)
        body = session_json(session, bill, call.base_url, sale=sale, hands_off=self._hands_off)
        return Answer(status, body)
