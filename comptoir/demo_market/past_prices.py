"""What the market's offers cost in the 90 days before: made up like the market itself. Pure.

In: the market. Out: for each offer the days on which its price changed and what it was from then
on, up to the price of today. A product's merchants move together, so that some products have fallen
this week, some are dear, and most cost what they always do. The same seed gives the same past.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from comptoir.demo_market.model import Market, MarketOffer

DAYS = 90
Past = tuple[tuple[int, int], ...]
"""(days ago, price in cents from then on), oldest first."""


def past_prices(market: Market) -> Mapping[tuple[str, str], Past]:
    """The past of every offer by (merchant, sku)."""
    courses = {product.id: _course(market.seed, product.id) for product in market.products}
    return {offer.key: _priced(offer, courses[offer.product_id]) for offer in market.offers}


def _course(seed: int, product_id: str) -> Past:
    """(days ago, percent of today's price from then on) of all offers of a product."""
    chance = Random(f"{seed}:past:{product_id}")  # noqa: S311 - a demo wants repeatable chance
    kind = chance.random()
    first, second = chance.randint(60, 80), chance.randint(35, 50)
    if kind < 0.12:
        return ((DAYS, chance.randint(108, 133)), (chance.randint(3, 6), 100))
    if kind < 0.25:
        return ((DAYS, chance.randint(84, 94)), (chance.randint(4, 12), 100))
    if kind < 0.45:
        return ((DAYS, 100), (first, chance.randint(104, 115)), (second, 97), (20, 100))
    return ((DAYS, 100), (first, chance.randint(98, 102)), (second, 100))


def _priced(offer: MarketOffer, course: Past) -> Past:
    return tuple((ago, offer.price_minor * percent // 100) for ago, percent in course)
