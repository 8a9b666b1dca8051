"""Edges of an HTTP exchange: bounded bodies, JSON answers, and answers that break on purpose."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from comptoir.payment_simulator.keys import Platform
from comptoir.payment_simulator.payments import PaymentRefused

MOST_BYTES = 64_000


def platform_of(request: Request, platforms: Iterable[Platform]) -> Platform:
    """The caller by its bearer key. 401 otherwise."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    for platform in platforms:
        if scheme.lower() == "bearer" and hmac.compare_digest(
            key.encode(), platform.api_key.encode()
        ):
            return platform
    raise PaymentRefused(401, "unauthorised", "The API key is missing or unknown.")


async def read_bounded(request: Request) -> bytes:
    """The body. 413 where it is larger than any request of ours has reason to be."""
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MOST_BYTES:
            raise PaymentRefused(413, "too_large", f"The body exceeds {MOST_BYTES} bytes.")
    return bytes(raw)


async def read_json(request: Request) -> Any:
    """The JSON of the body; an empty body counts as {}. 400 where it is none."""
    raw = await read_bounded(request)
    try:
        return json.loads(raw) if raw else {}
    except (ValueError, RecursionError) as error:
        raise PaymentRefused(400, "invalid_request", "The body is not JSON.") from error


def json_answer(
    status: int, body: str | Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON answer from a mapping, or from JSON that is spelled already."""
    text = body if isinstance(body, str) else json.dumps(body)
    return Response(text, status, dict(headers or {}), media_type="application/json")


def refusal(error: PaymentRefused) -> Response:
    """`{"error": {"code", "message"}}`; with Retry-After where asking again helps."""
    headers = {"Retry-After": "1"} if error.code == "idempotency_in_flight" else None
    return json_answer(error.status, error_json(error.code, error.message), headers)


def error_json(code: str, message: str) -> dict[str, Any]:
    """The body of an error."""
    return {"error": {"code": code, "message": message}}


class LostAnswer(Response):
    """Promises more bytes than it sends, so that the connection breaks under the client."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Start, and never finish: the server closes the connection."""
        headers = [(b"content-type", b"application/json"), (b"content-length", b"4096")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})
