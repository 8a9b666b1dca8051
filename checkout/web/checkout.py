"""From the basket to the button: contact, live quote, deliveries, terms, confirmation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fastapi import APIRouter, Request, Response

from checkout.basket import Basket, keep_contact, read_basket
from checkout.binding_merchants import PolicyChoice, binding_legs
from checkout.confirm import Acceptance, AskAgain, PurchaseUnderWay, confirm
from checkout.contact import Contact, form_values, read_contact
from checkout.deps import CheckoutDeps
from checkout.pages.confirm_page import confirm_page
from checkout.pages.view_models import ContactPage
from checkout.payment_providers import display_name
from checkout.quote import freeze, live_quote, read_quote
from checkout.quote_document import Quote, sha256_of, totals
from checkout.states import Policy
from checkout.web.basket import sections_of
from checkout.web.shopper import (
    Form,
    PageRoute,
    Patience,
    basket_id_of,
    caller_of,
    go_to,
    identifier,
    page,
    refusal_page,
    site_of,
    whole_number,
)
from kernel.errors import DomainError
from tenants.asking import brand_of, language_of
from tenants.brand import Brand
from tenants.terms import current_terms


def checkout_routes(deps: CheckoutDeps, patience: Patience) -> APIRouter:
    """`/checkout` and what follows, up to the click that buys."""
    pages = _Checkout(deps, patience)
    router = APIRouter(route_class=PageRoute, include_in_schema=False)
    router.get("/checkout")(pages.contact_form)
    router.post("/checkout")(pages.contact_given)
    router.get("/checkout/confirm")(pages.review)
    router.post("/checkout/delivery")(pages.choose_delivery)
    router.post("/checkout/confirm")(pages.buy)
    return router


class _Checkout:
    """The handlers, with what they are given."""

    def __init__(self, deps: CheckoutDeps, patience: Patience) -> None:
        self._deps = deps
        self._patience = patience

    def _basket(self, request: Request) -> Basket:
        with self._deps.database.brand(brand_of(request).id) as tx:
            return read_basket(tx, basket_id_of(request))

    def _opening(self, request: Request, order_ref: str) -> str:
        return self._deps.links.order(brand_of(request).id, order_ref)

    def _contact_page(
        self, request: Request, basket: Basket, values: dict[str, str], errors: dict[str, str]
    ) -> Response:
        brand = brand_of(request)
        with self._deps.database.brand(brand.id) as tx:
            sections = sections_of(tx, brand, basket)
        model = ContactPage(
            values=values,
            errors=errors,
            countries=countries(brand, basket),
            sections=sections,
            totals=totals(row.total for row in sections if row.total is not None),
        )
        status = 422 if errors else 200
        return page(request, "contact.html", model, basket=basket, status=status)

    def _new_quote(
        self, brand: Brand, basket: Basket, contact: Contact, chosen: dict[str, str] | None = None
    ) -> Quote:
        quote = live_quote(self._deps, brand, basket, contact, chosen)
        with self._deps.database.brand(brand.id) as tx:
            freeze(tx, brand, quote)
        return quote

    def contact_form(self, request: Request) -> Response:
        basket = self._basket(request)
        if not is_ready(basket):
            return go_to("/basket")
        known = {} if basket.contact is None else basket.contact.as_json()
        values = form_values(known | {"country": known.get("country", brand_of(request).country)})
        return self._contact_page(request, basket, values, {})

    def contact_given(self, request: Request, fields: Form) -> Response:
        brand, basket = brand_of(request), self._basket(request)
        if not is_ready(basket) or basket.basket_id is None:
            return go_to("/basket")
        contact, errors = read_contact(fields)
        if contact is None:
            return self._contact_page(request, basket, form_values(fields), errors)
        with self._deps.database.brand(brand.id) as tx:
            keep_contact(tx, basket.basket_id, contact)
        quote = self._new_quote(brand, basket, contact)
        return go_to(f"/checkout/confirm?quote={quote.quote_id}")

    def review(
        self,
        request: Request,
        quote: str = "",
        terms: str = "",
        policy: str = "",
        delivery: str = "",
    ) -> Response:
        brand, basket = brand_of(request), self._basket(request)
        if not is_ready(basket):
            return go_to("/basket")
        if basket.contact is None:
            return go_to("/checkout")
        with self._deps.database.brand(brand.id) as tx:
            shown = read_quote(tx, identifier(quote))
            conditions = current_terms(tx, brand.id, language_of(request))
            binding = () if shown is None else binding_legs(tx, shown)
        if shown is None or not is_current(self._deps, shown, basket):
            again = self._new_quote(brand, basket, basket.contact)
            return go_to(f"/checkout/confirm?quote={again.quote_id}")
        model = confirm_page(
            shown,
            basket.contact,
            conditions,
            provider=display_name(self._deps.settings.payment_provider),
            shop_name=brand.name,
            terms_missing=terms == "missing",
            choice=PolicyChoice(policy_of(policy), binding),
        )
        shown_as = replace(model, delivery_chosen=delivery == "chosen")
        return page(request, "confirm.html", shown_as, basket=basket)

    def choose_delivery(self, request: Request, fields: Form) -> Response:
        return self._with_deliveries(request, fields)

    def _with_deliveries(self, request: Request, fields: Form, *, told: str = "") -> Response:
        brand, basket = brand_of(request), self._basket(request)
        if not is_ready(basket):
            return go_to("/basket")
        if basket.contact is None:
            return go_to("/checkout")
        quote = self._new_quote(brand, basket, basket.contact, deliveries_in(fields))
        policy = policy_of(fields.get("policy", ""))
        return go_to(f"/checkout/confirm?quote={quote.quote_id}&policy={policy}{told}")

    def _is_of_other_deliveries(self, request: Request, quote_id: str, fields: Form) -> bool:
        """Whether another delivery was ticked than the amount on the button was of."""
        with self._deps.database.brand(brand_of(request).id) as tx:
            shown = read_quote(tx, quote_id)
        of_quote = {} if shown is None else {leg.merchant_id: leg.chosen for leg in shown.legs}
        ticked = deliveries_in(fields).items()
        return any(merchant in of_quote and of_quote[merchant] != code for merchant, code in ticked)

    def buy(self, request: Request, fields: Form) -> Response:
        quote_id = identifier(fields.get("quote", ""))
        policy = policy_of(fields.get("policy", ""))
        if self._is_of_other_deliveries(request, quote_id, fields):
            return self._with_deliveries(request, fields, told="&delivery=chosen")
        if fields.get("terms") != "accepted":
            return go_to(f"/checkout/confirm?quote={quote_id}&terms=missing&policy={policy}")
        accepted = Acceptance(
            basket_id=basket_id_of(request),
            quote_id=quote_id,
            token=identifier(fields.get("token", "")),
            terms_version=whole_number(fields, "terms_version"),
            terms_sha256=fields.get("terms_sha256", "")[:64],
            language=language_of(request),
            site=site_of(request),
            policy=policy,
            caller=caller_of(self._deps, request),
        )
        try:
            outcome = confirm(self._deps, brand_of(request), accepted)
        except DomainError as refusal:
            if refusal.code == "terms_changed":
                return go_to(f"/checkout/confirm?quote={quote_id}&policy={policy}")
            if isinstance(refusal, PurchaseUnderWay):
                order = self._opening(request, refusal.order_ref)
                return refusal_page(request, refusal, order, money_moved=True)
            raise
        if isinstance(outcome, AskAgain):
            return go_to(f"/checkout/confirm?quote={outcome.quote.quote_id}&policy={policy}")
        self._patience.carry_on(outcome.purchase_id)
        return go_to(f"/pay/handoff/{self._opening(request, outcome.order_ref)}")


def deliveries_in(fields: Mapping[str, str]) -> dict[str, str]:
    """Codes of deliveries by merchant, as a form sends them."""
    return {
        name.removeprefix("delivery-"): code[:80]
        for name, code in fields.items()
        if name.startswith("delivery-")
    }


def policy_of(given: str) -> Policy:
    """What the buyer chose; without a choice each merchant's part stands for itself."""
    return Policy(given) if given in set(Policy) else Policy.BEST_EFFORT


def is_ready(basket: Basket) -> bool:
    """True where there is something to buy and nothing in it has been withdrawn."""
    return bool(basket.lines) and all(line.offer is not None for line in basket.lines)


def is_current(deps: CheckoutDeps, quote: Quote, basket: Basket) -> bool:
    """True where the quote is of this very basket and contact, and not expired."""
    assert basket.contact is not None
    quoted = {offer.offer_id: offer.quantity for leg in quote.legs for offer in leg.offers}
    wanted = {line.offer_id: line.quantity for line in basket.lines}
    return (
        quote.basket_id == basket.basket_id
        and deps.clock() < quote.expires_at
        and quote.contact_sha256 == sha256_of(basket.contact.as_json())
        and (quoted == wanted or not quote.can_pay)
    )


def countries(brand: Brand, basket: Basket) -> tuple[str, ...]:
    """Where the merchants of the basket say they deliver, the brand's own country first."""
    stated = {row.country for line in basket.lines if line.offer for row in line.offer.delivery} - {
        brand.country
    }
    return (brand.country, *sorted(stated))
