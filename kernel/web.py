"""What every web application of the platform has: bounded bodies, same-site writes, safe headers,
refusals as problem+json. Middleware is pure ASGI, so that streaming and speed are left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kernel.errors import DomainError

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' https: data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'{forms}; base-uri 'none'; "
    "object-src 'none'; frame-ancestors 'none'"
)


def problem(error: DomainError) -> JSONResponse:
    """The refusal as RFC 9457."""
    wait = error.retry_after_s
    return JSONResponse(
        error.as_problem(),
        status_code=error.status,
        media_type="application/problem+json",
        headers={"Retry-After": str(wait)} if wait is not None else None,
    )


async def problem_response(_: Request, error: Exception) -> JSONResponse:
    """Exception handler for `DomainError` in JSON applications."""
    assert isinstance(error, DomainError)
    return problem(error)


class RefusingRoute(APIRoute):
    """A route whose refusals are answers: problem+json, or what a kind of its own makes of them."""

    def refused(self, request: Request, error: DomainError) -> Response:
        """The answer to a refusal."""
        del request
        return problem(error)

    def get_route_handler(self) -> Handler:
        """The handler with its refusals turned into answers."""
        handler = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await handler(request)
            except DomainError as error:
                return self.refused(request, error)

        return answered


class SafeHeaders:
    """Adds the headers that keep a page from being framed, sniffed or scripted by others.

    `payment_hosts` are origins a form may lead to by redirect (hosted payment pages).
    """

    def __init__(self, app: ASGIApp, payment_hosts: Iterable[str] = ()) -> None:
        self.app = app
        forms = "".join(f" {host}" for host in payment_hosts)
        headers = {
            "content-security-policy": PAGE_POLICY.format(forms=forms),
            "x-content-type-options": "nosniff",
            "referrer-policy": "same-origin",
            "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
            "cross-origin-opener-policy": "same-origin",
            "strict-transport-security": "max-age=31536000",
        }
        self.headers = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                stated = list(message.get("headers", ()))
                names = {name.lower() for name, _ in stated}
                added = [header for header in self.headers if header[0] not in names]
                message = {**message, "headers": stated + added}
            await send(message)

        await self.app(scope, receive, with_headers)


class SameSiteWrites:
    """Refuses writes that another site makes with a visitor's cookies.

    By `Sec-Fetch-Site`, else `Origin`; a request with neither comes from no browser. Signed
    webhooks and bearer calls are named in `exempt` by path prefix.
    """

    def __init__(self, app: ASGIApp, exempt: tuple[str, ...] = ()) -> None:
        self.app = app
        self.exempt = exempt

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._allowed(scope):
            refusal = DomainError(
                "cross_site_write",
                "This request came from another site and was refused.",
                hint="Open the page on this site and send the form from there.",
                status=403,
            )
            await problem(refusal)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _allowed(self, scope: Scope) -> bool:
        if scope["method"] in SAFE_METHODS or scope["path"].startswith(self.exempt or ("\0",)):
            return True
        headers = Headers(scope=scope)
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site in {"same-origin", "none"}
        origin = headers.get("origin")
        return origin is None or urlsplit(origin).netloc == headers.get("host", "")


class BodyLimit:
    """Refuses bodies above `limit` bytes, by their stated length or as they come in."""

    def __init__(self, app: ASGIApp, limit: int = 1 << 20, larger: dict[str, int] | None = None):
        self.app = app
        self.limit = limit
        self.larger = larger or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = next(
            (size for path, size in self.larger.items() if scope["path"].startswith(path)),
            self.limit,
        )
        stated = Headers(scope=scope).get("content-length", "0")
        if not stated.isdigit() or int(stated) > limit:
            await _too_large(limit)(scope, receive, send)
            return
        await self._count(scope, receive, send, limit)

    async def _count(self, scope: Scope, receive: Receive, send: Send, limit: int) -> None:
        seen = 0
        answered = False

        async def bounded() -> Message:
            nonlocal seen
            if seen <= limit:
                message = await receive()
                if message["type"] == "http.request":
                    seen += len(message.get("body", b""))
            # To the application it looks as if the sender had gone: whatever it makes of that, and
            # catches on the way, the answer is ours.
            return message if seen <= limit else {"type": "http.disconnect"}

        async def noted(message: Message) -> None:
            nonlocal answered
            if answered or seen <= limit:
                answered = True
                await send(message)

        # The sender has gone, or is refused below: nobody waits for the application's answer.
        with suppress(ClientDisconnect):
            await self.app(scope, bounded, noted)
        if seen > limit and not answered:
            await _too_large(limit)(scope, receive, send)


def _too_large(limit: int) -> JSONResponse:
    said = f"A request body may have {limit:,} bytes."
    return problem(DomainError("body_too_large", said, status=413))
