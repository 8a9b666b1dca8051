"""The frame of the back office's pages: who is signed in, forms that no other site can send.

A session begins with an operator's key and lives in a cookie that scripts cannot read. Every form
carries the session's token. Nothing here is ever cached.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.routing import APIRoute

from comptoir.pages.look import Office, look_router, office_url
from kernel.errors import DomainError, NotFound
from kernel.i18n import LANGUAGES
from tenants.operator_keys import Operator
from tenants.operator_sessions import (
    LASTS,
    begin_session,
    end_session,
    form_token,
    operator_in,
)
from tenants.pages.reader_choices import ReaderChoices, reader_choices
from tenants.pages.rendering import page_environment, render

if TYPE_CHECKING:
    from comptoir.installation import Installation

HOME = "/stewardship"
SIGN_IN = "/sign-in"
MOST_FIELDS = 400
_CHOICES_KEPT_S = 365 * 24 * 3600

Fields = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Desk:
    """Where an operator works: who it is, and the token that the forms carry."""

    operator: Operator
    token: str


class SignInFirst(Exception):
    """Nobody is signed in: the page waits behind the sign-in."""


async def form_fields(request: Request) -> Fields:
    """The text fields of a form, each with all its values; files are not read."""
    async with request.form(max_files=0, max_fields=MOST_FIELDS) as form:
        return {
            name: tuple(
                value.replace("\0", "") for value in form.getlist(name) if isinstance(value, str)
            )
            for name in form
        }


Form = Annotated[Fields, Depends(form_fields)]


def one(form: Fields, name: str) -> str:
    """The field's only (last) value, empty where it is absent."""
    return (form.get(name) or ("",))[-1].strip()


def desk_of(request: Request) -> Desk:
    """Who is at work. SignInFirst for nobody; DomainError `not_allowed` for a brand's operator."""
    token = request.cookies.get(_cookie(request), "")
    with request.app.state.installation.database.platform() as tx:
        found = operator_in(tx, token, datetime.now(UTC)) if token else None
    if found is None:
        raise SignInFirst
    found.require(None)
    request.state.desk = Desk(found, form_token(token))
    return request.state.desk  # type: ignore[no-any-return]


AtDesk = Annotated[Desk, Depends(desk_of)]


def sent_from_here(desk: AtDesk, form: Form) -> Fields:
    """The fields of a form of this session. DomainError `form_stale` (403) for any other."""
    if not hmac.compare_digest(one(form, "token").encode(), desk.token.encode()):
        raise DomainError("form_stale", "This form is not of this session.", status=403)
    return form


Sent = Annotated[Fields, Depends(sent_from_here)]


def page(
    request: Request, template: str, desk: Desk | None, model: object = None, *, status: int = 200
) -> HTMLResponse:
    """A page of the back office in the reader's language."""
    chosen = _choices(request)
    path = request.url.path if request.method == "GET" else HOME
    query = request.url.query if request.method == "GET" else ""
    html = render(
        request.app.state.office_pages,
        template,
        brand=_office(request),
        language=chosen.language,
        scheme=chosen.scheme,
        here=f"{path}?{query}" if query else path,
        page=model,
        desk=desk,
        languages=LANGUAGES,
        office_url=office_url,
    )
    answer = HTMLResponse(html, status, headers={"cache-control": "no-store"})
    for name, value in chosen.to_keep.items():
        answer.set_cookie(name, value, max_age=_CHOICES_KEPT_S, path="/", samesite="lax")
    return answer


def go_to(path: str) -> RedirectResponse:
    """After a form: the next page, which may be loaded again without sending it twice."""
    return RedirectResponse(path, 303, headers={"cache-control": "no-store"})


class OfficeRoute(APIRoute):
    """Refusals as pages; whoever is not signed in is led to the sign-in."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                _require_printable(request)
                return await handler(request)
            except SignInFirst:
                return go_to(SIGN_IN)
            except RequestValidationError:
                return refusal_page(request, _nothing_here())
            except DomainError as error:
                return refusal_page(request, error)

        return answered


def refusal_page(request: Request, error: DomainError) -> Response:
    """What was refused, as a page."""
    desk = getattr(request.state, "desk", None)
    answer = page(request, "office_refusal.html", desk, error, status=error.status)
    if error.retry_after_s is not None:
        answer.headers["retry-after"] = str(error.retry_after_s)
    return answer


def office_router(installation: Installation) -> APIRouter:
    """Sign-in, sign-out, stylesheet and script."""
    database = installation.database
    router = APIRouter(include_in_schema=False, route_class=OfficeRoute)
    router.include_router(look_router())

    @router.get("/")
    def home() -> Response:
        return go_to(HOME)

    @router.get(SIGN_IN)
    def sign_in(request: Request) -> Response:
        return page(request, "sign_in.html", None, {"is_wrong": False})

    @router.post(SIGN_IN)
    def signed_in(request: Request, form: Form) -> Response:
        with database.platform() as tx:
            now = datetime.now(UTC)
            token = begin_session(tx, one(form, "key"), now)
            found = operator_in(tx, token, now) if token is not None else None
            if found is not None:
                # A session that could open no page could not be ended on one either.
                found.require(None)
        if token is None:
            return page(request, "sign_in.html", None, {"is_wrong": True}, status=401)
        answer = go_to(HOME)
        answer.set_cookie(
            _cookie(request),
            token,
            max_age=int(LASTS.total_seconds()),
            path="/",
            secure=_is_secure(request),
            httponly=True,
            samesite="lax",
        )
        return answer

    @router.post("/sign-out")
    def sign_out(request: Request, sent: Sent) -> Response:
        del sent
        with database.platform() as tx:
            end_session(tx, request.cookies.get(_cookie(request), ""))
        answer = go_to(SIGN_IN)
        answer.delete_cookie(_cookie(request), path="/", secure=_is_secure(request), httponly=True)
        return answer

    return router


def _require_printable(request: Request) -> None:
    said = (request.url.path, *request.query_params.values())
    if any("\0" in each for each in said):
        raise _nothing_here()


def _nothing_here() -> NotFound:
    return NotFound("address_unknown", "There is nothing at this address.")


def office_environment() -> Any:
    """Templates of the back office; names of facts are those that shoppers read."""
    return page_environment(["comptoir.pages", "search_api.pages"])


def _choices(request: Request) -> ReaderChoices:
    accepted = request.headers.get("accept-language", "")
    return reader_choices(request.query_params, request.cookies, accepted, LANGUAGES)


def _office(request: Request) -> Office:
    brands = request.app.state.installation.brands.brands()
    return Office(next((each.timezone for each in brands.values()), "UTC"))


def _is_secure(request: Request) -> bool:
    return request.url.scheme == "https"


def _cookie(request: Request) -> str:
    return "__Host-operator" if _is_secure(request) else "operator"
