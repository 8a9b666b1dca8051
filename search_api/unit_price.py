"""Price per kilogram, litre or piece, where the quantity is known (directive 98/6, PAngV). Pure.

The price of the article, without delivery. Half a minor unit rounds up, as in a shop.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, Literal

from kernel.money import Money
from search_api.price_facts import UnitPrice

_CONTENT = re.compile(r"^(\d{1,7}(?:\.\d{1,3})?) (g|ml)$")
_PIECES = re.compile(r"^\d{1,4}$")
Unit = Literal["kg", "l", "piece"]
_HOLDING: Final = frozenset((222, 604, 632, 166, 988, 1239, 662, 4636))
"""Electronics, appliances, hardware, bags, sports, toys, pans, lamps: a tank of 1.8 litres is what
the thing holds, not what one buys."""
_BY_CONTENT: Final = frozenset((356,))
"""Among them ink is bought by what it is."""


def unit_price(
    attributes: Mapping[str, str],
    price_minor: int | None,
    currency: str,
    category_path: Sequence[int] = (),
) -> UnitPrice | None:
    """Of `content` (`500 g`, `750 ml`) times `pack_count`, else of `pack_count` alone.

    Content counts only where it is what is sold, by the category.
    """
    if price_minor is None:
        return None
    stated = attributes.get("pack_count", "")
    pieces = int(stated) if _PIECES.match(stated) else 1
    found = _CONTENT.match(attributes.get("content", ""))
    if not _HOLDING.isdisjoint(category_path) and _BY_CONTENT.isdisjoint(category_path):
        found = None
    if pieces < 1:
        return None
    if found is not None:
        thousandths = Decimal(found[1]) * pieces
        return _of(price_minor * 1000, thousandths, "kg" if found[2] == "g" else "l", currency)
    if pieces > 1:
        return _of(price_minor, Decimal(pieces), "piece", currency)
    return None


def _of(minor: int, quantity: Decimal, unit: Unit, currency: str) -> UnitPrice | None:
    if not quantity:
        return None
    amount = (Decimal(minor) / quantity).quantize(Decimal(1), ROUND_HALF_UP)
    return UnitPrice(price=Money(int(amount), currency), unit=unit)
