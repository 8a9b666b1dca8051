"""What the shop says when nothing else answers: an address nobody knows, a failure nobody expected.

People get a page, programs (`/v1`) problem+json. A failure has a reference that stands in the log.
"""

from __future__ import annotations

import logging
import secrets

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kernel.errors import DomainError
from kernel.web import problem
from tenants.pages.rendering import render

_LOG = logging.getLogger("comptoir.shop")


# Where a failure may come after money has moved; the page then says so instead of denying it.
PURCHASE = ("/checkout", "/pay/", "/order/", "/v1/purchases")


def add_refusals(app: FastAPI) -> None:
    """Answer what no route answers. Call before any other middleware is added."""
    app.add_exception_handler(HTTPException, _no_answer)
    app.add_exception_handler(DomainError, _refused)
    app.add_middleware(_Failures)


class _Failures:
    """Catches what nobody expected, inside the middleware that sets headers and the brand."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def noted(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except Exception as error:
            if scope["type"] != "http" or has_begun:
                raise
            answer = _failed(Request(scope), error)
            await answer(scope, receive, send)


async def _no_answer(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        said = DomainError("method_unknown", "This address does not take that method.", status=405)
    else:
        said = DomainError("address_unknown", "There is nothing at this address.", status=404)
    if _is_program(request) or error.status_code == 405:
        answer: Response = problem(said)
    else:
        answer = _page(request, "not_found.html", 404)
    answer.headers.update(error.headers or {})
    return answer


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, DomainError)
    if _is_program(request):
        return problem(error)
    return _page(request, "error.html", error.status, reference="")


def _failed(request: Request, error: Exception) -> Response:
    reference = secrets.token_hex(4)
    _LOG.error("failure %s at %s", reference, request.url.path, exc_info=error)
    if _is_program(request):
        said = DomainError(
            "internal",
            "Something failed on our side.",
            hint=f"Tell us this reference: {reference}.",
            status=500,
        )
        return problem(said)
    is_uncertain = request.url.path.startswith(PURCHASE)
    return _page(request, "error.html", 500, reference=reference, is_uncertain=is_uncertain)


def _is_program(request: Request) -> bool:
    return request.url.path.startswith(("/v1/", "/webhooks/", "/openapi.json"))


def _page(request: Request, template: str, status: int, **context: object) -> HTMLResponse:
    path = request.url.path
    html = render(
        request.app.state.pages,
        template,
        brand=request.state.brand,
        language=request.state.language,
        scheme=request.state.scheme,
        page=None,
        here=f"{path}?{request.url.query}" if request.url.query else path,
        **context,
    )
    return HTMLResponse(html, status)
