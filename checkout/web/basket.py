"""The basket's pages: look, add, change, remove. Every form may be sent twice."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from checkout.basket import Basket, put_line, read_basket, set_quantity
from checkout.deps import CheckoutDeps
from checkout.labels import labels_of
from checkout.pages.basket_page import basket_page, basket_sections
from checkout.pages.view_models import BasketSection
from checkout.web.shopper import (
    Form,
    PageRoute,
    basket_id_of,
    go_to,
    identifier,
    keep_basket,
    page,
    whole_number,
)
from kernel.db import Transaction
from tenants.asking import brand_of
from tenants.brand import Brand


def sections_of(tx: Transaction, brand: Brand, basket: Basket) -> tuple[BasketSection, ...]:
    """The basket by merchant, with names and pictures."""
    labels = labels_of(tx, [line.offer for line in basket.lines if line.offer is not None])
    return basket_sections(brand, basket, labels)


def basket_routes(deps: CheckoutDeps) -> APIRouter:
    """`/basket` and its forms."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/basket")
    def show(request: Request, added: str = "") -> Response:
        brand = brand_of(request)
        with deps.database.brand(brand.id) as tx:
            basket = read_basket(tx, basket_id_of(request))
            sections = sections_of(tx, brand, basket)
        model = basket_page(brand, sections, just_added=added)
        return page(request, "basket.html", model, basket=basket)

    @router.post("/basket/lines")
    def add(request: Request, fields: Form) -> Response:
        brand = brand_of(request)
        offer_id = identifier(fields.get("offer_id", ""))
        quantity = whole_number(fields, "quantity", 1)
        with deps.database.brand(brand.id) as tx:
            basket_id, _ = put_line(tx, brand, basket_id_of(request), offer_id, quantity)
            basket = read_basket(tx, basket_id)
        response = go_to(f"/basket?added={offer_id}")
        keep_basket(request, response, basket_id, basket.count)
        return response

    @router.post("/basket/lines/{offer_id}")
    def change(request: Request, offer_id: str, fields: Form) -> Response:
        return _set(request, identifier(offer_id), whole_number(fields, "quantity"))

    @router.post("/basket/lines/{offer_id}/remove")
    def remove(request: Request, offer_id: str) -> Response:
        return _set(request, identifier(offer_id), 0)

    def _set(request: Request, offer_id: str, quantity: int) -> Response:
        with deps.database.brand(brand_of(request).id) as tx:
            basket = read_basket(tx, basket_id_of(request))
            if basket.basket_id is not None:
                set_quantity(tx, basket.basket_id, offer_id, quantity)
                basket = read_basket(tx, basket.basket_id)
        response = go_to("/basket")
        keep_basket(request, response, basket.basket_id, basket.count)
        return response

    return router
