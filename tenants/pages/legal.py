"""The pages that every shop must have: who runs it, and what becomes of personal data.

Needs `request.state.brand`, `.language` and `.scheme`, and `request.app.state.pages`.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from tenants.pages.rendering import render

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/legal/notice")
def notice(request: Request) -> str:
    """Who runs the shop and how to reach it."""
    return _page(request, "legal_notice.html")


@router.get("/legal/privacy")
def privacy(request: Request) -> str:
    """What is kept of a shopper, why, and who gets it."""
    return _page(request, "legal_privacy.html")


def _page(request: Request, template: str) -> str:
    return render(
        request.app.state.pages,
        template,
        brand=request.state.brand,
        language=request.state.language,
        scheme=request.state.scheme,
        here=request.url.path,
    )
