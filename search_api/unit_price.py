"""Price per kilogram, litre or piece, where the quantity is known (directive 98/6, PAngV). Pure.

The price of the article, without delivery. Half a minor unit rounds up, as in a shop.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from kernel.money import Money
from search_api.price_facts import UnitPrice

_CONTENT = re.compile(r"^(\d{1,7}(?:\.\d{1,3})?) (g|ml)$")
_PIECES = re.compile(r"^\d{1,4}$")
Unit = Literal["kg", "l", "piece"]


def unit_price(
    attributes: Mapping[str, str], price_minor: int | None, currency: str
) -> UnitPrice | None:
    """Of `content` (`500 g`, `750 ml`) times `pack_count`, else of `pack_count` alone."""
    if price_minor is None:
        return None
    stated = attributes.get("pack_count", "")
    pieces = int(stated) if _PIECES.match(stated) else 1
    found = _CONTENT.match(attributes.get("content", ""))
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
