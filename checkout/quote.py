"""The live re-quote: what the merchants would sell the basket for now, compared and frozen.

In: a basket of offer ids, a contact, the deliveries chosen. Out: a stored `Quote`. Every price in
it is a merchant's answer of this moment; what was seen before only serves to show the change.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from checkout import tables as t
from checkout.article import Article, article_of
from checkout.basket import Basket, Line, remember_seen
from checkout.contact import Contact
from checkout.deps import CheckoutDeps
from checkout.labels import labels_of
from checkout.merchant_connectors.port import (
    Destination,
    LineStatus,
    MerchantQuote,
    QuotedLine,
    QuoteLine,
)
from checkout.outcomes import Refused
from checkout.quote_document import (
    DeliveryQuoted,
    LegQuoted,
    OfferQuoted,
    Quote,
    as_document,
    legs_from,
    sha256_of,
    terms_from,
)
from checkout.states import LineProblem
from checkout.terms_accepted import terms_beside
from kernel.db import Prepared, Transaction
from kernel.errors import DomainError
from kernel.ids import drawn_id
from kernel.money import Money
from mdm.catalogue import ProductLabel
from mdm.merchants import Merchant, read_merchant
from mdm.product_view import OfferView
from tenants.brand import Brand

_LOG = logging.getLogger(__name__)

_BY_ID = Prepared(t.quote.select().where(t.quote.c.quote_id == sa.bindparam("given")))
_LATEST = Prepared(
    t.quote.select()
    .where(t.quote.c.basket_id == sa.bindparam("given"))
    .order_by(t.quote.c.created_at.desc())
    .limit(1)
)
_FREEZE = Prepared(t.quote.insert())

_PROBLEM_OF = {
    LineStatus.OUT_OF_STOCK: LineProblem.OUT_OF_STOCK,
    LineStatus.UNKNOWN_SKU: LineProblem.WITHDRAWN,
}
_PROBLEM_OF_REFUSAL = {
    "out_of_stock": LineProblem.OUT_OF_STOCK,
    "unknown_sku": LineProblem.WITHDRAWN,
    "not_delivered": LineProblem.NOT_DELIVERED,
}


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is asked of one merchant."""

    merchant: Merchant
    lines: tuple[tuple[Line, OfferView], ...]
    labels: Mapping[str, ProductLabel]
    languages: Sequence[str]
    before: LegQuoted | None
    chosen: str | None
    seen_delivery: Money | None

    def article(self, offer: OfferView) -> Article:
        """What the offer is, in words."""
        return article_of(offer, self.labels[offer.product_id].titles, self.languages)

    def is_other_condition(self, offer: OfferView) -> bool:
        """True where the quote before this one said another condition or grade."""
        article = self.article(offer)
        quoted = () if self.before is None else self.before.offers
        return any(
            (each.article.condition, each.article.grade) != (article.condition, article.grade)
            for each in quoted
            if each.offer_id == offer.offer_id and each.article.condition is not None
        )


def live_quote(
    deps: CheckoutDeps,
    brand: Brand,
    basket: Basket,
    contact: Contact,
    chosen: Mapping[str, str] | None = None,
) -> Quote:
    """Ask every merchant of the basket at once. Nothing is stored.

    `chosen` maps merchant ids to delivery codes; without it the last choice holds, else the
    cheapest. A merchant that does not answer is a problem of its leg, never an error of the page.
    """
    assert basket.basket_id is not None
    with deps.database.brand(brand.id) as tx:
        before = latest_quote(tx, basket.basket_id)
        wanted = _wanted(tx, brand, basket, contact, before, chosen or {})
        terms = terms_beside(tx, brand, [each.merchant.id for each in wanted])
    destination = Destination(contact.country, contact.postcode, contact.city)
    legs = _ask_all(deps, wanted, destination)
    now = deps.clock()
    return Quote(
        quote_id=drawn_id("quo"),
        basket_id=basket.basket_id,
        token=drawn_id("tok"),
        contact_sha256=sha256_of(contact.as_json()),
        destination=destination,
        legs=legs,
        created_at=now,
        expires_at=now + deps.windows.quote,
        terms=terms,
    )


def read_quote(tx: Transaction, quote_id: str) -> Quote | None:
    """A stored quote of this brand; None when there is none of that id."""
    row = _BY_ID.first(tx, {"given": quote_id})
    return None if row is None else quote_of(row)


def latest_quote(tx: Transaction, basket_id: str) -> Quote | None:
    """The newest quote of a basket."""
    row = _LATEST.first(tx, {"given": basket_id})
    return None if row is None else quote_of(row)


def quote_of(row: Any) -> Quote:
    """The quote of a row with the columns of `checkout.quote`."""
    return Quote(
        quote_id=row.quote_id,
        basket_id=row.basket_id,
        token=row.confirmation_token,
        contact_sha256=row.document["contact_sha256"],
        destination=Destination(**row.document["destination"]),
        legs=legs_from(row.document),
        created_at=row.created_at,
        expires_at=row.expires_at,
        terms=terms_from(row.document),
    )


def freeze(tx: Transaction, brand: Brand, quote: Quote) -> None:
    """Store a quote that is about to be shown; its prices are what the shopper has seen then."""
    document = as_document(quote)
    frozen = {
        "quote_id": quote.quote_id,
        "brand_id": brand.id,
        "basket_id": quote.basket_id,
        "confirmation_token": quote.token,
        "document": document,
        "document_sha256": sha256_of(document),
        "created_at": quote.created_at,
        "expires_at": quote.expires_at,
    }
    _FREEZE.run(tx, frozen)
    seen = [(offer.offer_id, offer.unit_price) for leg in quote.legs for offer in leg.offers]
    remember_seen(tx, quote.basket_id, seen)


def _wanted(
    tx: Transaction,
    brand: Brand,
    basket: Basket,
    contact: Contact,
    before: Quote | None,
    chosen: Mapping[str, str],
) -> list[_Wanted]:
    by_merchant: dict[str, list[tuple[Line, OfferView]]] = {}
    for line in basket.lines:
        if line.offer is not None:
            by_merchant.setdefault(line.offer.merchant_id, []).append((line, line.offer))
    labels = labels_of(tx, [line.offer for line in basket.lines if line.offer is not None])
    wanted = []
    for merchant_id, lines in by_merchant.items():
        last = None if before is None else _leg_of(before, merchant_id)
        code = chosen.get(merchant_id) or (None if last is None else last.chosen)
        wanted.append(
            _Wanted(
                read_merchant(tx, merchant_id),
                tuple(lines),
                labels,
                brand.languages,
                last,
                code,
                _seen_delivery(last, code, lines, contact.country),
            )
        )
    return wanted


def _leg_of(quote: Quote, merchant_id: str) -> LegQuoted | None:
    return next((leg for leg in quote.legs if leg.merchant_id == merchant_id), None)


def _seen_delivery(
    last: LegQuoted | None,
    code: str | None,
    lines: Sequence[tuple[Line, OfferView]],
    country: str,
) -> Money | None:
    """What the shopper last saw for this delivery: in the last quote, else in the basket."""
    if last is not None:
        return next((row.price for row in last.deliveries if row.code == code), None)
    return stated_delivery([offer for _, offer in lines], country)


def stated_delivery(offers: Sequence[OfferView], country: str) -> Money | None:
    """The stated delivery of one parcel: the dearest of its lines; None where one states none."""
    stated = [offer.delivery_to(country) for offer in offers]
    prices = [row.price for row in stated if row is not None]
    if not prices or len(prices) < len(stated):
        return None
    return max(prices, key=lambda price: price.minor)


def _ask_all(
    deps: CheckoutDeps, wanted: Sequence[_Wanted], destination: Destination
) -> tuple[LegQuoted, ...]:
    if len(wanted) <= 1:
        return tuple(_ask(deps, each, destination) for each in wanted)
    with ThreadPoolExecutor(max_workers=min(8, len(wanted))) as pool:
        return tuple(pool.map(lambda each: _ask(deps, each, destination), wanted))


def _ask(deps: CheckoutDeps, wanted: _Wanted, destination: Destination) -> LegQuoted:
    lines = [QuoteLine(offer.sku, line.quantity) for line, offer in wanted.lines]
    try:
        answer = deps.connectors(wanted.merchant).quote(lines, destination)
    except Refused as refusal:
        problem = _PROBLEM_OF_REFUSAL.get(refusal.code, LineProblem.MERCHANT_SILENT)
        return _leg(wanted, (), None, problem)
    except DomainError:
        _LOG.warning("merchant %s gave no quote", wanted.merchant.id, exc_info=True)
        return _leg(wanted, (), None, LineProblem.MERCHANT_SILENT)
    return _read(wanted, answer)


def _read(wanted: _Wanted, answer: MerchantQuote) -> LegQuoted:
    """The merchant's answer as a leg, with the first thing that stands in the way."""
    by_sku = {line.sku: line for line in answer.lines}
    offers = []
    for line, offer in wanted.lines:
        quoted = by_sku.get(offer.sku)
        problem = _problem(line, quoted)
        if problem is not None or quoted is None or quoted.unit_price is None:
            available = None if quoted is None else quoted.available
            return _leg(wanted, (), answer, problem or LineProblem.WITHDRAWN, offer, available)
        offers.append(_offer(wanted, line, offer, quoted.unit_price))
    if not answer.delivery:
        return _leg(wanted, offers, answer, LineProblem.NOT_DELIVERED)
    return _leg(wanted, offers, answer, None)


def _problem(line: Line, quoted: QuotedLine | None) -> LineProblem | None:
    if quoted is None or quoted.quantity != line.quantity:
        return LineProblem.WITHDRAWN
    if quoted.status is LineStatus.OUT_OF_STOCK and quoted.available:
        return LineProblem.TOO_FEW
    return _PROBLEM_OF.get(quoted.status)


def _offer(wanted: _Wanted, line: Line, offer: OfferView, unit_price: Money) -> OfferQuoted:
    return OfferQuoted(
        offer_id=offer.offer_id,
        product_id=offer.product_id,
        sku=offer.sku,
        article=wanted.article(offer),
        picture=wanted.labels[offer.product_id].picture,
        quantity=line.quantity,
        unit_price=unit_price,
        seen=line.seen,
        condition_changed=wanted.is_other_condition(offer),
    )


def _leg(
    wanted: _Wanted,
    offers: Sequence[OfferQuoted],
    answer: MerchantQuote | None,
    problem: LineProblem | None,
    about: OfferView | None = None,
    available: int | None = None,
) -> LegQuoted:
    deliveries = tuple(
        DeliveryQuoted(row.code, row.name, row.price, row.days_min, row.days_max)
        for row in (answer.delivery if answer is not None else ())
    )
    codes = {row.code for row in deliveries}
    cheapest = min(deliveries, key=lambda row: row.price.minor, default=None)
    chosen = wanted.chosen if wanted.chosen in codes else cheapest.code if cheapest else None
    return LegQuoted(
        merchant_id=wanted.merchant.id,
        merchant_name=wanted.merchant.name,
        returns_days=wanted.merchant.returns_days,
        offers=tuple(offers),
        deliveries=deliveries,
        chosen=chosen,
        seen_delivery=wanted.seen_delivery,
        problem=problem,
        problem_article=None if about is None else wanted.article(about),
        available=available,
    )
