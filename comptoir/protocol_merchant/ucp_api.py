"""The REST binding of UCP: who asks, in which version; operations on sessions and orders."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from comptoir.protocol_merchant import shop
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
from comptoir.protocol_merchant.platforms import Platform, Platforms
from comptoir.protocol_merchant.schemas import Schemas
from comptoir.protocol_merchant.ucp_messages import (
    CheckoutRequest,
    CompleteRequest,
    checkout_json,
    message,
    order_json,
    refused,
)
from comptoir.protocol_merchant.ucp_signatures import Forged, Message, check

Handler = Callable[[sqlite3.Connection, Call, Platform], Answer]
_AGENT = re.compile(r'\s*profile="([^"\s]{1,500})"\s*')


class UcpApi:
    """All routes under /ucp. `hands_off`: every buyer finishes on the shop's own page."""

    def __init__(
        self,
        exchange: Exchange,
        platforms: Platforms,
        schemas: Schemas,
        notices: NoticeQueue,
        *,
        versions: tuple[str, ...],
        hands_off: bool,
    ) -> None:
        self._exchange = exchange
        self._platforms = platforms
        self._schemas = schemas
        self._notices = notices
        self._versions = versions
        self._hands_off = hands_off

    def routes(self) -> list[Route]:
        """The operations."""
        one = "/ucp/checkout-sessions/{id}"
        return [
            self._route("/ucp/checkout-sessions", "POST", "create", self._create),
            self._route(one, "GET", "read", self._read),
            self._route(one, "PUT", "update", self._update),
            self._route(f"{one}/complete", "POST", "complete", self._complete),
            self._route(f"{one}/cancel", "POST", "cancel", self._cancel),
            self._route("/ucp/orders/{id}", "GET", "order", self._order),
        ]

    def _route(self, path: str, method: str, operation: str, handler: Handler) -> Route:
        async def endpoint(request: Request) -> Response:
            try:
                raw = await read_body(request)
                return await run_in_threadpool(self._answer, request, raw, operation, handler)
            except ProtocolError as error:
                return answered(error, {"code": error.code, "content": error.message})

        return Route(path, endpoint, methods=[method])

    def _answer(self, request: Request, raw: bytes, operation: str, handler: Handler) -> Response:
        platform = self._platform(request, raw)
        key = request.headers.get("idempotency-key")
        if request.method != "GET" and not key:
            raise ProtocolError(400, "idempotency_key_required", "Idempotency-Key is missing.")
        body = parsed(raw)
        self._schemas.check_ucp_request(operation, body)
        call = Call(
            operation=operation,
            owner=platform.profile.split("?")[0],
            path=f"{request.method} {request.url.path}",
            base_url=base_url(request),
            body=body,
            key=None if request.method == "GET" else key,
            digest=hashlib.sha256(raw).hexdigest(),
            session_id=request.path_params.get("id", ""),
        )
        return self._exchange.carry_out(
            call, lambda tx, call: self._act(tx, call, platform, handler)
        )

    def _act(
        self, tx: sqlite3.Connection, call: Call, platform: Platform, handler: Handler
    ) -> Answer:
        try:
            answer = handler(tx, call, platform)
        except ValidationError as error:
            raise ProtocolError(400, "invalid_request", str(error.errors()[0]["loc"])) from error
        except shop.NotForSale as gone:
            said = [
                message("item_unavailable", "The shop does not have this article.",
                        f"$.line_items[{number}]", "unrecoverable")
                for number in gone.lines
            ]  # fmt: skip
            answer = Answer(200, refused(platform.version, said))
        self._schemas.check_ucp_response(call.operation, answer.body)
        return answer

    def _platform(self, request: Request, raw: bytes) -> Platform:
        """Who asks: signed by a key of its profile, in a version that is spoken here."""
        found = _AGENT.fullmatch(request.headers.get("ucp-agent", ""))
        if found is None:
            raise ProtocolError(400, "invalid_request", "UCP-Agent names no profile.")
        platform = self._platforms.of(found[1])
        query = f"?{request.url.query}" if request.url.query else ""
        url = f"{base_url(request)}{request.url.path}{query}"
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            check(platform.keys, Message(request.method, url, headers, raw))
        except (Forged, ValueError, KeyError) as error:
            raise ProtocolError(401, "signature_invalid", str(error)) from error
        if platform.version not in self._versions:
            spoken = " and ".join(self._versions)
            raise ProtocolError(422, "version_unsupported", f"This shop speaks {spoken}.")
        return platform

    def _create(self, tx: sqlite3.Connection, call: Call, platform: Platform) -> Answer:
        wanted = CheckoutRequest.model_validate(call.body).wanted(None)
        session = shop.open_session(tx, "ucp", call.owner, wanted, profile=platform.profile)
        return Answer(201, self._shown(tx, call, platform, session))

    def _read(self, tx: sqlite3.Connection, call: Call, platform: Platform) -> Answer:
        return Answer(200, self._shown(tx, call, platform, self._session(tx, call)))

    def _update(self, tx: sqlite3.Connection, call: Call, platform: Platform) -> Answer:
        session = self._session(tx, call)
        if session.status == "open":
            wanted = CheckoutRequest.model_validate(call.body).wanted(session.wanted)
            session = shop.change_session(tx, session, wanted)
        return Answer(200, self._shown(tx, call, platform, session))

    def _complete(self, tx: sqlite3.Connection, call: Call, platform: Platform) -> Answer:
        session = self._session(tx, call)
        reference = CompleteRequest.model_validate(call.body).reference
        bill = shop.bill_of(tx, session)
        problem = self._objection(session, bill, reference)
        if problem is None and session.status == "open" and not bill.problems:
            assert reference is not None
            session, sale = shop.complete(tx, session, bill, reference)
            self._notices.changed(tx, sale, call.base_url, platform)
        body = self._shown(tx, call, platform, session)
        if problem is not None and session.status == "open":
            body["messages"] = [*body["messages"], problem]
        return Answer(200, body)

    def _objection(
        self, session: shop.Session, bill: shop.Bill, reference: str | None
    ) -> dict[str, str] | None:
        if self._hands_off:
            return message("buyer_needed", "Finish on our page.", "", "requires_buyer_input")
        if reference is None:
            return message("payment_failed", "There is no authorisation.", "$.payment")
        if bill.total != session.shown_total:
            return message("price_changed", "The total is another now.", "$.totals")
        return None

    def _cancel(self, tx: sqlite3.Connection, call: Call, platform: Platform) -> Answer:
        session = self._session(tx, call)
        if session.status == "open":
            session = shop.cancel_session(tx, session)
        return Answer(200, self._shown(tx, call, platform, session))

    def _order(self, tx: sqlite3.Connection, call: Call, platform: Platform) -> Answer:
        sale = shop.read_sale(tx, call.session_id)
        if sale is None or shop.read_session(tx, sale.session_id, call.owner) is None:
            gone = message("not_found", "There is no such order.", "", "unrecoverable")
            return Answer(200, refused(platform.version, [gone]))
        return Answer(200, order_json(sale, call.base_url, platform.version))

    def _session(self, tx: sqlite3.Connection, call: Call) -> shop.Session:
        session = shop.read_session(tx, call.session_id, call.owner)
        if session is None or session.protocol != "ucp":
            raise ProtocolError(404, "not_found", "There is no such session.")
        return session

    def _shown(
        self, tx: sqlite3.Connection, call: Call, platform: Platform, session: shop.Session
    ) -> dict[str, Any]:
        bill = shop.bill_of(tx, session)
        sale = shop.sale_of(tx, session.id)
        shop.shown(tx, session, bill)
        return checkout_json(
            session,
            bill,
            call.base_url,
            platform.version,
            order=None if sale is None else sale.id,
            hands_off=self._hands_off,
        )
