"""Prices: the stock record holds what the buyer pays; VAT is worked out of it, not added to it.

In: a stock record. Out: Oscar's price policy with exact `incl_tax`. Stock is required to sell.
"""

from decimal import ROUND_HALF_EVEN, Decimal

from django.conf import settings
from oscar.apps.partner import strategy
from oscar.apps.partner.prices import FixedPrice
from oscar.apps.partner.prices import Unavailable as UnavailablePrice

CENT = Decimal("0.01")


def without_vat(price):
    """The net part of a price that includes VAT, to the cent."""
    return (price / (1 + Decimal(settings.SHOP_VAT_RATE))).quantize(CENT, rounding=ROUND_HALF_EVEN)


def price_with_vat(stockrecord):
    """Oscar's price of one unit, to the cent, from a price that includes VAT."""
    if stockrecord is None or stockrecord.price is None:
        return UnavailablePrice()
    excl_tax = without_vat(stockrecord.price)
    return FixedPrice(
        currency=stockrecord.price_currency,
        excl_tax=excl_tax,
        tax=stockrecord.price - excl_tax,
    )


class VatIncluded:
    """Pricing mixin for prices that include VAT."""

    def pricing_policy(self, _product, stockrecord):
        """Price of a product that is sold alone."""
        return price_with_vat(stockrecord)

    def parent_pricing_policy(self, _product, children_stock):
        """Price of a parent product: its first child's."""
        records = [stock for _child, stock in children_stock if stock is not None]
        return price_with_vat(records[0] if records else None)


class ShopStrategy(
    strategy.UseFirstStockRecord, VatIncluded, strategy.StockRequired, strategy.Structured
):
    """First stock record, VAT included, no sale without stock."""


class Selector:
    """Oscar's entry point: the same strategy for every visitor."""

    def strategy(self, request=None, **_kwargs):
        """The strategy for a request, or for a command without one."""
        return ShopStrategy(request)
