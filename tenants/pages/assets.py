"""Static files of the shop: one stylesheet for each brand (tokens + shop.css), scripts, icon.

Addresses carry a digest of the content, so browsers keep them for ever and never show old ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files
from typing import Protocol

from fastapi import APIRouter, HTTPException
from starlette.responses import Response

from tenants.theme import Theme, theme_css

FOR_EVER = "public, max-age=31536000, immutable"
SCRIPTS = dict.fromkeys(("htmx.min.js", "shop.js", "combobox.js"), "text/javascript")


class ThemedBrand(Protocol):
    """A brand with a name for its stylesheet."""

    @property
    def id(self) -> str: ...
    @property
    def theme(self) -> Theme: ...


@lru_cache(maxsize=256)
def stylesheet(theme: Theme) -> str:
    """The whole CSS of a brand: its tokens, then the shop's rules."""
    return theme_css(theme) + _static("shop.css").decode()


def stylesheet_url(brand: ThemedBrand) -> str:
    """Address of a brand's stylesheet, new with every change of it."""
    return f"/static/brands/{brand.id}/{_digest(stylesheet(brand.theme).encode())}.css"


def asset_url(name: str) -> str:
    """Address of a script."""
    return f"/static/{_digest(_static(name))}/{name}"


def assets_router(theme_of: Callable[[str], Theme | None]) -> APIRouter:
    """Routes under /static. `theme_of` answers None for a brand id that does not exist."""
    router = APIRouter(prefix="/static", include_in_schema=False)

    @router.get("/brands/{brand_id}/icon.svg")
    def icon(brand_id: str) -> Response:
        file = files("tenants").joinpath("bundled", f"{brand_id}.svg")
        if theme_of(brand_id) is None or not file.is_file():
            raise HTTPException(404)
        return Response(file.read_bytes(), media_type="image/svg+xml", headers=_cached(FOR_EVER))

    @router.get("/brands/{brand_id}/{digest}.css")
    def brand_stylesheet(brand_id: str, digest: str) -> Response:
        theme = theme_of(brand_id)
        if theme is None:
            raise HTTPException(404)
        content = stylesheet(theme).encode()
        # During a roll-out an older process may be asked for a newer sheet: serve, do not keep.
        caching = FOR_EVER if digest == _digest(content) else "no-cache"
        return Response(content, media_type="text/css", headers=_cached(caching))

    @router.get("/{digest}/{name}")
    def script(digest: str, name: str) -> Response:
        if name not in SCRIPTS:
            raise HTTPException(404)
        content = _static(name)
        caching = FOR_EVER if digest == _digest(content) else "no-cache"
        return Response(content, media_type=SCRIPTS[name], headers=_cached(caching))

    return router


def _cached(policy: str) -> dict[str, str]:
    return {"Cache-Control": policy}


@lru_cache(maxsize=16)
def _static(name: str) -> bytes:
    return files("tenants.pages").joinpath("static", name).read_bytes()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
