"""The tariff: what a basket's delivery to a country costs, and how long it takes.

In: product ids, the products' own prices, the shop's flat rate. Out: one rate, or none.
"""

from dataclasses import dataclass

DAYS_WHERE_UNKNOWN = (3, 7)


@dataclass(frozen=True)
class Rate:
    """Cents with VAT, and days."""

    price_minor: int
    days_min: int
    days_max: int


def basket_rate(country, product_ids, prices, default):
    """The dearest line's rate, since all goes in one parcel; None if one line cannot go there."""
    own = {}
    for product_id, code, price_minor in prices.filter(product_id__in=product_ids).values_list(
        "product_id", "country", "price_minor"
    ):
        own.setdefault(product_id, {})[code] = price_minor
    days = (default.days_min, default.days_max) if default else DAYS_WHERE_UNKNOWN
    charges = []
    for product_id in product_ids:
        table = own.get(product_id)
        if table is not None and country not in table:
            return None
        if table is None and default is None:
            return None
        charges.append(table[country] if table is not None else default.price_minor)
    if not charges:
        return default
    return Rate(max(charges), *days)
