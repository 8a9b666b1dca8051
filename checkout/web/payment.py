"""To the provider's page and back, and the provider's notices.

Nothing a browser brings back confirms anything: the return only makes the platform ask.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from checkout.deps import CheckoutDeps
from checkout.orders import Order, read_order, read_purchase
from checkout.pages.order_page import (
    REFRESH_S,
    order_path,
    payment_page,
    payment_path,
    pending_page,
)
from checkout.payment_providers import display_name
from checkout.payment_providers.port import page_form
from checkout.purchase.machine import State
from checkout.states import Policy
from checkout.web.shopper import PageRoute, Patience, go_to, identifier, page
from checkout.webhooks import receive
from kernel.errors import NotFound
from kernel.web import RefusingRoute
from tenants.asking import brand_of

# Providers may learn of an authorisation a moment after the browser is back.
_TRIES_ON_RETURN = 4
# After that the order page, which looks again by itself, is the better place to wait.
_TRIES_WHILE_MOVING = 30


def payment_routes(deps: CheckoutDeps, patience: Patience) -> APIRouter:
    """`/pay/...`: hand-off and return."""
    pages = _Payment(deps, patience)
    router = APIRouter(route_class=PageRoute, include_in_schema=False)
    router.get("/pay/handoff/{signed}")(pages.handoff)
    router.get("/pay/handoff/{signed}/{ordinal}")(pages.to_provider)
    router.get("/pay/return/{signed}")(pages.returned)
    router.post("/pay/return/{signed}")(pages.posted_back)
    return router


class _Payment:
    """The handlers, with what they are given."""

    def __init__(self, deps: CheckoutDeps, patience: Patience) -> None:
        self._deps = deps
        self._patience = patience

    def _order(self, request: Request, signed: str) -> Order:
        brand = brand_of(request)
        order_ref = self._deps.links.order_ref(brand.id, identifier(signed))
        with self._deps.database.brand(brand.id) as tx:
            return read_order(tx, order_ref)

    def handoff(self, request: Request, signed: str, again: str = "") -> Response:
        order = self._order(request, signed)
        provider = display_name(self._deps.settings.payment_provider)
        model = payment_page(order, signed, provider, leads_on=not again)
        is_payable = any(payment.pay_path for payment in model.payments)
        if not is_payable and not model.is_waiting:
            return go_to(order_path(signed))
        refresh = f"{REFRESH_S}" if model.is_waiting else None
        if model.next_path is not None:
            refresh = f"0; url={model.next_path}"
        return page(request, "payment.html", model, refresh=refresh)

    def to_provider(self, request: Request, signed: str, ordinal: int) -> Response:
        order = self._order(request, signed)
        for record in order.legs:
            if record.leg.ordinal == ordinal and record.is_payable and record.pay_url:
                is_posted = page_form(record.pay_url) is not None
                return go_to(payment_path(signed) if is_posted else record.pay_url)
        return go_to(order_path(signed))

    def posted_back(self, signed: str) -> Response:
        """Some providers send the browser back by a form; what it says is not even read."""
        return go_to(f"/pay/return/{identifier(signed)}")

    def returned(self, request: Request, signed: str, attempt: int = 0, left: str = "") -> Response:
        brand, links = brand_of(request), self._deps.links
        purchase_id = links.purchase_id(brand.id, identifier(signed))
        self._patience.carry_on(purchase_id)
        with self._deps.database.brand(brand.id) as tx:
            order = read_purchase(tx, purchase_id)
        tried = max(0, min(attempt, 99))
        opens = links.order(brand.id, order.order_ref)
        if not _is_waited_for(order, attempt=tried, has_left=bool(left)):
            is_over = order.is_resting or _is_moving(order)
            return go_to(f"{order_path(opens)}?new=1" if is_over else payment_path(opens))
        here = f"/pay/return/{signed}?attempt={tried + 1}"
        refresh = f"{REFRESH_S}; url={here}"
        return page(request, "pending.html", pending_page(order, opens, here), refresh=refresh)


def _is_moving(order: Order) -> bool:
    """True while orders are being placed."""
    # Who wants all or nothing pays for every part before the first one moves.
    waits_for_buyer = order.policy is Policy.ALL_OR_NOTHING and any(
        record.is_payable for record in order.legs
    )
    return not waits_for_buyer and any(
        not record.is_resting and record.leg.state is not State.AWAITING_PAYMENT
        for record in order.legs
    )


def _is_waited_for(order: Order, *, attempt: int, has_left: bool) -> bool:
    """True where the page that waits is the right one to be on."""
    if order.is_resting:
        return False
    if _is_moving(order):
        return attempt <= _TRIES_WHILE_MOVING
    has_moved = any(
        State.AUTHORISED in record.reached or record.leg.is_settled for record in order.legs
    )
    return not has_left and not has_moved and attempt < _TRIES_ON_RETURN


def webhook_routes(deps: CheckoutDeps) -> APIRouter:
    """`/webhooks/payments/{provider}`; there is no such route without a secret to check with."""
    router = APIRouter(route_class=RefusingRoute, include_in_schema=False)

    @router.post("/webhooks/payments/{provider}")
    async def notice(request: Request, provider: str) -> JSONResponse:
        secret = deps.settings.payment_webhook_secret
        if secret is None or not secret.get_secret_value():
            raise NotFound("payment_provider_unknown", "No such payment provider.")
        raw = await request.body()
        is_new = await run_in_threadpool(receive, deps, provider, request.headers, raw)
        return JSONResponse({"received": True, "new": is_new})

    return router
