"""What the shop says when nothing else answers: an address nobody knows, a request that cannot be
read, a failure nobody expected.

People get a page, programs (`/v1`) problem+json. A failure has a reference that stands in the log.
What was sent is never sent back: it may be an address of a buyer, or a megabyte.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable

import psycopg
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from checkout.signed_links import without_signatures
from kernel.db import away, refused_writing
from kernel.errors import DomainError
from kernel.web import SAFE_METHODS, problem
from tenants.pages.rendering import render

_LOG = logging.getLogger("comptoir.shop")


# Where a failure may come after money has moved; the page then says so instead of denying it.
PURCHASE = ("/checkout", "/pay/", "/order/", "/v1/purchases")
# Money was reserved before these are asked.
PAID_BEFORE = ("/pay/",)
_WITH_BASKET = ("/basket", "/checkout", "/handoff")
_MOST_NAMED = 5


def add_refusals(app: FastAPI) -> None:
    """Answer what no route answers. Call before any other middleware is added."""
    app.add_exception_handler(HTTPException, _no_answer)
    app.add_exception_handler(RequestValidationError, _unread)
    app.add_exception_handler(DomainError, _refused)
    app.add_middleware(Failures, answer=_failed)


def misread(error: RequestValidationError) -> DomainError:
    """The refusal of a request whose fields are not as they should be: their names, not their
    values.
    """
    said = [
        f"{_shown('.'.join(str(step) for step in row['loc'][1:]) or str(row['loc'][0]))}: "
        f"{_shown(row['msg'])}"
        for row in error.errors()[:_MOST_NAMED]
    ]
    return DomainError("request_invalid", "The request cannot be read.", hint="; ".join(said))


async def misread_response(_: Request, error: Exception) -> Response:
    """Exception handler for applications that programs alone call."""
    assert isinstance(error, RequestValidationError)
    return problem(misread(error))


def _shown(text: str) -> str:
    """A name from outside, cut and printable."""
    return "".join(c if c.isprintable() else "?" for c in text[:100])


class Failure(DomainError):
    """A failure of ours; its reference stands in the log."""

    def __init__(
        self, code: str = "internal", said: str = "Something failed on our side.", status: int = 500
    ) -> None:
        self.reference = secrets.token_hex(4)
        super().__init__(
            code, said, hint=f"Tell us this reference: {self.reference}.", status=status
        )


class DatabaseAway(Failure):
    """The database does not answer: it will again, and the same call may be made again then."""

    retry_after_s = 5

    def __init__(self) -> None:
        super().__init__("database_away", "This cannot be done right now.", 503)


class ReadOnly(Failure):
    """Nothing may be changed for now: said by the setting, and by the database."""

    retry_after_s = 60

    def __init__(self) -> None:
        super().__init__("read_only", "Nothing can be changed here right now.", 503)


_UNKEPT = DomainError(
    "request_invalid",
    "The request cannot be read.",
    hint="A text holds a character, or a number is of a size, that cannot be kept.",
)
# A zero byte (found before it is sent), a number out of range, characters without a place.
_STATES_OF_UNKEPT = frozenset({None, "22003", "22021", "22P05"})


def _cannot_be_kept(error: Exception) -> bool:
    """Whether the database has no place for a value that came from outside."""
    cause = getattr(error, "orig", None) or error
    return isinstance(cause, psycopg.DataError) and cause.sqlstate in _STATES_OF_UNKEPT


class Failures:
    """Catches what nobody expected, inside the middleware that sets headers and the brand.

    `answer` says it to whoever asked: a `Failure`, or that the request holds what cannot be kept.
    """

    def __init__(self, app: ASGIApp, answer: Callable[[Request, DomainError], Response]) -> None:
        self.app = app
        self.answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def noted(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except ClientDisconnect:
            raise  # whoever asked has gone: no failure, and nobody to tell
        except Exception as error:
            if scope["type"] != "http" or has_begun:
                raise
            request = Request(scope)
            await self.answer(request, _said_of(error, request))(scope, receive, send)


def _said_of(error: Exception, request: Request) -> DomainError:
    """What is told of it; a failure of ours is logged, one of the database's in a line."""
    if _cannot_be_kept(error):
        return _UNKEPT
    if refused_writing(error):
        return ReadOnly()
    at, reason = without_signatures(request.url.path), away(error)
    if reason is not None:
        said: Failure = DatabaseAway()
        _LOG.error("failure %s at %s: database away: %s", said.reference, at, reason)
        return said
    said = Failure()
    _LOG.error("failure %s at %s", said.reference, at, exc_info=error)
    return said


def unanswered(error: HTTPException) -> DomainError:
    """The refusal of a request that no route answers, or whose body breaks off."""
    if error.status_code == 405:
        return DomainError("method_unknown", "This address does not take that method.", status=405)
    if error.status_code == 400:
        return DomainError("request_invalid", "The request cannot be read.", status=400)
    return DomainError("address_unknown", "There is nothing at this address.", status=404)


async def _no_answer(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    said = unanswered(error)
    if _is_program(request):
        answer: Response = problem(said)
    else:
        answer = _page(request, "not_found.html", said.status)
    answer.headers.update(error.headers or {})
    return answer


async def _unread(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    # People send no fields but those of an address: what is wrong with one leads nowhere.
    return (
        problem(misread(error)) if _is_program(request) else _page(request, "not_found.html", 404)
    )


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, DomainError)
    if _is_program(request):
        return problem(error)
    return _page(request, "error.html", error.status, reference="")


def _failed(request: Request, said: DomainError) -> Response:
    if _is_program(request):
        return problem(said)
    if not isinstance(said, Failure):
        return _page(request, "not_found.html", 404)
    path = request.url.path
    if isinstance(said, ReadOnly) and not path.startswith(PAID_BEFORE):
        shown: dict[str, object] = {"reference": "", "is_read_only": True}
    else:
        shown = {"reference": said.reference, "is_uncertain": path.startswith(PURCHASE)}
    page = _page(request, "error.html", said.status, **shown)
    if said.retry_after_s is not None:
        page.headers["retry-after"] = str(said.retry_after_s)
    return page


def asked_too_often(request: Request, error: DomainError) -> Response:
    """What the shop says to who has to wait: what, why, until when, and that nothing was done."""
    path = request.url.path
    if _is_program(request):
        answer: Response = problem(error)
    elif path == "/suggest":
        # A list under a field that is being typed in: there is no place for a page.
        answer = Response(status_code=error.status)
    else:
        is_reading = request.method in SAFE_METHODS
        there = path if is_reading else "/basket" if path.startswith(_WITH_BASKET) else "/"
        wait_s = error.retry_after_s or 1
        is_long = wait_s >= 100
        again = f"{there}?{request.url.query}" if is_reading and request.url.query else there
        model = {
            "wait": -(-wait_s // 60) if is_long else wait_s,
            "is_long": is_long,
            "again": again,
        }
        answer = _page(request, "too_many.html", error.status, model)
    answer.headers["retry-after"] = str(error.retry_after_s or 1)
    answer.headers["cache-control"] = "no-store"
    return answer


def _is_program(request: Request) -> bool:
    return request.url.path.startswith(("/v1/", "/1/", "/webhooks/", "/openapi.json"))


def _page(
    request: Request, template: str, status: int, model: object = None, **context: object
) -> HTMLResponse:
    path = request.url.path
    html = render(
        request.app.state.pages,
        template,
        brand=request.state.brand,
        language=request.state.language,
        scheme=request.state.scheme,
        page=model,
        here=f"{path}?{request.url.query}" if request.url.query else path,
        **context,
    )
    return HTMLResponse(html, status)
