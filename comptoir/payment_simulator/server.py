"""Puts the simulator together: one folder of data, the API, the hosted page, the notices.

In: a data folder and the platforms. Out: an ASGI application. All state is in the folder.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from comptoir.payment_simulator.api import PaymentApi
from comptoir.payment_simulator.controls import Controls
from comptoir.payment_simulator.database import SimulatorDatabase
from comptoir.payment_simulator.hosted_page import HostedPage
from comptoir.payment_simulator.keys import Platform
from comptoir.payment_simulator.sips_api import SipsApi
from comptoir.payment_simulator.stripe_api import StripeApi
from comptoir.payment_simulator.webhooks import WebhookSender
from comptoir.payment_simulator.worldline_api import WorldlineApi


def create_app(
    data_dir: Path, platforms: Sequence[Platform], public_url: str | None = None
) -> Starlette:
    """The application. `public_url` is how browsers reach it; None: as the platform reached it."""
    data_dir.mkdir(parents=True, exist_ok=True)
    database = SimulatorDatabase(data_dir / "payments.sqlite3")
    api = PaymentApi(database, list(platforms), public_url)
    sender = WebhookSender(database, {each.name: each.webhook_secret for each in platforms})

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        sender.start()
        yield
        sender.stop()
        database.close()

    return Starlette(
        routes=[
            Route("/health", _health),
            *api.routes(),
            *StripeApi(database, list(platforms), public_url).routes(),
            *WorldlineApi(database, list(platforms), public_url).routes(),
            *SipsApi(database, list(platforms), public_url).routes(),
            *Controls(database, api).routes(),
            *HostedPage(database).routes(),
        ],
        lifespan=lifespan,
    )


async def _health(_request: Request) -> Response:
    return PlainTextResponse("ready\n")
