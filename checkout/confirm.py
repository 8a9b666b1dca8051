"""The click that buys: confirmed quote and accepted terms become one purchase, also when repeated.

In: what the button carried. Out: the purchase, or a new quote that has to be seen first. Nothing
outside is changed here but the closing of payments that the same basket had left open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from checkout import tables as t
from checkout.basket import Basket, read_basket
from checkout.binding_merchants import binding_legs, check_policy
from checkout.contact import Contact
from checkout.deps import CheckoutDeps
from checkout.orders import read_purchase
from checkout.payment_attempts import Tried
from checkout.purchase.advance import advance
from checkout.purchase.jobs import advance_soon
from checkout.purchase.machine import FINAL, State, deadline_of
from checkout.quote import freeze, live_quote, read_quote
from checkout.quote_document import LegQuoted, Quote, same_terms, sha256_of
from checkout.states import Policy, Reason
from checkout.terms_accepted import quoted_terms, record_terms
from kernel.db import Prepared, Transaction, advisory_lock
from kernel.errors import DomainError, NotFound
from kernel.ids import derived_id, drawn_id
from tenants.brand import Brand
from tenants.terms import Terms, current_terms

_UNPAID = (State.NEW, State.AWAITING_PAYMENT)
_BY_TOKEN = Prepared(
    t.purchase.select().where(t.purchase.c.confirmation_token == sa.bindparam("token"))
)
# Ordered, and at rest for days: the basket has let go of it and may fill again.
_ORDERED = (State.AWAITING_SHIPMENT, State.SHIPPED)
_OF_BASKET = t.leg.c.purchase_id.in_(
    sa.select(t.purchase.c.purchase_id).where(t.purchase.c.basket_id == sa.bindparam("of_basket"))
)
_UNSETTLED = Prepared(
    sa.select(t.leg.c.purchase_id)
    .distinct()
    .where(
        _OF_BASKET,
        t.leg.c.state.not_in((*FINAL, *_ORDERED)),
        t.leg.c.reason.is_distinct_from(Reason.HOLD_EXPIRED),
    )
    .add_cte(
        t.leg.update()
        .where(_OF_BASKET, t.leg.c.state.in_(_UNPAID))
        .values(deadline_at=sa.bindparam("now"), next_try_at=sa.bindparam("now"))
        .cte("ended")
    )
)
_BUY, _ADD_LEG = Prepared(t.purchase.insert()), Prepared(t.leg.insert())
_ENTER = Prepared(t.leg_transition.insert().inline())
# The request that confirms advances the purchase itself; this is for when it dies first.
_SAFETY_DELAY_S = 5


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What the button carried. `site` is the address that the shopper is on, without a slash.

    `caller` is a pseudonym of who clicked, for the limits alone; None is not counted.
    """

    basket_id: str | None
    quote_id: str
    token: str
    terms_version: int
    terms_sha256: str
    language: str
    site: str
    policy: Policy = Policy.BEST_EFFORT
    caller: str | None = None

    @property
    def sha256(self) -> str:
        """Hash of what was agreed to, to tell a repeated click from another request."""
        return sha256_of(
            {
                "quote": self.quote_id,
                "terms": self.terms_version,
                "terms_sha256": self.terms_sha256,
                "policy": self.policy,
            }
        )


@dataclass(frozen=True, slots=True)
class Purchased:
    """The purchase of a click; `is_new` is False for every click after the first."""

    purchase_id: str
    order_ref: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class AskAgain:
    """Something differs from what was confirmed: a new quote to be seen first."""

    quote: Quote


class PurchaseUnderWay(DomainError):
    """Another order of the same basket has to be settled first; `order_ref` is that one."""

    def __init__(self, order_ref: str) -> None:
        super().__init__(
            "purchase_under_way",
            "An order of this basket is under way already.",
            hint="Look at that order before you buy again. This click ordered nothing.",
            status=409,
        )
        self.order_ref = order_ref


@dataclass(frozen=True, slots=True)
class _Agreed:
    """What was confirmed, by whom, under which terms, and which of its legs bind."""

    quote: Quote
    contact: Contact
    terms: Terms
    binding: Sequence[LegQuoted]


def confirm(deps: CheckoutDeps, brand: Brand, accepted: Acceptance) -> Purchased | AskAgain:
    """Make the purchase, to be advanced by the caller, or say what has to be seen first.

    Raises DomainError: `quote_unknown`, `terms_changed`, `idempotency_conflict`,
    `all_or_nothing_impossible`, `purchase_under_way`, `too_many_purchases`,
    `too_many_unpaid_purchases`. No money has moved in any of these cases.
    """
    tried = deps.attempts.of(accepted.caller, accepted.basket_id)
    with deps.database.brand(brand.id) as tx:
        known = _known(tx, accepted)
        if known is not None:
            return known
        refusal = tried.refusal(tx, deps.clock())
        if refusal is not None:
            return _made_meanwhile(tx, accepted, refusal)
        quote = _quote(tx, accepted)
        terms = _terms(tx, brand, accepted)
        binding = binding_legs(tx, quote)
        check_policy(accepted.policy, binding)
        basket = read_basket(tx, accepted.basket_id)
    if basket.contact is None or not basket.lines:
        raise NotFound(
            "basket_empty", "The basket is empty.", hint="Its order may be placed already."
        )
    again = _changed_since(deps, brand, basket, basket.contact, quote)
    if again is not None:
        return AskAgain(again)
    agreed = _Agreed(quote, basket.contact, terms, binding)
    purchased = _purchase(deps, brand, accepted, agreed, tried)
    if purchased.is_new:
        tried.remember(purchased.purchase_id)
    return purchased


def _known(tx: Transaction, accepted: Acceptance) -> Purchased | None:
    row = _BY_TOKEN.first(tx, {"token": accepted.token})
    if row is None:
        return None
    if row.request_sha256 != accepted.sha256:
        raise DomainError(
            "idempotency_conflict",
            "This confirmation was used for another order already.",
            hint="Open the basket and confirm again. Nothing was ordered twice.",
        )
    return Purchased(row.purchase_id, row.order_ref, is_new=False)


def _made_meanwhile(tx: Transaction, accepted: Acceptance, refusal: DomainError) -> Purchased:
    """The purchase of the same click, where that is what has filled the limit; else the refusal."""
    advisory_lock(tx, f"checkout.basket:{accepted.basket_id}")
    known = _known(tx, accepted)
    if known is None:
        raise refusal
    return known


def _quote(tx: Transaction, accepted: Acceptance) -> Quote:
    quote = read_quote(tx, accepted.quote_id)
    if quote is None or quote.token != accepted.token or quote.basket_id != accepted.basket_id:
        raise NotFound(
            "quote_unknown",
            "What you confirmed is no longer there.",
            hint="Open the basket and confirm again. Nothing was ordered.",
        )
    return quote


def _terms(tx: Transaction, brand: Brand, accepted: Acceptance) -> Terms:
    terms = current_terms(tx, brand.id, accepted.language)
    if (terms.version, terms.sha256) != (accepted.terms_version, accepted.terms_sha256):
        raise DomainError(
            "terms_changed",
            "The terms of sale have changed since you saw them.",
            hint="Read them and confirm again. Nothing was ordered.",
            status=409,
        )
    return terms


def _changed_since(
    deps: CheckoutDeps, brand: Brand, basket: Basket, contact: Contact, quote: Quote
) -> Quote | None:
    """A new, frozen quote where the basket, the contact or any merchant's answer differs."""
    chosen = {leg.merchant_id: leg.chosen for leg in quote.legs if leg.chosen is not None}
    now = live_quote(deps, brand, basket, contact, chosen)
    is_same = (
        same_terms(quote, now)
        and now.can_pay
        and quote.contact_sha256 == now.contact_sha256
        and all(line.offer is not None for line in basket.lines)
    )
    if is_same and deps.clock() < quote.expires_at:
        return None
    with deps.database.brand(brand.id) as tx:
        freeze(tx, brand, now)
    return now


def _purchase(
    deps: CheckoutDeps,
    brand: Brand,
    accepted: Acceptance,
    agreed: _Agreed,
    tried: Tried,
) -> Purchased:
    for _ in range(2):
        with deps.database.brand(brand.id) as tx:
            # One click at a time for each basket; the token decides which of them buys.
            advisory_lock(tx, f"checkout.basket:{agreed.quote.basket_id}")
            known = _known(tx, accepted)
            if known is not None:
                return known
            others = _unsettled_purchases(tx, agreed.quote.basket_id, deps.clock())
            if not others:
                # Here, for here alone it is certain that this click is the one that buys.
                tried.count()
                return _insert(tx, deps, brand, accepted, agreed)
        for purchase_id in others:
            advance(deps, purchase_id)
    with deps.database.brand(brand.id) as tx:
        raise PurchaseUnderWay(read_purchase(tx, others[0]).order_ref)


def _unsettled_purchases(tx: Transaction, basket_id: str, now: datetime) -> list[str]:
    """Purchases of the basket with an unsettled leg; the time of their unpaid legs is over now."""
    rows = _UNSETTLED.all(tx, {"of_basket": basket_id, "now": now})
    return [row.purchase_id for row in rows]


def _insert(
    tx: Transaction,
    deps: CheckoutDeps,
    brand: Brand,
    accepted: Acceptance,
    agreed: _Agreed,
) -> Purchased:
    now, quote, terms = deps.clock(), agreed.quote, agreed.terms
    purchased = Purchased(drawn_id("pur"), drawn_id("ord"), is_new=True)
    new = {
        "purchase_id": purchased.purchase_id,
        "brand_id": brand.id,
        "order_ref": purchased.order_ref,
        "confirmation_token": accepted.token,
        "request_sha256": accepted.sha256,
        "quote_id": quote.quote_id,
        "basket_id": quote.basket_id,
        "language": accepted.language,
        "site": accepted.site,
        "contact": agreed.contact.as_json(),
        "terms_version": terms.version,
        "terms_language": terms.language,
        "terms_sha256": terms.sha256,
        "terms_accepted_at": now,
        "policy": accepted.policy,
        "created_at": now,
    }
    _BUY.run(tx, new)
    # The order in which legs are placed, where all or nothing is wanted: what binds comes last.
    placed_in_turn = sorted(quote.legs, key=lambda leg: leg in agreed.binding)
    for ordinal, leg in enumerate(placed_in_turn, start=1):
        _insert_leg(tx, deps, brand.id, purchased.purchase_id, ordinal, leg)
    record_terms(tx, brand.id, purchased.purchase_id, (quoted_terms(terms), *quote.terms), now)
    advance_soon(tx, purchased.purchase_id, delay_s=_SAFETY_DELAY_S)
    return purchased


def _insert_leg(
    tx: Transaction,
    deps: CheckoutDeps,
    brand_id: str,
    purchase_id: str,
    ordinal: int,
    leg: LegQuoted,
) -> None:
    leg_id, now = derived_id("leg", purchase_id, str(ordinal)), deps.clock()
    new = {
        "leg_id": leg_id,
        "brand_id": brand_id,
        "purchase_id": purchase_id,
        "ordinal": ordinal,
        "merchant_id": leg.merchant_id,
        "merchant_name": leg.merchant_name,
        "currency": leg.total.currency,
        "total_minor": leg.total.minor,
        "state": State.NEW,
        "state_since": now,
        "next_try_at": now,
        "deadline_at": deadline_of(State.NEW, now, deps.windows),
        "created_at": now,
    }
    _ADD_LEG.run(tx, new)
    entered = {"leg_id": leg_id, "brand_id": brand_id, "state": State.NEW, "owner": "confirm"}
    _ENTER.run(tx, entered | {"at": now})
