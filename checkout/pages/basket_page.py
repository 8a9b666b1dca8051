"""The basket as a page: sections by merchant with totals that add up. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from checkout.article import Article, article_of
from checkout.basket import MAX_QUANTITY, Basket, Line, require_buyable
from checkout.labels import UNKNOWN
from checkout.pages.view_models import (
    BasketLine,
    BasketPage,
    BasketSection,
    LineProblem,
    PriceChange,
)
from checkout.quote import stated_delivery
from checkout.quote_document import totals
from kernel.errors import DomainError
from mdm.catalogue import ProductLabel
from tenants.brand import Brand

_PROBLEM_OF = {
    "offer_withdrawn": LineProblem.WITHDRAWN,
    "not_sold_here": LineProblem.NOT_SOLD_HERE,
    "out_of_stock": LineProblem.OUT_OF_STOCK,
}


def basket_page(
    brand: Brand, sections: tuple[BasketSection, ...], just_added: str = ""
) -> BasketPage:
    """The page of a basket. `just_added` is the id of an offer."""
    problems = [line for section in sections for line in section.lines if line.problem]
    return BasketPage(
        sections=sections,
        totals=totals(section.total for section in sections if section.total is not None),
        country=brand.country,
        can_check_out=bool(sections) and not problems,
        just_added=next(
            (
                line.article
                for section in sections
                for line in section.lines
                if line.offer_id == just_added and line.product_id
            ),
            None,
        ),
    )


def basket_sections(
    brand: Brand, basket: Basket, labels: Mapping[str, ProductLabel]
) -> tuple[BasketSection, ...]:
    """One section for each merchant, withdrawn offers in a last one without a name."""
    groups: dict[str, list[Line]] = {}
    for line in basket.lines:
        groups.setdefault("" if line.offer is None else line.offer.merchant_id, []).append(line)
    groups |= {"": groups.pop("")} if "" in groups else {}
    sections = [
        _section(brand, merchant_id, lines, labels) for merchant_id, lines in groups.items()
    ]
    return tuple(_with_others(sections, section) for section in sections)


def _section(
    brand: Brand,
    merchant_id: str,
    lines: list[Line],
    labels: Mapping[str, ProductLabel],
) -> BasketSection:
    shown = tuple(_line(brand, line, labels) for line in lines)
    offers = [line.offer for line in lines if line.offer is not None]
    amounts = totals(line.total for line in shown if line.total is not None)
    goods = amounts[0] if len(amounts) == 1 else None
    delivery = stated_delivery(offers, brand.country) if goods is not None else None
    if goods is not None and delivery is not None and delivery.currency != goods.currency:
        delivery = None
    total = goods if goods is None or delivery is None else goods + delivery
    first = offers[0] if offers else None
    return BasketSection(
        merchant_id=merchant_id,
        merchant_name="" if first is None else first.merchant_name,
        lines=shown,
        goods=goods,
        delivery=delivery,
        total=total,
        returns_days=None if first is None else first.returns_days,
    )


def _line(brand: Brand, line: Line, labels: Mapping[str, ProductLabel]) -> BasketLine:
    offer = line.offer
    product_id = "" if offer is None else offer.product_id
    label = labels.get(product_id, UNKNOWN)
    problem = _problem(brand, line)
    price = None if offer is None else offer.price
    is_changed = price is not None and price != line.seen
    return BasketLine(
        offer_id=line.offer_id,
        product_id=product_id,
        article=(
            Article(line.title)
            if offer is None
            else article_of(offer, label.titles, brand.languages)
        ),
        picture=label.picture,
        quantity=line.quantity,
        quantity_max=MAX_QUANTITY,
        unit_price=price,
        total=None if price is None or problem is not None else price * line.quantity,
        change=PriceChange(line.seen, price) if price is not None and is_changed else None,
        problem=problem,
        available=None if offer is None else offer.quantity,
    )


def _problem(brand: Brand, line: Line) -> LineProblem | None:
    try:
        offer = require_buyable(brand, line.offer)
    except DomainError as refusal:
        return _PROBLEM_OF[refusal.code]
    if offer.quantity is not None and offer.quantity < line.quantity:
        return LineProblem.TOO_FEW
    return None


def _with_others(sections: list[BasketSection], section: BasketSection) -> BasketSection:
    others = totals(
        other.total for other in sections if other is not section and other.total is not None
    )
    return BasketSection(
        merchant_id=section.merchant_id,
        merchant_name=section.merchant_name,
        lines=section.lines,
        goods=section.goods,
        delivery=section.delivery,
        total=section.total,
        returns_days=section.returns_days,
        others_total=others,
    )
