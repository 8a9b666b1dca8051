"""Delivery methods: one flat price per country, the dearest line of the basket decides.

A country that neither the products nor the shop's table serves has no method at all.
"""

from collections.abc import Mapping
from decimal import Decimal

from delivery.models import DeliveryPrice
from delivery.tariff import Rate, basket_rate
from django.conf import settings
from oscar.apps.shipping.methods import FixedPrice
from oscar.apps.shipping.repository import Repository as StockRepository

from forks.partner.strategy import without_vat

NAMES = {"FR": "Livraison standard", "BE": "Livraison standard"}
DEFAULT_NAME = "Standardversand"


class CountryDelivery(FixedPrice):
    """Standard delivery to one country, named in its language."""

    code = "standard"

    def __init__(self, country, rate):
        charge = Decimal(rate.price_minor).scaleb(-2)
        super().__init__(charge_excl_tax=without_vat(charge), charge_incl_tax=charge)
        self.name = NAMES.get(country, DEFAULT_NAME)
        self.days_min, self.days_max = rate.days_min, rate.days_max
        self.description = f"To {country} in {rate.days_min} to {rate.days_max} days"


def country_of(address):
    """The address's country code; the shop's first country where there is no address yet.

    oscarapi hands over a model when asked for the methods and a mapping when checking out.
    """
    if not address:
        return next(iter(settings.SHOP_DELIVERY))
    if isinstance(address, Mapping):
        return address["country"].pk
    return address.country_id


class Repository(StockRepository):
    """Oscar's repository with our prices."""

    def get_available_shipping_methods(self, basket, shipping_addr=None, **_kwargs):
        """The one method for the address's country, or none."""
        country = country_of(shipping_addr)
        defaults = settings.SHOP_DELIVERY.get(country)
        rate = basket_rate(
            country,
            [line.product_id for line in basket.all_lines()],
            DeliveryPrice.objects.all(),
            Rate(*defaults) if defaults else None,
        )
        return [CountryDelivery(country, rate)] if rate else []
