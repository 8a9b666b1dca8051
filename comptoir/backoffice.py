"""The back office's web application: merchants push offers, operators change rankings, look after
golden records and answer what the matcher asks.
"""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from comptoir.call_gate import KeyGate, ProxyNotice
from comptoir.installation import Installation
from comptoir.master_data.api import build_router as build_master_data_router
from comptoir.pages.office import SIGN_IN, office_environment, office_router, refusal_page
from comptoir.ranking.api import build_router as build_ranking_router
from comptoir.refusals import Failures, misread_response, unanswered
from comptoir.stewardship.api import build_router as build_stewardship_router
from comptoir.stewardship.pages import build_pages as build_stewardship_pages
from crawlers.push_api import build_router
from kernel.errors import DomainError
from kernel.web import BodyLimit, SafeHeaders, SameSiteWrites, problem, problem_response
from search_api.drawings.route import router as drawings

PUSH_BYTES = 6 * 1024 * 1024
BY_KEY = ("/v1/merchants/", "/v1/ranking/", "/v1/master-data/", "/v1/stewardship/")
"""Every call brings its key along: no page elsewhere can make one in somebody's name."""


def create_backoffice(installation: Installation) -> FastAPI:
    """The application of the back office role."""
    app = FastAPI(title="Comptoir for merchants", version="1", docs_url=None, redoc_url=None)
    app.add_exception_handler(HTTPException, _no_answer)
    app.add_exception_handler(DomainError, problem_response)
    app.add_exception_handler(RequestValidationError, misread_response)
    app.add_middleware(Failures, answer=_failed)
    app.include_router(build_router(installation.database))
    app.include_router(build_ranking_router(installation))
    app.include_router(build_master_data_router(installation))
    app.include_router(build_stewardship_router(installation))
    app.state.installation = installation
    app.state.office_pages = office_environment()
    app.include_router(office_router(installation))
    app.include_router(build_stewardship_pages(installation))
    app.include_router(drawings)
    app.add_api_route("/healthz", _health, include_in_schema=False)
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=3)
    app.add_middleware(
        KeyGate,
        limits=installation.call_limits,
        wrong_keys=installation.settings.limit_wrong_keys,
        refused=_failed,
        at=SIGN_IN,
    )
    if installation.settings.trusted_proxies is None:
        app.add_middleware(ProxyNotice)
    app.add_middleware(SameSiteWrites, exempt=BY_KEY)
    app.add_middleware(BodyLimit, larger={"/v1/merchants/": PUSH_BYTES})
    app.add_middleware(SafeHeaders)
    return app


def _failed(request: Request, said: DomainError) -> Response:
    return problem(said) if request.url.path.startswith("/v1/") else refusal_page(request, said)


async def _no_answer(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    answer = _failed(request, unanswered(error))
    answer.headers.update(error.headers or {})
    return answer


async def _health() -> Response:
    return PlainTextResponse("ready\n")
