"""A page of the reading side: its frame from the request, and refusals shown as pages.

Needs `request.state.brand`, `.language` (and `.scheme`), and `request.app.state.pages`.
"""

from __future__ import annotations

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from kernel.errors import DomainError, NotFound
from kernel.web import RefusingRoute
from search_api.reader_route import for_readers
from tenants.asking import brand_of
from tenants.pages.asked_page import asked_page


class PageRoute(RefusingRoute):
    """Shows refusals as pages."""

    def refused(self, request: Request, error: DomainError) -> Response:
        """Not here, or not now, in words for readers."""
        if isinstance(error, NotFound):
            return page_of(request, "not_found.html", None, status=404)
        told = for_readers(error)
        shown = {
            "reference": "",
            "is_filling": told.code == "index_missing",
            "is_away": told.code == "search_unavailable",
        }
        return page_of(request, "error.html", None, status=told.status, **shown)


def page_of(
    request: Request, template: str, model: object, *, status: int = 200, **context: object
) -> HTMLResponse:
    """The template with its model as `page`, in the reader's brand, language and scheme.

    `canonical` in the context is the path under which search engines may keep the page; without one
    they may not keep it.
    """
    html = asked_page(request, template, model, origin=origin_of(request), **context)
    return HTMLResponse(html, status_code=status)


def origin_of(request: Request) -> str:
    """Scheme and host under which the brand is found, whichever of its names was asked."""
    port = f":{request.url.port}" if request.url.port else ""
    return f"{request.url.scheme}://{brand_of(request).hosts[0]}{port}"
