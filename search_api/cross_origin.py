"""Which other sites may call the search API from a browser: those that the brand names.

Answers to them carry no cookie and need none; nothing here allows credentials. A site that is not
named gets no permission, and its browser keeps the answer from it.
"""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PATHS = (
    "/v1/search", "/v1/suggest", "/v1/products/", "/v1/events", "/v1/instantsearch", "/1/indexes/",
)  # fmt: skip
"""Read without cookies by programs; writes of other kinds are none of these."""
_ALLOWED = {
    "access-control-allow-methods": "GET, POST",
    "access-control-allow-headers": (
        "content-type, x-algolia-api-key, x-algolia-application-id, x-algolia-agent"
    ),
    "access-control-max-age": "86400",
}


class CrossOrigin:
    """ASGI middleware behind the brand gate: reads `scope["state"]["brand"].api_origins`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PATHS):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin", "")
        allowed = origin if origin in scope["state"]["brand"].api_origins else ""

        async def permitted(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                answer.append("vary", "Origin")
                if allowed:
                    answer["access-control-allow-origin"] = allowed
            await send(message)

        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            answer = Response(status_code=204, headers=_ALLOWED if allowed else None)
            await answer(scope, receive, permitted)
            return
        await self.app(scope, receive, permitted)
