"""What merchants ask of us and send to us: our UCP profile, and the notices of their orders."""

from __future__ import annotations

import re

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from checkout.deps import CheckoutDeps
from checkout.merchant_connectors._checked_answers import Malformed
from checkout.merchant_connectors._ucp_profiles import (
    INSTRUMENT,
    VERSIONS,
    instrument_schema,
    platform_profile,
)
from checkout.merchant_connectors._ucp_signatures import platform_key
from checkout.merchant_connectors.port import Notice
from checkout.merchant_notices import MAX_BODY, receive
from checkout.platform_profile import key_file, public_site
from kernel.errors import DomainError, NotFound
from kernel.web import RefusingRoute

_MERCHANT = re.compile(r"[a-z0-9][a-z0-9/-]{0,99}")
_KEPT = {"cache-control": "public, max-age=300"}


def merchant_routes(deps: CheckoutDeps) -> APIRouter:
    """`/.well-known/ucp` and `/webhooks/orders/{merchant}`."""
    router = APIRouter(route_class=RefusingRoute, include_in_schema=False)
    site = public_site(deps.settings)

    @router.get("/.well-known/ucp")
    def profile(merchant: str = "", version: str = VERSIONS[0]) -> JSONResponse:
        if not _MERCHANT.fullmatch(merchant):
            raise NotFound("merchant_unknown", "Which merchant asks? Its address names it.")
        jwk = platform_key(key_file(deps.settings)).public_jwk()
        try:
            return JSONResponse(platform_profile(site, merchant, version, jwk), headers=_KEPT)
        except Malformed as error:
            raise NotFound("version_unknown", f"{str(error).capitalize()}.") from error

    @router.get(f"/.well-known/ucp/{INSTRUMENT}.json")
    def instrument() -> JSONResponse:
        return JSONResponse(instrument_schema(site), headers=_KEPT)

    @router.post("/webhooks/orders/{merchant:path}")
    async def notice(request: Request, merchant: str) -> JSONResponse:
        if not _MERCHANT.fullmatch(merchant):
            raise NotFound("merchant_unknown", "No such merchant.")
        told = Notice(
            method=request.method,
            # Behind a proxy the address that was signed is the public one.
            url=f"{site}{request.url.path}",
            headers=dict(request.headers),
            body=await _body(request),
            received_at=deps.clock(),
        )
        is_new = await run_in_threadpool(receive, deps, merchant, told)
        ucp = {"version": VERSIONS[0], "status": "success"}
        return JSONResponse({"ucp": ucp, "received": True, "new": is_new})

    return router


async def _body(request: Request) -> bytes:
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MAX_BODY:
            raise DomainError("body_too_large", "A notice may have 256 kB.", status=413)
    return bytes(raw)
