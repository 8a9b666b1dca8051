"""A frozen quote as the page to confirm it on. Pure."""

from __future__ import annotations

from checkout.binding_merchants import PolicyChoice
from checkout.contact import Contact
from checkout.pages.view_models import (
    ConfirmLine,
    ConfirmPage,
    ConfirmSection,
    DeliveryChoice,
    PriceChange,
)
from checkout.quote_document import LegQuoted, OfferQuoted, Quote
from kernel.money import Money
from tenants.terms import PLATFORM_ID, Party, Terms


def confirm_page(
    quote: Quote,
    contact: Contact,
    terms: Terms,
    *,
    provider: str,
    shop_name: str,
    terms_missing: bool = False,
    choice: PolicyChoice,
) -> ConfirmPage:
    """Everything that is bought, from whom, for how much, and what changed since it was seen."""
    paths = {(each.party, each.owner_id): each.path for each in quote.terms}
    return ConfirmPage(
        quote_id=quote.quote_id,
        token=quote.token,
        sections=tuple(
            _section(leg, paths.get((Party.MERCHANT, leg.merchant_id))) for leg in quote.legs
        ),
        totals=quote.totals,
        changed=quote.is_changed,
        can_pay=quote.can_pay,
        expires_at=quote.expires_at,
        contact_lines=contact.lines,
        email=contact.email,
        terms_version=terms.version,
        terms_sha256=terms.sha256,
        provider=provider,
        platform_terms_path=paths.get((Party.PLATFORM, PLATFORM_ID)),
        terms_missing=terms_missing,
        policy=choice.policy,
        shop_name=shop_name,
        binding=tuple(leg.merchant_name for leg in choice.binding),
        country=contact.country,
    )


def _section(leg: LegQuoted, terms_path: str | None) -> ConfirmSection:
    is_open = leg.problem is None
    delivery = leg.delivery.price if is_open else None
    return ConfirmSection(
        merchant_id=leg.merchant_id,
        merchant_name=leg.merchant_name,
        lines=tuple(_line(offer) for offer in leg.offers),
        deliveries=tuple(
            DeliveryChoice(
                row.code, row.name, row.price, row.code == leg.chosen, row.days_min, row.days_max
            )
            for row in leg.deliveries
        ),
        goods=leg.goods if is_open else None,
        delivery=delivery,
        total=leg.total if is_open else None,
        returns_days=leg.returns_days,
        terms_path=terms_path,
        delivery_change=change_of(leg.seen_delivery, delivery),
        problem=leg.problem,
        problem_article=leg.problem_article,
        available=leg.available,
    )


def _line(offer: OfferQuoted) -> ConfirmLine:
    return ConfirmLine(
        offer_id=offer.offer_id,
        product_id=offer.product_id,
        article=offer.article,
        picture=offer.picture,
        quantity=offer.quantity,
        unit_price=offer.unit_price,
        total=offer.total,
        change=change_of(offer.seen, offer.unit_price),
        condition_changed=offer.condition_changed,
    )


def change_of(before: Money | None, after: Money | None) -> PriceChange | None:
    """Old and new, where both are known and differ."""
    if before is None or after is None or before == after:
        return None
    return PriceChange(before, after)
