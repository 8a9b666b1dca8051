"""All routes of the purchase: pages, notices of provider and merchants, the JSON API.

Notices under `/webhooks/` are signed and carry no cookie: the middleware against cross-site
writes may let them through.
"""

from __future__ import annotations

from fastapi import APIRouter

from checkout.deps import CheckoutDeps
from checkout.web.api import api_routes
from checkout.web.basket import basket_routes
from checkout.web.checkout import checkout_routes
from checkout.web.handoff import handoff_routes
from checkout.web.merchants import merchant_routes
from checkout.web.orders import order_routes
from checkout.web.payment import payment_routes, webhook_routes
from checkout.web.shopper import Patience


def build_router(deps: CheckoutDeps) -> APIRouter:
    """The router to include in the shop's application.

    Needs `request.state.brand`, `.language` (and `.scheme`), and `request.app.state.pages` with
    the templates of `checkout.pages`.
    """
    patience = Patience(deps)
    router = APIRouter()
    router.include_router(basket_routes(deps))
    router.include_router(handoff_routes(deps))
    router.include_router(checkout_routes(deps, patience))
    router.include_router(payment_routes(deps, patience))
    router.include_router(order_routes(deps, patience))
    router.include_router(webhook_routes(deps))
    router.include_router(merchant_routes(deps))
    router.include_router(api_routes(deps, patience))
    return router
