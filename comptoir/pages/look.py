"""How the back office looks: one calm, dense theme of its own, in light and in dark.

The same roles, checks and rules as the shops'; brands do not change it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from fastapi import APIRouter, HTTPException
from starlette.responses import Response

from tenants.pages.assets import FOR_EVER, stylesheet
from tenants.theme import Palette, Theme

_SANS = 'system-ui, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", Arial, sans-serif'

OFFICE = Theme(
    light=Palette(
        ground="#f3f4f2", surface="#ffffff", sunken="#e8ebe7", ink="#16211c", muted="#4d5a54",
        line="#d5dbd6", control="#69776f", link="#0b5c86", action="#0b6a52",
        action_strong="#084f3d", on_action="#ffffff", accent="#f2c14e", on_accent="#16211c",
        header="#14332a", on_header="#ffffff", well="#ffffff", hero="#14332a", on_hero="#ffffff",
        focus="#0b5c86", good="#0b6a3d", warn="#8a4b00", bad="#a8201f",
    ),
    dark=Palette(
        ground="#0e1412", surface="#161e1b", sunken="#1f2925", ink="#e7eeea", muted="#a6b5ad",
        line="#303c37", control="#7f9188", link="#8cc6ee", action="#5ecfaa",
        action_strong="#8be0c4", on_action="#06140f", accent="#f2c14e", on_accent="#16211c",
        header="#091a15", on_header="#ffffff", well="#cfd6d2", hero="#091a15", on_hero="#ffffff",
        focus="#f2c14e", good="#72d69c", warn="#f5bd6b", bad="#ff9b95",
    ),
    font_text=_SANS, font_display=_SANS, display_weight=650, display_tracking_milliem=-8,
    base_px=15, scale_percent=118, space_px=4, radius_control_px=6, radius_card_px=8,
    width_px=1360, density="dense", results="rows",
)  # fmt: skip

_KINDS = {"office.css": "text/css", "office.js": "text/javascript"}


@dataclass(frozen=True, slots=True)
class Office:
    """The back office as the frame of a page wants it: what a brand is to a shop."""

    timezone: str
    id: str = "office"
    name: str = "Comptoir"
    theme: Theme = OFFICE


@lru_cache(maxsize=4)
def _content(name: str) -> bytes:
    own = files("comptoir.pages").joinpath("static", name).read_bytes()
    return stylesheet(OFFICE).encode() + own if name == "office.css" else own


def office_url(name: str) -> str:
    """Address of the stylesheet or the script, new with every change of it."""
    return f"/office/{hashlib.sha256(_content(name)).hexdigest()[:16]}/{name}"


def look_router() -> APIRouter:
    """Routes of the stylesheet and the script."""
    router = APIRouter(prefix="/office", include_in_schema=False)

    @router.get("/{digest}/{name}")
    def file(digest: str, name: str) -> Response:
        if name not in _KINDS:
            raise HTTPException(404)
        caching = FOR_EVER if office_url(name).split("/")[2] == digest else "no-cache"
        return Response(_content(name), media_type=_KINDS[name], headers={"Cache-Control": caching})

    return router
