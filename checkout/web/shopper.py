"""Who asks and what comes back: the basket's cookie, form fields, pages, refusals as pages.

Every page of the purchase is private and never cached. A `DomainError` becomes the refusal page
(or a problem document on the API), which says whether money moved.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from checkout.basket import Basket
from checkout.deps import CheckoutDeps
from checkout.pages.order_page import order_path
from checkout.pages.view_models import RefusalPage
from checkout.purchase.advance import advance
from kernel.errors import DomainError
from kernel.web import RefusingRoute
from tenants.asking import brand_of
from tenants.pages.asked_page import COUNT_COOKIE, asked_page

_LOG = logging.getLogger(__name__)

BASKET_KEPT_S = 30 * 24 * 3600
# How long a page waits for merchants and provider before it shows that they are being waited for.
PATIENCE_S = 6.0

_IDENTIFIER = re.compile(r"[A-Za-z0-9_.-]{1,80}")
_NO_STORE = {"cache-control": "no-store", "referrer-policy": "same-origin"}


def site_of(request: Request) -> str:
    """Address of the shop as the shopper sees it, without a trailing slash."""
    return str(request.base_url).rstrip("/")


def caller_of(deps: CheckoutDeps, request: Request) -> str | None:
    """Who asks, by the pseudonym that purchases are counted by."""
    host = request.client.host if request.client else ""
    return deps.attempts.caller(brand_of(request).id, host)


async def form_fields(request: Request) -> dict[str, str]:
    """The text fields of a form; files are not read."""
    async with request.form(max_files=0, max_fields=80) as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


Form = Annotated[dict[str, str], Depends(form_fields)]


def _basket_cookie(request: Request) -> str:
    return "__Host-basket" if request.url.scheme == "https" else "basket"


def basket_id_of(request: Request) -> str | None:
    """The id in the basket's cookie, as sent."""
    return request.cookies.get(_basket_cookie(request))


def keep_basket(request: Request, response: Response, basket_id: str | None, count: int) -> None:
    """Keep the basket's id with the browser, and its count for the frame of other pages."""
    is_https = request.url.scheme == "https"
    if basket_id is not None:
        response.set_cookie(
            _basket_cookie(request),
            basket_id,
            max_age=BASKET_KEPT_S,
            path="/",
            secure=is_https,
            httponly=True,
            samesite="lax",
        )
    response.set_cookie(
        COUNT_COOKIE,
        str(min(count, 999)),
        max_age=BASKET_KEPT_S,
        path="/",
        secure=is_https,
        httponly=True,
        samesite="lax",
    )


def page(
    request: Request,
    template: str,
    model: object,
    *,
    basket: Basket | None = None,
    status: int = 200,
    refresh: str | None = None,
) -> HTMLResponse:
    """A page of the purchase. `refresh` is a `Refresh` header: seconds, or `seconds; url=path`."""
    known = {"basket_count": basket.count} if basket is not None else {}
    html = asked_page(request, template, model, **known)
    response = HTMLResponse(html, status_code=status, headers=dict(_NO_STORE))
    if refresh is not None:
        response.headers["refresh"] = refresh
    if basket is not None:
        keep_basket(request, response, basket.basket_id, basket.count)
    return response


def go_to(path: str) -> RedirectResponse:
    """See other: what a form answers with, so that reloading sends nothing again."""
    return RedirectResponse(path, status_code=303, headers=dict(_NO_STORE))


class PageRoute(RefusingRoute):
    """Turns refusals into the page that says what happened, whether money moved, what to do."""

    def refused(self, request: Request, error: DomainError) -> Response:
        """The refusal as a page."""
        return refusal_page(request, error)


def refusal_page(
    request: Request,
    refusal: DomainError,
    order: str | None = None,
    *,
    money_moved: bool | None = False,
) -> HTMLResponse:
    """The refusal as a page. `order` is what opens the order that it is about, if any."""
    model = RefusalPage(
        code=refusal.code,
        message=refusal.message_id,
        hint=refusal.hint_id,
        values=refusal.values,
        money_moved=money_moved,
        back_path="/basket" if order is None else order_path(order),
    )
    answer = page(request, "refusal.html", model, status=refusal.status)
    if refusal.retry_after_s is not None:
        answer.headers["retry-after"] = str(refusal.retry_after_s)
    return answer


def identifier(text: str) -> str:
    """The text where it could be an id of ours, else an empty one, which names nothing."""
    return text if _IDENTIFIER.fullmatch(text) else ""


def whole_number(fields: Mapping[str, str], name: str, default: int | None = None) -> int:
    """A field that has to be a small whole number."""
    text = fields.get(name, "").strip()
    if not text and default is not None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        raise DomainError("not_a_number", "This has to be a whole number.")
    return int(text)


class Patience:
    """Advances purchases for pages: a page waits a few seconds, the work goes on without it."""

    def __init__(self, deps: CheckoutDeps) -> None:
        self._deps = deps
        self._pool: Executor = ThreadPoolExecutor(max_workers=8, thread_name_prefix="purchase")

    def carry_on(self, purchase_id: str) -> None:
        """Advance the purchase, for as long as a shopper should wait for a page."""
        work = self._pool.submit(advance, self._deps, purchase_id)
        try:
            work.result(timeout=PATIENCE_S)
        except NotYet:
            return
        except Exception:  # noqa: BLE001
            # The purchase is on record and will be resumed: the page shows where it stands.
            _LOG.exception("purchase %s could not be advanced now", purchase_id)
