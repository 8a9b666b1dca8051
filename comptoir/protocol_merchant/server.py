"""Puts the merchant together: one folder of data, both protocols, its pages, its notices."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from comptoir.payment_simulator.keys import platform_keys
from comptoir.protocol_merchant.acp_api import AcpApi
from comptoir.protocol_merchant.continue_page import ContinuePage
from comptoir.protocol_merchant.controls import Controls
from comptoir.protocol_merchant.database import MerchantDatabase, write_setting
from comptoir.protocol_merchant.exchange import Exchange, base_url
from comptoir.protocol_merchant.notices import NoticeQueue, NoticeSender
from comptoir.protocol_merchant.platforms import Platforms
from comptoir.protocol_merchant.schemas import Schemas
from comptoir.protocol_merchant.shop import ORDER_PREFIX
from comptoir.protocol_merchant.ucp_api import UcpApi
from comptoir.protocol_merchant.ucp_messages import NEWEST, OLDER, profile_json
from comptoir.protocol_merchant.ucp_signatures import jwk_of, signing_key

KEY_ID = "shop-1"
# A key found again under another body: each protocol has its own word for that.
UCP_CONFLICT, ACP_CONFLICT = 409, 422


@dataclass(frozen=True, slots=True)
class MerchantOptions:
    """`platforms`: origins that may buy by UCP. `versions`: those of UCP that are spoken, newest
    first. `schemas`: a folder with `ucp-2026-08-25` and `acp-2026-04-17`. `order_prefix`: what the
    numbers of orders begin with.
    """

    data: Path
    platforms: Sequence[str] = ()
    versions: tuple[str, ...] = (NEWEST, OLDER)
    schemas: Path | None = None
    hands_off: bool = False
    order_prefix: str = "M"


def create_app(options: MerchantOptions) -> Starlette:
    """The application. All state is in the folder."""
    options.data.mkdir(parents=True, exist_ok=True)
    database = MerchantDatabase(options.data / "merchant.sqlite3")
    with database.write() as tx:
        write_setting(tx, ORDER_PREFIX, options.order_prefix)
    key = signing_key(options.data / "signing-key.pem")
    account = platform_keys(options.data)
    platforms, boot = Platforms(options.platforms), uuid4().hex

    def report(text: str) -> None:
        with database.write() as tx:
            tx.execute("INSERT INTO violation (text) VALUES (?)", (text,))

    schemas = Schemas(options.schemas, report)
    notices = NoticeQueue(schemas)
    sender = NoticeSender(database, key, KEY_ID, account.webhook_secret)
    ucp = UcpApi(
        Exchange(database, boot, UCP_CONFLICT),
        platforms,
        schemas,
        notices,
        versions=options.versions,
        hands_off=options.hands_off,
    )
    acp = AcpApi(
        Exchange(database, boot, ACP_CONFLICT),
        account,
        schemas,
        notices,
        hands_off=options.hands_off,
    )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        sender.start()
        yield
        sender.stop()

    return Starlette(
        routes=[
            Route("/health", _health),
            *_discovery(options.versions, jwk_of(key, KEY_ID), schemas),
            *ucp.routes(),
            *acp.routes(),
            *Controls(database, account, notices, platforms).routes(),
            *ContinuePage(database).routes(),
        ],
        lifespan=lifespan,
    )


async def _health(_request: Request) -> Response:
    return PlainTextResponse("ready\n")


def _discovery(versions: tuple[str, ...], jwk: dict[str, str], schemas: Schemas) -> list[Route]:
    """The UCP profile, one for each version, and ACP's document."""

    async def newest(request: Request) -> Response:
        profile = profile_json(base_url(request), versions[0], jwk, OLDER in versions[1:])
        if versions[0] == NEWEST:
            schemas.check_ucp_profile(profile)
        return JSONResponse(profile)

    async def older(request: Request) -> Response:
        return JSONResponse(profile_json(base_url(request), OLDER, jwk, older=False))

    async def acp(request: Request) -> Response:
        protocol = {"name": "acp", "version": "2026-04-17", "supported_versions": ["2026-04-17"]}
        return JSONResponse(
            {
                "protocol": protocol,
                "api_base_url": f"{base_url(request)}/acp",
                "transports": ["rest"],
                "capabilities": {"services": ["checkout", "orders"]},
            }
        )

    routes = [Route("/.well-known/ucp", newest), Route("/.well-known/acp.json", acp)]
    if OLDER in versions:
        routes.append(Route(f"/.well-known/ucp/{OLDER}", older))
    return routes
