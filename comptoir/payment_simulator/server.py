"""Puts the simulator together: one folder of data, the API, the hosted page, the notices.

In: a data folder and the platforms. Out: an ASGI application. All state is in the folder.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from comptoir.payment_simulator.api import PaymentApi, Platform
from comptoir.payment_simulator.controls import Controls
from comptoir.payment_simulator.database import SimulatorDatabase
from comptoir.payment_simulator.hosted_page import HostedPage
from comptoir.payment_simulator.webhooks import WebhookSender

DEFAULT_PLATFORM = "comptoir"


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

    return Starlette(
        routes=[
            Route("/health", _health),
            *api.routes(),
            *Controls(database, api).routes(),
            *HostedPage(database).routes(),
        ],
        lifespan=lifespan,
    )


def platform_keys(data_dir: Path) -> Platform:
    """The platform's key and secret, drawn once and kept in the folder for its owner alone."""
    data_dir.mkdir(parents=True, exist_ok=True)
    file = data_dir / "platform.json"
    if not file.is_file():
        part = data_dir / f"platform.{os.getpid()}.part"
        drawn = {
            "api_key": f"sim_{secrets.token_urlsafe(32)}",
            "webhook_secret": f"whsec_{secrets.token_urlsafe(32)}",
        }
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
            json.dump(drawn, handle)
        try:
            # Never over keys that another process has drawn in the meantime.
            os.link(part, file)
        except FileExistsError:
            pass
        finally:
            part.unlink()
    kept = json.loads(file.read_text(encoding="utf-8"))
    return Platform(DEFAULT_PLATFORM, kept["api_key"], kept["webhook_secret"])


async def _health(_request: Request) -> Response:
    return PlainTextResponse("ready\n")
