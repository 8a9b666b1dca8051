"""A page as the one who asks for it sees it: brand, language, scheme, address and basket's count.

Needs `request.state.brand`, `.language` (and `.scheme`), and `request.app.state.pages`.
"""

from __future__ import annotations

from fastapi import Request

from tenants.asking import brand_of, language_of
from tenants.pages.rendering import render

COUNT_COOKIE = "basket_count"
"""How much the basket holds, for the frame of pages; only the purchase reads the basket itself."""


def asked_page(request: Request, template: str, model: object, **context: object) -> str:
    """HTML of the template with its model as `page`; the context may give a newer `basket_count`
    than the cookie's."""
    path = request.url.path
    return render(
        request.app.state.pages,
        template,
        brand=brand_of(request),
        language=language_of(request),
        scheme=getattr(request.state, "scheme", "auto"),
        page=model,
        here=f"{path}?{request.url.query}" if request.url.query else path,
        **{"basket_count": _stated_count(request), **context},
    )


def _stated_count(request: Request) -> int:
    stated = request.cookies.get(COUNT_COOKIE, "")
    return int(stated) if stated.isascii() and stated.isdigit() and len(stated) <= 3 else 0
