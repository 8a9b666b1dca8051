"""What the shop's own people may do, and what only a test may ask for: faults, the books."""

from __future__ import annotations

import hmac
import json
import sqlite3
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from comptoir.payment_simulator.keys import Platform as Account
from comptoir.protocol_merchant import shop
from comptoir.protocol_merchant.database import MerchantDatabase, write_setting
from comptoir.protocol_merchant.exchange import (
    Answer,
    ProtocolError,
    answered,
    base_url,
    parsed,
    read_body,
)
from comptoir.protocol_merchant.faults import Fault, is_fault, switch_on
from comptoir.protocol_merchant.notices import ACP_ADDRESS, NoticeQueue
from comptoir.protocol_merchant.platforms import Platforms


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ArticleBody(_Strict):
    """One article, as PUT /shop/articles takes a list of them."""

    sku: Annotated[str, Field(min_length=1, max_length=100)]
    title: Annotated[str, Field(min_length=1, max_length=300)]
    price_minor: Annotated[int, Field(ge=0, le=10**9)]
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "EUR"
    stock: Annotated[int, Field(ge=0, le=10**6)]
    delivery: dict[str, Annotated[int, Field(ge=0, le=10**6)]] = {}


class TurnBody(_Strict):
    """What POST /shop/orders/{id} takes."""

    status: Literal["processing", "shipped", "canceled"]


class AddressBody(_Strict):
    """What PUT /shop/acp-notices takes."""

    url: Annotated[str, Field(pattern=r"^https?://[^\s@]+$", max_length=2000)]


class FaultBody(_Strict):
    """What POST /test/faults takes."""

    operation: str
    kind: str
    count: Annotated[int, Field(ge=1, le=1000)] = 1
    delay_s: Annotated[float, Field(ge=0, le=120)] = 0


Act = Callable[[sqlite3.Connection, Request, Any], Any]


class Controls:
    """Routes under /shop and /test; all want the platform's API key."""

    def __init__(
        self,
        database: MerchantDatabase,
        account: Account,
        notices: NoticeQueue,
        platforms: Platforms,
    ) -> None:
        self._database = database
        self._account = account
        self._notices = notices
        self._platforms = platforms

    def routes(self) -> list[Route]:
        """All of them."""
        return [
            self._route("/shop/articles", "PUT", self._articles),
            self._route("/shop/orders/{id}", "POST", self._turn),
            self._route("/shop/acp-notices", "PUT", self._address),
            self._route("/test/faults", "POST", self._fault),
            self._route("/test/faults", "DELETE", self._no_faults),
            self._route("/test/books", "GET", self._books),
        ]

    def _route(self, path: str, method: str, act: Act) -> Route:
        async def endpoint(request: Request) -> Response:
            try:
                key = request.headers.get("authorization", "").removeprefix("Bearer ")
                if not hmac.compare_digest(key.encode(), self._account.api_key.encode()):
                    raise ProtocolError(401, "unauthorized", "The API key is missing or unknown.")
                body = parsed(await read_body(request))
                return await run_in_threadpool(self._run, request, body, act)
            except ProtocolError as error:
                return answered(error, {"code": error.code, "message": error.message})

        return Route(path, endpoint, methods=[method])

    def _run(self, request: Request, body: Any, act: Act) -> Response:
        try:
            with self._database.write() as tx:
                answer = act(tx, request, body)
        except ValidationError as error:
            raise ProtocolError(400, "invalid_request", str(error.errors()[0]["msg"])) from error
        return Answer(200, answer).response()

    def _articles(self, tx: sqlite3.Connection, _request: Request, body: Any) -> Any:
        rows = [ArticleBody.model_validate(row) for row in body]
        new = sum(
            shop.put_article(
                tx,
                shop.Article(
                    row.sku,
                    row.title,
                    row.price_minor,
                    row.currency,
                    row.stock,
                    row.delivery or shop.USUAL_DELIVERY,
                ),
            )
            for row in rows
        )
        return {"new": new, "known": len(rows) - new}

    def _turn(self, tx: sqlite3.Connection, request: Request, body: Any) -> Any:
        sale = shop.read_sale(tx, request.path_params["id"])
        if sale is None:
            raise ProtocolError(404, "not_found", "There is no such order.")
        session = shop.read_session(tx, sale.session_id, None)
        assert session is not None
        turned = shop.turn_sale(tx, sale, TurnBody.model_validate(body).status)
        platform = self._platforms.of(session.profile) if session.profile else None
        if turned != sale:
            self._notices.changed(tx, turned, base_url(request), platform)
        return {"id": sale.id, "status": turned.status}

    def _address(self, tx: sqlite3.Connection, _request: Request, body: Any) -> Any:
        write_setting(tx, ACP_ADDRESS, AddressBody.model_validate(body).url)
        return {}

    def _fault(self, tx: sqlite3.Connection, _request: Request, body: Any) -> Any:
        wanted = FaultBody.model_validate(body)
        if not is_fault(wanted.operation, wanted.kind):
            raise ProtocolError(400, "invalid_request", "This operation has no such fault.")
        switch_on(tx, wanted.operation, Fault(wanted.kind, wanted.delay_s), wanted.count)
        return {}

    def _no_faults(self, tx: sqlite3.Connection, _request: Request, _body: Any) -> Any:
        tx.execute("DELETE FROM fault")
        return {}

    def _books(self, tx: sqlite3.Connection, _request: Request, _body: Any) -> Any:
        """Orders, notices and every message that broke a schema."""
        sales = tx.execute("SELECT id, session_id, status, payment FROM sale ORDER BY rowid")
        notices = tx.execute("SELECT id, protocol, tries, outcome, body FROM notice")
        return {
            "orders": [dict(row) for row in sales],
            "notices": [dict(row) | {"body": json.loads(row["body"])} for row in notices],
            "faults": tx.execute("SELECT sum(remaining) FROM fault").fetchone()[0] or 0,
            "violations": [row["text"] for row in tx.execute("SELECT text FROM violation")],
        }
