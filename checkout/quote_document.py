"""A live quote, frozen: what was asked, what each merchant answered, what was seen before.

The document is written once with its hash and an expiry; a purchase is made of one such document
and of nothing else. Amounts add up here and nowhere else. Pure.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from checkout.article import Article
from checkout.merchant_connectors.port import Destination, QuoteLine
from checkout.states import LineProblem
from kernel.money import Money


@dataclass(frozen=True, slots=True)
class OfferQuoted:
    """One offer as the merchant would sell it now. `seen` is what the shopper saw before.

    `condition_changed`: the quote before, which was shown, said another condition or grade.
    """

    offer_id: str
    product_id: str
    sku: str
    article: Article
    picture: str
    quantity: int
    unit_price: Money
    seen: Money
    condition_changed: bool = False

    @property
    def total(self) -> Money:
        """Unit price times quantity."""
        return self.unit_price * self.quantity

    @property
    def is_changed(self) -> bool:
        """True where the shopper last saw another price, or another condition."""
        return self.unit_price != self.seen or self.condition_changed


@dataclass(frozen=True, slots=True)
class DeliveryQuoted:
    """One way of delivery of a leg, with its price including VAT."""

    code: str
    name: str
    price: Money
    days_min: int | None
    days_max: int | None


@dataclass(frozen=True, slots=True)
class LegQuoted:
    """What one merchant answered. With `problem` set nothing of it can be bought now.

    `chosen` is the code of the delivery; `seen_delivery` what was shown for it before, if anything.
    """

    merchant_id: str
    merchant_name: str
    returns_days: int | None
    offers: tuple[OfferQuoted, ...]
    deliveries: tuple[DeliveryQuoted, ...]
    chosen: str | None
    seen_delivery: Money | None
    problem: LineProblem | None = None
    problem_article: Article | None = None
    available: int | None = None

    @property
    def goods(self) -> Money:
        """All lines of the leg. ValueError for a leg without lines."""
        totals = [offer.total for offer in self.offers]
        if not totals:
            raise ValueError("a leg without lines has no total")
        return sum(totals[1:], start=totals[0])

    @property
    def delivery(self) -> DeliveryQuoted:
        """The chosen delivery."""
        return next(row for row in self.deliveries if row.code == self.chosen)

    @property
    def total(self) -> Money:
        """Goods and the chosen delivery: what will be charged, to the cent."""
        return self.goods + self.delivery.price

    @property
    def is_changed(self) -> bool:
        """True where anything is not what the shopper saw before."""
        return any(offer.is_changed for offer in self.offers) or (
            self.problem is None
            and self.seen_delivery is not None
            and self.delivery.price != self.seen_delivery
        )

    def lines(self) -> tuple[QuoteLine, ...]:
        """What to ask the merchant for."""
        return tuple(QuoteLine(offer.sku, offer.quantity) for offer in self.offers)


@dataclass(frozen=True, slots=True)
class TermsQuoted:
    """Terms that are accepted with the brand's: the platform's, or those of a merchant."""

    party: str
    owner_id: str
    language: str
    version: int
    sha256: str

    @property
    def path(self) -> str:
        """Where this very version is read."""
        owner = f"party={self.party}&owner={self.owner_id}"
        return f"/terms?{owner}&version={self.version}&language={self.language}"


@dataclass(frozen=True, slots=True)
class Quote:
    """A frozen quote of a whole basket. `token` makes one click one purchase."""

    quote_id: str
    basket_id: str
    token: str
    contact_sha256: str
    destination: Destination
    legs: tuple[LegQuoted, ...]
    created_at: datetime
    expires_at: datetime
    terms: tuple[TermsQuoted, ...] = ()

    @property
    def can_pay(self) -> bool:
        """True where every merchant can deliver everything."""
        return bool(self.legs) and all(leg.problem is None for leg in self.legs)

    @property
    def is_changed(self) -> bool:
        """True where anything is not what the shopper saw before."""
        return any(leg.is_changed for leg in self.legs)

    @property
    def totals(self) -> tuple[Money, ...]:
        """One amount for each currency, over the legs that can be bought."""
        return totals(leg.total for leg in self.legs if leg.problem is None)

    def leg(self, merchant_id: str) -> LegQuoted:
        """The leg of a merchant. StopIteration never: a purchase has the legs of its quote."""
        return next(leg for leg in self.legs if leg.merchant_id == merchant_id)


def totals(amounts: Iterable[Money]) -> tuple[Money, ...]:
    """Amounts added up by currency, in order of first appearance."""
    sums: dict[str, Money] = {}
    for amount in amounts:
        sums[amount.currency] = (
            sums[amount.currency] + amount if amount.currency in sums else amount
        )
    return tuple(sums.values())


def sha256_of(document: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON."""
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def same_terms(before: Quote, after: Quote) -> bool:
    """True where both quotes sell the same things at the same prices, delivered the same way,
    under the same terms of the platform and the merchants.
    """
    return _bargain(before) == _bargain(after) and before.terms == after.terms


def _bargain(quote: Quote) -> list[tuple[object, ...]]:
    return [
        (
            leg.merchant_id,
            leg.problem,
            leg.chosen,
            None if leg.problem is not None else leg.delivery.price,
            tuple(_sold(offer) for offer in leg.offers),
        )
        for leg in quote.legs
    ]


def _sold(offer: OfferQuoted) -> tuple[object, ...]:
    article = offer.article
    return (offer.offer_id, offer.quantity, offer.unit_price, article.condition, article.grade)


def as_document(quote: Quote) -> dict[str, Any]:
    """The stored form, without the columns of the row."""
    return {
        "contact_sha256": quote.contact_sha256,
        "destination": {
            "country": quote.destination.country,
            "postcode": quote.destination.postcode,
            "city": quote.destination.city,
        },
        "legs": [_leg_document(leg) for leg in quote.legs],
        "terms": [asdict(terms) for terms in quote.terms],
    }


def _leg_document(leg: LegQuoted) -> dict[str, Any]:
    return {
        "merchant_id": leg.merchant_id,
        "merchant_name": leg.merchant_name,
        "returns_days": leg.returns_days,
        "offers": [
            {
                "offer_id": offer.offer_id,
                "product_id": offer.product_id,
                "sku": offer.sku,
                **offer.article.as_document(),
                "picture": offer.picture,
                "quantity": offer.quantity,
                "unit_price": offer.unit_price.as_json(),
                "seen": offer.seen.as_json(),
                "condition_changed": offer.condition_changed,
            }
            for offer in leg.offers
        ],
        "deliveries": [
            {
                "code": row.code,
                "name": row.name,
                "price": row.price.as_json(),
                "days_min": row.days_min,
                "days_max": row.days_max,
            }
            for row in leg.deliveries
        ],
        "chosen": leg.chosen,
        "seen_delivery": None if leg.seen_delivery is None else leg.seen_delivery.as_json(),
        "problem": leg.problem,
        "problem_article": (
            None if leg.problem_article is None else leg.problem_article.as_document()
        ),
        "available": leg.available,
    }


def legs_from(document: Mapping[str, Any]) -> tuple[LegQuoted, ...]:
    """The legs of a stored document."""
    return tuple(_leg_from(leg) for leg in document["legs"])


def terms_from(document: Mapping[str, Any]) -> tuple[TermsQuoted, ...]:
    """The terms of a stored document."""
    return tuple(TermsQuoted(**terms) for terms in document.get("terms", ()))


def _leg_from(value: Mapping[str, Any]) -> LegQuoted:
    seen = value["seen_delivery"]
    return LegQuoted(
        merchant_id=value["merchant_id"],
        merchant_name=value["merchant_name"],
        returns_days=value["returns_days"],
        offers=tuple(_offer_from(row) for row in value["offers"]),
        deliveries=tuple(
            DeliveryQuoted(**{**row, "price": Money.from_json(row["price"])})
            for row in value["deliveries"]
        ),
        chosen=value["chosen"],
        seen_delivery=None if seen is None else Money.from_json(seen),
        problem=None if value["problem"] is None else LineProblem(value["problem"]),
        problem_article=_problem_article(value),
        available=value["available"],
    )


def _offer_from(row: Mapping[str, Any]) -> OfferQuoted:
    return OfferQuoted(
        offer_id=row["offer_id"],
        product_id=row["product_id"],
        sku=row["sku"],
        article=Article.from_document(row),
        picture=row["picture"],
        quantity=row["quantity"],
        unit_price=Money.from_json(row["unit_price"]),
        seen=Money.from_json(row["seen"]),
        condition_changed=row.get("condition_changed", False),
    )


def _problem_article(leg: Mapping[str, Any]) -> Article | None:
    """Earlier releases stored no more of it than its title."""
    stored = leg.get("problem_article")
    if stored is not None:
        return Article.from_document(stored)
    title = leg.get("problem_title")
    return None if title is None else Article(title)
