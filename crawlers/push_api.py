"""The merchants' own door: push offers, change prices and stock, see what was refused.

Every write is named by an `Idempotency-Key` and takes effect once. A bad record costs itself only:
it is answered with its reason, the rest lands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Header, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from crawlers.push_calls import Answered, land_offers, once, request_digest
from crawlers.push_offer import PriceChange, PushedOffer, Refused, change_in, changed, offer_in
from kernel.db import Database, Transaction
from kernel.errors import DomainError
from mdm.landed_offers import live_offers
from mdm.quarantine import list_quarantine
from mdm.raw_offer import RawOffer, Refusal
from tenants import merchant_keys

MAX_BYTES = 5 * 1024 * 1024
MAX_OFFERS = 1_000
MAX_KEY = 255

Work = Callable[[Transaction, str], dict[str, Any]]


class OffersCall(BaseModel):
    """`run` names a whole catalogue sent in several calls; `complete` marks the last of them.

    Without `run`, a call takes effect at once. With `complete`, offers that were not sent are
    withdrawn, unless that would remove too many: then the run is parked.
    """

    offers: list[PushedOffer]
    run: str | None = None
    complete: bool = False


class PricesCall(BaseModel):
    """Changes of offers that are known."""

    prices: list[PriceChange]


class PushAnswer(BaseModel):
    """What became of a call. `state` is open, closed or parked (not in effect, see `parked`)."""

    landed: int
    unchanged: int
    refused: list[Refused]
    run: str | None = None
    state: str
    withdrawn: int = 0
    parked: str | None = None


class QuarantineEntry(Refused):
    """A refused record as listed."""

    id: str
    position: int | None
    excerpt: str
    refused_at: str


class QuarantinePage(BaseModel):
    """Refused records, oldest id first; `next` is passed as `after` for more."""

    refusals: list[QuarantineEntry]
    next: str | None


def build_router(database: Database) -> APIRouter:
    """Routes below `/v1/merchants`."""
    router = APIRouter(prefix="/v1/merchants", tags=["merchants"])

    @router.post(
        "/offers", response_model=PushAnswer, openapi_extra=_body_of("OffersCall", OffersCall)
    )
    async def push_offers(
        request: Request,
        authorization: Annotated[str, Header()] = "",
        idempotency_key: Annotated[str, Header()] = "",
    ) -> JSONResponse:
        caller = await run_in_threadpool(_caller, database, authorization, idempotency_key)
        body = await _body(request)
        work = _offers_work(_document(body))
        return await _answer(database, request, body, caller, work)

    @router.post(
        "/prices", response_model=PushAnswer, openapi_extra=_body_of("PricesCall", PricesCall)
    )
    async def push_prices(
        request: Request,
        authorization: Annotated[str, Header()] = "",
        idempotency_key: Annotated[str, Header()] = "",
    ) -> JSONResponse:
        caller = await run_in_threadpool(_caller, database, authorization, idempotency_key)
        body = await _body(request)
        work = _prices_work(_document(body))
        return await _answer(database, request, body, caller, work)

    @router.get("/quarantine", response_model=QuarantinePage)
    def quarantine(
        authorization: Annotated[str, Header()] = "",
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        after: Annotated[str, Query(max_length=100)] = "",
    ) -> QuarantinePage:
        with database.platform() as tx:
            merchant_id = _merchant(tx, authorization)
            rows = list_quarantine(tx, merchant_id, limit, after)
        entries = [
            QuarantineEntry(
                id=row.id,
                sku=row.sku,
                code=row.code,
                reason=row.reason,
                hint=row.hint,
                position=row.position,
                excerpt=row.excerpt,
                refused_at=row.refused_at.isoformat(),
            )
            for row in rows
        ]
        return QuarantinePage(refusals=entries, next=rows[-1].id if len(rows) == limit else None)

    return router


def _body_of(name: str, model: type[BaseModel]) -> dict[str, Any]:
    """The body's schema for the API description; it is read by hand, record by record."""
    schema = model.model_json_schema(ref_template=f"#/components/schemas/{name}/$defs/{{model}}")
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "security": [{"merchantKey": []}],
    }


async def _body(request: Request) -> bytes:
    """At most `MAX_BYTES`, refused as soon as more arrive."""
    received = bytearray()
    async for block in request.stream():
        received += block
        if len(received) > MAX_BYTES:
            raise DomainError(
                "body_too_large",
                f"A call is at most {MAX_BYTES // 1024 // 1024} MB",
                hint="Send fewer offers at a time.",
                status=413,
            )
    return bytes(received)


def _document(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise DomainError("json_malformed", f"The body is not JSON: {error}", status=400) from error


def _records(document: Any, name: str) -> list[Any]:
    records = document.get(name) if isinstance(document, dict) else document
    if not isinstance(records, list):
        raise DomainError("body_shape", f"The body must be an object with a list called {name}")
    if len(records) > MAX_OFFERS:
        raise DomainError(
            "too_many_records",
            f"A call carries at most {MAX_OFFERS} records",
            hint="Split it, and give each call its own Idempotency-Key.",
        )
    return records


def _offers_work(document: Any) -> Work:
    if not isinstance(document, dict):
        raise DomainError("body_shape", "The body must be an object with a list called offers")
    run, complete = document.get("run"), document.get("complete", False)
    if run is not None and not (isinstance(run, str) and 0 < len(run) <= 200 and run.isprintable()):
        raise DomainError("body_shape", "run must be a text of 1 to 200 characters")
    if not isinstance(complete, bool):
        raise DomainError("body_shape", "complete must be true or false")
    records = [offer_in(each, place) for place, each in enumerate(_records(document, "offers"), 1)]

    def work(tx: Transaction, merchant_id: str) -> dict[str, Any]:
        return land_offers(tx, merchant_id, records, run=run, complete=complete)

    return work


def _prices_work(document: Any) -> Work:
    changes = [change_in(each, place) for place, each in enumerate(_records(document, "prices"), 1)]

    def work(tx: Transaction, merchant_id: str) -> dict[str, Any]:
        skus = [each.sku for each in changes if isinstance(each, PriceChange)]
        known = live_offers(tx, merchant_id, skus)
        records: list[RawOffer | Refusal] = []
        for place, change in enumerate(changes, 1):
            if isinstance(change, Refusal):
                records.append(change)
            elif change.sku not in known:
                records.append(_unknown(change.sku, place))
            else:
                known[change.sku] = changed(known[change.sku], change)
                records.append(known[change.sku])
        return land_offers(tx, merchant_id, records, run=None, complete=False)

    return work


def _unknown(sku: str, place: int) -> Refusal:
    return Refusal(
        "sku_unknown",
        "no live offer has this sku",
        position=place,
        sku=sku[:200],
        hint="Push the whole offer first.",
    )


@dataclass(frozen=True, slots=True)
class _Caller:
    merchant_id: str
    idempotency_key: str


def _caller(database: Database, authorization: str, key: str) -> _Caller:
    """Who calls, known before a byte of the body is read."""
    with database.platform() as tx:
        merchant_id = _merchant(tx, authorization)
    if not (key.strip() and len(key) <= MAX_KEY and key.isprintable()):
        raise DomainError(
            "idempotency_key_missing",
            f"The header Idempotency-Key is required, 1 to {MAX_KEY} characters",
            hint="A new random key for each call; the same key when you repeat it.",
            status=400,
        )
    return _Caller(merchant_id, key)


async def _answer(
    database: Database, request: Request, body: bytes, caller: _Caller, work: Work
) -> JSONResponse:
    digest = request_digest(request.url.path, body)

    def call() -> Answered:
        with database.platform() as tx:
            return once(
                tx,
                caller.merchant_id,
                caller.idempotency_key,
                digest,
                lambda: work(tx, caller.merchant_id),
            )

    answered = await run_in_threadpool(call)
    headers = {"Idempotent-Replayed": "true"} if answered.is_replayed else None
    return JSONResponse(dict(answered.answer), headers=headers)


def _merchant(tx: Transaction, authorization: str) -> str:
    scheme, _, bearer = authorization.partition(" ")
    merchant_id = merchant_keys.verify(tx, bearer.strip()) if scheme.lower() == "bearer" else None
    if merchant_id is None:
        raise DomainError(
            "key_refused",
            "The key is missing, wrong or revoked",
            hint="Send `Authorization: Bearer` with the merchant's key.",
            status=401,
        )
    return merchant_id
