"""The page that leads on to a merchant where an article waits ready. A form may be sent twice."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from checkout.deps import CheckoutDeps
from checkout.handoff import hand_off
from checkout.pages.view_models import PreparedPage
from checkout.web.shopper import Form, PageRoute, identifier, page
from tenants.asking import brand_of


def handoff_routes(deps: CheckoutDeps) -> APIRouter:
    """`/handoff`: nothing is sent on by itself, for the browser keeps forms within the shop."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.post("/handoff")
    def prepare(request: Request, fields: Form) -> Response:
        prepared = hand_off(deps, brand_of(request), identifier(fields.get("offer_id", "")))
        model = PreparedPage(
            merchant_name=prepared.offer.merchant_name,
            article=prepared.article,
            product_id=prepared.offer.product_id,
            url=prepared.url,
            is_ready=prepared.is_ready,
        )
        return page(request, "prepared.html", model)

    return router
