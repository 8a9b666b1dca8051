"""Offer to order as JSON: quote, purchase, order. The same rules as the pages, without a cookie.

`POST /v1/quotes`, `POST /v1/purchases` (the quote's token makes repeats harmless),
`GET /v1/orders/{signed_ref}`, `POST /v1/orders/{signed_ref}/cancellations`. Amounts are
`{"minor": 129900, "currency": "EUR"}`. `signed_ref` opens the order; its `order_ref` does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from checkout.after_sale import cancel
from checkout.article import article_json
from checkout.basket import MAX_LINES, MAX_QUANTITY, keep_contact, put_line, read_basket
from checkout.binding_merchants import binding_legs, policies_with
from checkout.confirm import Acceptance, AskAgain, confirm
from checkout.contact import read_contact
from checkout.deps import CheckoutDeps
from checkout.idempotency import Kept, once
from checkout.orders import LegRecord, Order, read_order
from checkout.pages.order_page import order_path, payment_path
from checkout.payment_providers.port import page_form
from checkout.quote import freeze, live_quote
from checkout.quote_document import LegQuoted, OfferQuoted, Quote
from checkout.states import Policy
from checkout.web.openapi import REFUSALS, described
from checkout.web.shopper import Patience, caller_of, identifier, site_of
from kernel.errors import DomainError
from kernel.money import Money
from kernel.web import RefusingRoute
from tenants.asking import brand_of, language_of
from tenants.terms import Terms, current_terms

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_./-]{1,80}$")]
Json = dict[str, Any]
Key = Annotated[str, Header(alias="Idempotency-Key")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class WantedLine(_Strict):
    """An offer and how many."""

    offer_id: Id
    quantity: int = Field(default=1, ge=1, le=MAX_QUANTITY)


class ContactGiven(_Strict):
    """Who buys and where it goes."""

    email: str = Field(max_length=300)
    name: str = Field(max_length=300)
    phone: str = Field(default="", max_length=300)
    line1: str = Field(max_length=300)
    line2: str = Field(default="", max_length=300)
    postcode: str = Field(max_length=300)
    city: str = Field(max_length=300)
    country: str = Field(max_length=300)


class QuoteAsked(_Strict):
    """What to quote. `deliveries` maps a merchant to the code of its delivery."""

    lines: list[WantedLine] = Field(min_length=1, max_length=MAX_LINES)
    contact: ContactGiven
    deliveries: dict[Id, Id] = Field(default_factory=dict, max_length=MAX_LINES)


class PurchaseAsked(_Strict):
    """A quote confirmed and terms accepted, from the answer to the quote. `policy` says what
    happens to the other parts where one merchant cannot deliver.
    """

    basket_id: Id
    quote_id: Id
    token: Id
    terms_accepted: Literal[True]
    terms_version: int = Field(ge=1, le=2**31 - 1)
    terms_sha256: str = Field(min_length=64, max_length=64)
    policy: Policy = Policy.BEST_EFFORT


class CancellationAsked(_Strict):
    """Whose part of the order is to be cancelled."""

    merchant_id: Id


def api_routes(deps: CheckoutDeps, patience: Patience) -> APIRouter:
    """The JSON routes."""
    router = APIRouter(prefix="/v1", route_class=RefusingRoute, tags=["orders"], responses=REFUSALS)

    @router.post("/quotes", status_code=201, openapi_extra=described("quote", 201))
    def quote(request: Request, asked: QuoteAsked, idempotency_key: Key = "") -> JSONResponse:
        """Ask the merchants now what this costs and whether it is there."""
        return _once(deps, request, asked, idempotency_key, lambda: _quote(deps, request, asked))

    @router.post("/purchases", status_code=201, openapi_extra=described("purchase", 201))
    def purchase(request: Request, asked: PurchaseAsked, idempotency_key: Key = "") -> JSONResponse:
        """Buy what was quoted. Sent again, it answers with the same order."""

        def buy() -> Kept:
            return _purchase(deps, patience, request, asked)

        return _once(deps, request, asked, idempotency_key, buy)

    @router.get("/orders/{signed_ref}", openapi_extra=described("order", 200))
    def order(request: Request, signed_ref: str) -> JSONResponse:
        """Where an order stands."""
        headers = {"cache-control": "no-store"}
        return JSONResponse(_shown(deps, request, identifier(signed_ref)), headers=headers)

    @router.post(
        "/orders/{signed_ref}/cancellations",
        status_code=202,
        openapi_extra=described("cancellation", 202),
    )
    def cancellation(
        request: Request, signed_ref: str, asked: CancellationAsked, idempotency_key: Key = ""
    ) -> JSONResponse:
        """Ask a merchant to give its part of an order up. Sent again, it changes nothing more."""

        def give_up() -> Kept:
            return _cancellation(deps, patience, request, identifier(signed_ref), asked)

        return _once(deps, request, asked, idempotency_key, give_up)

    return router


def _once(
    deps: CheckoutDeps, request: Request, asked: _Strict, key: str, work: Callable[[], Kept]
) -> JSONResponse:
    """The answer of the work, given again where the key is known."""
    content = asked.model_dump(mode="json", exclude_unset=True)
    answer = once(deps, brand_of(request).id, request.url.path, key, content, work)
    headers = {"cache-control": "no-store"}
    if answer.is_replayed:
        headers["idempotent-replayed"] = "true"
    kind = "application/json" if answer.status < 400 else "application/problem+json"
    return JSONResponse(answer.body, answer.status, headers, media_type=kind)


def _quote(deps: CheckoutDeps, request: Request, asked: QuoteAsked) -> Kept:
    contact, errors = read_contact(asked.contact.model_dump())
    if contact is None:
        fields = ", ".join(f"{name} is {code}" for name, code in sorted(errors.items()))
        raise DomainError("contact_invalid", f"The contact cannot be used: {fields}.")
    brand = brand_of(request)
    with deps.database.brand(brand.id) as tx:
        basket_id = None
        for line in asked.lines:
            basket_id, _ = put_line(tx, brand, basket_id, line.offer_id, line.quantity)
        assert basket_id is not None
        keep_contact(tx, basket_id, contact)
        basket = read_basket(tx, basket_id)
        terms = current_terms(tx, brand.id, language_of(request))
    live = live_quote(deps, brand, basket, contact, asked.deliveries)
    with deps.database.brand(brand.id) as tx:
        freeze(tx, brand, live)
        binding = binding_legs(tx, live)
    return Kept(201, quote_json(live, terms, binding, language_of(request)))


def _purchase(
    deps: CheckoutDeps, patience: Patience, request: Request, asked: PurchaseAsked
) -> Kept:
    brand = brand_of(request)
    accepted = Acceptance(
        basket_id=asked.basket_id,
        quote_id=asked.quote_id,
        token=asked.token,
        terms_version=asked.terms_version,
        terms_sha256=asked.terms_sha256,
        language=language_of(request),
        site=site_of(request),
        policy=asked.policy,
        caller=caller_of(deps, request),
    )
    outcome = confirm(deps, brand, accepted)
    if isinstance(outcome, AskAgain):
        with deps.database.brand(brand.id) as tx:
            terms = current_terms(tx, brand.id, language_of(request))
            binding = binding_legs(tx, outcome.quote)
        return _changed(quote_json(outcome.quote, terms, binding, language_of(request)))
    patience.carry_on(outcome.purchase_id)
    opens = deps.links.order(brand.id, outcome.order_ref)
    return Kept(201 if outcome.is_new else 200, _shown(deps, request, opens))


def _cancellation(
    deps: CheckoutDeps,
    patience: Patience,
    request: Request,
    signed_ref: str,
    asked: CancellationAsked,
) -> Kept:
    brand = brand_of(request)
    order_ref = deps.links.order_ref(brand.id, signed_ref)
    with deps.database.brand(brand.id) as tx:
        found = read_order(tx, order_ref)
    cancel(deps, found, asked.merchant_id)
    patience.carry_on(found.purchase_id)
    return Kept(202, _shown(deps, request, signed_ref))


def _shown(deps: CheckoutDeps, request: Request, signed_ref: str) -> Json:
    brand = brand_of(request)
    order_ref = deps.links.order_ref(brand.id, signed_ref)
    with deps.database.brand(brand.id) as tx:
        order = read_order(tx, order_ref)
    return order_json(order, signed_ref, site_of(request), language_of(request))


def _changed(quote: Json) -> Kept:
    """409 with the new quote: nothing was ordered."""
    refusal = DomainError(
        "quote_changed",
        "The merchants' prices or stock have changed since the quote.",
        hint="Look at `quote` and confirm that one. Nothing was ordered.",
        status=409,
    )
    return Kept(409, {**refusal.as_problem(), "quote": quote})


def quote_json(quote: Quote, terms: Terms, binding: Sequence[LegQuoted], language: str) -> Json:
    """A quote as the API shows it. `binding`: its parts that can be cancelled by nobody."""
    return {
        "quote_id": quote.quote_id,
        "basket_id": quote.basket_id,
        "token": quote.token,
        "expires_at": quote.expires_at.isoformat(),
        "can_pay": quote.can_pay,
        "changed": quote.is_changed,
        "totals": [total.as_json() for total in quote.totals],
        "policies": list(policies_with(binding)),
        "legs": [_leg_quoted_json(leg, language) for leg in quote.legs],
        "terms": {
            "version": terms.version,
            "language": terms.language,
            "sha256": terms.sha256,
            "path": f"/terms?version={terms.version}&language={terms.language}",
        },
        "other_terms": [{**asdict(each), "path": each.path} for each in quote.terms],
    }


def _leg_quoted_json(leg: LegQuoted, language: str) -> Json:
    is_open, about = leg.problem is None, leg.problem_article
    return {
        "merchant_id": leg.merchant_id,
        "merchant_name": leg.merchant_name,
        "problem": leg.problem,
        "problem_title": None if about is None else about.named(language).name,
        "available": leg.available,
        "lines": [
            _line_json(offer, language)
            | {"seen": offer.seen.as_json(), "condition_changed": offer.condition_changed}
            for offer in leg.offers
        ],
        "deliveries": [
            {
                "code": row.code,
                "name": row.name,
                "price": row.price.as_json(),
                "days_min": row.days_min,
                "days_max": row.days_max,
                "chosen": row.code == leg.chosen,
            }
            for row in leg.deliveries
        ],
        "goods": leg.goods.as_json() if is_open else None,
        "delivery": leg.delivery.price.as_json() if is_open else None,
        "total": leg.total.as_json() if is_open else None,
    }


def _line_json(offer: OfferQuoted, language: str) -> Json:
    """A line of a quote, or of the order made of it: what it is, how many, for how much."""
    return {
        "offer_id": offer.offer_id,
        "product_id": offer.product_id,
        **article_json(offer.article, language),
        "quantity": offer.quantity,
        "unit_price": offer.unit_price.as_json(),
        "total": offer.total.as_json(),
    }


def order_json(order: Order, signed_ref: str, site: str, language: str) -> Json:
    """An order as the API shows it."""
    return {
        "order_ref": order.order_ref,
        "order_number": order.number,
        "signed_ref": signed_ref,
        "order_url": f"{site}{order_path(signed_ref)}",
        "created_at": order.created_at.isoformat(),
        "settled": order.is_settled,
        "policy": order.policy,
        "terms": {
            "version": order.terms_version,
            "language": order.terms_language,
            "sha256": order.terms_sha256,
            "accepted_at": order.terms_accepted_at.isoformat(),
        },
        "other_terms": [
            {**asdict(each), "path": each.path} for each in order.terms if each.party != "brand"
        ],
        "legs": [_leg_json(record, signed_ref, site, language) for record in order.legs],
    }


def _leg_json(record: LegRecord, signed_ref: str, site: str, language: str) -> Json:
    leg = record.leg
    pay_url = record.pay_url if record.is_payable else None
    if pay_url is not None and page_form(pay_url) is not None:
        # A browser cannot be sent there; our page has the form that opens it.
        pay_url = f"{site}{payment_path(signed_ref)}"
    return {
        "merchant_id": leg.merchant_id,
        "merchant_name": leg.merchant_name,
        "state": record.state,
        "money": record.money,
        "reason": leg.reason,
        "merchant_order": leg.merchant_order,
        "lines": [_line_json(offer, language) for offer in record.quoted.offers],
        "total": leg.total.as_json(),
        "authorised": _amount(leg.authorised),
        "card_network": record.card_network,
        "captured": _amount(leg.captured),
        "refunded": _amount(leg.refunded),
        "order_status": leg.order_status,
        "cancellable": record.is_cancellable,
        "pay_url": pay_url,
        "continue_url": record.continue_url,
        "steps": [
            {"name": step.name, "state": step.state, "at": _moment(step.at)}
            for step in record.steps
        ],
    }


def _amount(amount: Money) -> Json | None:
    return amount.as_json() if amount.minor else None


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
