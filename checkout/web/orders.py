"""Looking at an order and at the terms accepted for it; wanting a merchant's part cancelled."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from checkout.after_sale import cancel
from checkout.basket import read_basket
from checkout.deps import CheckoutDeps
from checkout.orders import read_order
from checkout.pages.order_page import order_page, order_path
from checkout.pages.view_models import TermsPage
from checkout.web.shopper import (
    Form,
    PageRoute,
    Patience,
    basket_id_of,
    go_to,
    identifier,
    page,
    refusal_page,
)
from kernel.errors import DomainError, NotFound
from tenants.asking import brand_of, language_of
from tenants.terms import Party, Terms, current_terms, read_terms, terms_in_force


def order_routes(deps: CheckoutDeps, patience: Patience) -> APIRouter:
    """`/order/{signed reference}`, its cancellation, and `/terms`."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/order/{signed}")
    def show(request: Request, signed: str, new: str = "") -> Response:
        brand = brand_of(request)
        order_ref = deps.links.order_ref(brand.id, identifier(signed))
        with deps.database.brand(brand.id) as tx:
            order = read_order(tx, order_ref)
            basket = read_basket(tx, basket_id_of(request))
        model = order_page(order, signed, is_new=bool(new))
        refresh = None if model.refresh_s is None else str(model.refresh_s)
        # What was ordered has left the basket: its count in the frame has to follow.
        return page(request, "order.html", model, basket=basket, refresh=refresh)

    @router.post("/order/{signed}/cancel")
    def give_up(request: Request, signed: str, fields: Form) -> Response:
        brand = brand_of(request)
        order_ref = deps.links.order_ref(brand.id, identifier(signed))
        with deps.database.brand(brand.id) as tx:
            order = read_order(tx, order_ref)
        try:
            cancel(deps, order, identifier(fields.get("merchant", "")))
        except DomainError as refusal:
            return refusal_page(request, refusal, signed, money_moved=None)
        patience.carry_on(order.purchase_id)
        return go_to(order_path(signed))

    @router.get("/terms")
    def terms(
        request: Request, version: int = 0, language: str = "", party: str = "", owner: str = ""
    ) -> Response:
        brand = brand_of(request)
        whose = Party(party) if party in set(Party) else Party.BRAND
        owner_id = brand.id if whose is Party.BRAND else owner[:200].replace("\0", "")
        found: Terms | None
        with deps.database.brand(brand.id) as tx:
            if version:
                wanted = identifier(language or language_of(request))
                newest = min(version, 2**31 - 1)
                found = read_terms(tx, owner_id, wanted, newest, party=whose)
            elif whose is Party.BRAND:
                found = current_terms(tx, brand.id, language_of(request))
            else:
                found = terms_in_force(tx, whose, owner_id, language_of(request))
        if found is None:
            raise NotFound("terms_missing", "There is no such version of the terms.")
        return page(request, "terms.html", terms_page(found))

    return router


def terms_page(terms: Terms) -> TermsPage:
    """One version of the terms, by paragraphs."""
    parts = terms.body.replace("\r\n", "\n").split("\n\n")
    return TermsPage(
        version=terms.version,
        language=terms.language,
        published_at=terms.published_at,
        sha256=terms.sha256,
        paragraphs=tuple(part.strip() for part in parts if part.strip()),
    )
