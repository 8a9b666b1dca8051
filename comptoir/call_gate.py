"""How many calls the shop and the back office take from one caller, before any work is done.

Each address belongs to one door, and each door has its limit for a caller and minute. What has no
door is never refused: looking at an order, paying, cancelling, notices, health, pictures, terms.
Purchases have limits of their own besides, where they are made (`checkout.payment_attempts`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kernel.errors import DomainError, TooMany
from kernel.settings import Settings
from tenants.call_limits import CallLimits, Limit, too_many

_LOG = logging.getLogger(__name__)

Refused = Callable[[Request, DomainError], Response]

DOORS = {
    "": "search",
    "search": "search",
    "product": "search",
    "compare": "search",
    "1": "search",
    "v1/search": "search",
    "v1/products": "search",
    "v1/instantsearch": "search",
    "suggest": "suggestions",
    "v1/suggest": "suggestions",
    "out": "events",
    "v1/events": "events",
    "basket": "basket",
    "handoff": "checkout",
    "checkout": "checkout",
    "v1/quotes": "checkout",
    "v1/purchases": "checkout",
}
"""The door of an address, by its first part, below `/v1` by its first two."""


def shop_limits(settings: Settings) -> dict[str, Limit]:
    """The limit of each door."""
    calls = {
        "search": settings.limit_search,
        "suggestions": settings.limit_suggestions,
        "events": settings.limit_events,
        "basket": settings.limit_basket,
        "checkout": settings.limit_checkout,
    }
    return {door: Limit(door, number) for door, number in calls.items()}


def door_of(path: str) -> str | None:
    """The door that an address belongs to; None for one that is never refused."""
    first, _, rest = path[1:].partition("/")
    return DOORS.get(f"v1/{rest.partition('/')[0]}" if first == "v1" else first)


class CallGate:
    """ASGI middleware behind the brand gate. `refused` says it to whoever asked too often."""

    def __init__(
        self, app: ASGIApp, limits: CallLimits, doors: dict[str, Limit], refused: Refused
    ) -> None:
        self.app = app
        self.limits = limits
        self.doors = doors
        self.refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        door = door_of(scope["path"]) if scope["type"] == "http" else None
        if door is None:
            await self.app(scope, receive, send)
            return
        limit = self.doors[door]
        name = self.limits.caller(scope["state"]["brand"].id, host_of(scope))
        wait = await _asked(self.limits, partial(self.limits.wait_s, limit, name))
        if wait:
            answer = self.refused(Request(scope), too_many(limit, wait))
            await answer(scope, receive, send)
            return
        # One call may ask for several things.
        scope["state"]["count_calls"] = partial(self.limits.check, limit, name)
        await self.app(scope, receive, send)


class KeyGate:
    """ASGI middleware: who tries keys that are wrong may try no more for a while.

    Counts the answers 401 to a caller. `at` is a sign-in by a form, which brings its key along.
    """

    def __init__(
        self, app: ASGIApp, limits: CallLimits, wrong_keys: int, refused: Refused, at: str = ""
    ) -> None:
        self.app = app
        self.limits = limits
        self.limit = Limit("wrong keys", wrong_keys)
        self.refused = refused
        self.at = at

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._brings_key(scope):
            await self.app(scope, receive, send)
            return
        name = self.limits.caller("", host_of(scope))
        wait = await _asked(self.limits, partial(self.limits.full_s, self.limit, name))
        if wait:
            answer = self.refused(Request(scope), _too_many_keys(wait))
            await answer(scope, receive, send)
            return
        is_wrong = False

        async def noted(message: Message) -> None:
            nonlocal is_wrong
            is_wrong = is_wrong or message.get("status") == 401
            await send(message)

        await self.app(scope, receive, noted)
        if is_wrong:
            await _asked(self.limits, partial(self.limits.wait_s, self.limit, name))

    def _brings_key(self, scope: Scope) -> bool:
        is_form = scope["method"] == "POST" and scope["path"] == self.at
        return is_form or "authorization" in Headers(scope=scope)


def _too_many_keys(wait_s: int) -> TooMany:
    return TooMany("Too many wrong keys came from this address.", wait_s)


async def _asked(limits: CallLimits, count: Callable[[], int]) -> int:
    """The count, made where nobody else waits for it."""
    return await run_in_threadpool(count) if limits.cache.shared else count()


def host_of(scope: Scope) -> str:
    """The address of who asks: the web server has put it there, from a proxy that is trusted."""
    client = scope.get("client")
    return client[0] if client else ""


class ProxyNotice:
    """ASGI middleware: says once in the log that a proxy speaks for its visitors unheard.

    All of them then are one caller to the limits, and what the proxy says is not believed.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.is_due = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.is_due and scope["type"] == "http" and "x-forwarded-for" in Headers(scope=scope):
            self.is_due = False
            _LOG.warning(
                "%s sends X-Forwarded-For and is not named in TRUSTED_PROXIES: if it is your "
                "proxy, all its visitors count as one caller",
                host_of(scope),
            )
        await self.app(scope, receive, send)
