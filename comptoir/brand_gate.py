"""The gate of the shop: which brand is asked, in which language, by whom it was chosen.

By host name; in the demo also by `?brand=`, kept in a cookie. Sets `request.state.brand`,
`.language` and `.scheme` for everything behind it. Reads the snapshot, never the database.
"""

from __future__ import annotations

from http.cookies import SimpleCookie

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kernel.i18n import translator
from tenants.brand import Brand
from tenants.pages.reader_choices import reader_choices
from tenants.registry import BrandRegistry

HEALTH = "/healthz"
"""Asked by supervisors and balancers under an address, not under a brand's name."""
KEEP_S = 365 * 24 * 3600
# Where no brand says which languages it has; the first is for who speaks none of them.
_SPOKEN = ("en", "fr", "de")


class BrandGate:
    """ASGI middleware; answers 404 in plain words for a host that no brand has."""

    def __init__(self, app: ASGIApp, brands: BrandRegistry, *, by_query: bool = False) -> None:
        self.app = app
        self.brands = brands
        self.by_query = by_query

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == HEALTH:
            await self.app(scope, receive, send)
            return
        if self.brands.is_due:
            await run_in_threadpool(self.brands.brands)
        asked = HTTPConnection(scope)
        to_keep: dict[str, str] = {}
        brand = self._brand(asked, to_keep)
        if brand is None:
            await PlainTextResponse(self._refusal(asked), 404)(scope, receive, send)
            return
        choices = reader_choices(
            asked.query_params,
            asked.cookies,
            asked.headers.get("accept-language", ""),
            brand.languages,
        )
        to_keep |= choices.to_keep
        scope.setdefault("state", {}).update(
            brand=brand, language=choices.language, scheme=choices.scheme
        )

        async def with_cookies(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in to_keep.items():
                    headers.append("set-cookie", _cookie(name, value))
                if not headers.get("cache-control"):
                    headers["cache-control"] = "private, no-cache"
                headers.append("vary", "Cookie, Accept-Language")
            await send(message)

        await self.app(scope, receive, with_cookies)

    def _brand(self, asked: HTTPConnection, to_keep: dict[str, str]) -> Brand | None:
        named = self.brands.by_host(asked.headers.get("host", ""))
        if not self.by_query:
            return named
        brands = self.brands.brands()
        wish = asked.query_params.get("brand")
        if not wish:
            kept = brands.get(asked.cookies.get("brand", ""))
            return named or kept or next(iter(brands.values()), None)
        if wish in brands:
            to_keep["brand"] = wish
        # Another brand's shop in its place would be taken for the one that was asked for.
        return brands.get(wish)

    def _refusal(self, asked: HTTPConnection) -> str:
        wish = asked.query_params.get("brand", "") if self.by_query else ""
        name = wish or asked.headers.get("host", "")
        speaks = asked.headers.get("accept-language", "")
        language = reader_choices(asked.query_params, asked.cookies, speaks, _SPOKEN).language
        said = translator(language).gettext("No shop answers under the name %(name)s.")
        return said % {"name": repr(name[:100])}


def _cookie(name: str, value: str) -> str:
    jar: SimpleCookie = SimpleCookie()
    jar[name] = value
    for attribute, said in (("path", "/"), ("max-age", str(KEEP_S)), ("samesite", "Lax")):
        jar[name][attribute] = said
    jar[name]["httponly"] = True
    return jar[name].OutputString()
