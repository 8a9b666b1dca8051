"""Facts that a merchant states under a name of its own and the shop under another: once is enough.

Offers bring `power_w: 20 W`, and the title gives `power: 20 W`: one of them is told. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

_UNITS = frozenset(["cl", "cm", "eu", "g", "gb", "inch", "kg", "kw", "l", "ml", "mm", "tb", "w"])
# A merchant's own name without its unit, and ours for the same.
_OURS = {
    "count": "pack_count", "display": "screen_size", "memory": "memory", "power": "power",
    "ram": "memory", "screen": "screen_size", "size": "size", "storage": "capacity",
    "volume": "content", "weight": "content",
}  # fmt: skip
# What the title says of the content is a measure without a kind: the merchant's name tells more.
_LESS_TELLING = frozenset(("content",))
_AMOUNT = re.compile(r"(\d{1,9}(?:[.,]\d{1,4})?)\s*([a-z]*)")
_SCALES = {
    "cl": (10, "ml"), "l": (1000, "ml"), "kg": (1000, "g"), "kw": (1000, "w"),
    "tb": (1000, "gb"), "to": (1000, "gb"), "go": (1, "gb"), "inch": (1, "in"),
}  # fmt: skip


def repeated(attributes: Mapping[str, str]) -> frozenset[str]:
    """Names whose value another of them says as well."""
    found = set()
    for name, value in attributes.items():
        ours = _ours(name)
        if (
            ours is not None
            and ours in attributes
            and _amount(value) == _amount(attributes[ours]) is not None
        ):
            found.add(ours if ours in _LESS_TELLING else name)
    return frozenset(found)


def repeated_by_all(stated: Sequence[Mapping[str, str]]) -> frozenset[str]:
    """Names that every product which states them says otherwise as well."""
    names = {name for attributes in stated for name in attributes}
    again = [(attributes, repeated(attributes)) for attributes in stated]
    return frozenset(
        name
        for name in names
        if all(name in twice for attributes, twice in again if name in attributes)
    )


def _ours(name: str) -> str | None:
    """Ours for a merchant's own name; None for ours itself, and where there is none."""
    head, _, unit = name.rpartition("_")
    ours = _OURS.get(head if head and unit in _UNITS else name)
    return ours if ours != name else None


def _amount(value: str) -> tuple[Decimal, str] | None:
    """Number and unit; words that are no unit count as none: `24 pieces` is 24."""
    found = _AMOUNT.match(value.casefold())
    if found is None:
        return None
    scale, unit = _SCALES.get(found[2], (1, found[2]))
    known = unit in _UNITS or unit == "in"
    return Decimal(found[1].replace(",", ".")) * scale, unit if known else ""
