"""The argus of a product for people: as JSON, as a table in a terminal, as a drawing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape
from typing import Any

from kernel.db import Transaction
from kernel.errors import DomainError, NotFound
from kernel.money import Money, is_currency
from mdm.argus.reading import Argus, argus_of, main_currency
from mdm.argus.value import Value
from mdm.catalogue import resolve

_WIDTH, _ROW, _TOP, _LEFT, _RIGHT = 640, 34, 30, 150, 500
_WORDS = {
    "new": "new", "like_new": "like new", "very_good": "very good", "good": "good",
    "acceptable": "acceptable", "for_parts": "for parts", "unknown": "used, grade unknown",
}  # fmt: skip


def read_argus(tx: Transaction, product_id: str, currency: str | None) -> Argus:
    """Of a product (an id that was merged leads on) in a currency, else in that of most offers."""
    if currency is not None and not is_currency(currency):
        raise DomainError("currency_unknown", f"{currency!r} is no ISO 4217 currency", status=422)
    current = resolve(tx, product_id)
    if current is None:
        raise NotFound("product_unknown", f"No product is called {product_id!r}")
    chosen = currency or main_currency(tx, current) or "EUR"
    return argus_of(tx, current, chosen, datetime.now(UTC))


def argus_json(argus: Argus) -> dict[str, Any]:
    """Every grade; null where too little is known."""
    return {
        "product_id": argus.product_id,
        "currency": argus.currency,
        "as_of": argus.as_of.isoformat(),
        "values": {
            str(grade): None
            if value is None
            else {
                "value": _money(value.minor, argus).as_json(),
                "low": _money(value.low_minor, argus).as_json(),
                "high": _money(value.high_minor, argus).as_json(),
                "offers": value.offers,
                "sales": value.sales,
                "pooled": value.pooled,
            }
            for grade, value in argus.values.items()
        },
    }


def argus_lines(argus: Argus) -> Iterator[str]:
    """A table in words."""
    yield f"{argus.product_id} on {argus.as_of:%Y-%m-%d}"
    for grade, value in argus.values.items():
        yield f"  {_WORDS[grade]:20} {_told(value, argus)}"


def argus_svg(argus: Argus) -> str:
    """The same as a drawing: a bar for each interval, a point for each value, everything in words
    beside it, so that it reads as a table does."""
    known = [value for value in argus.values.values() if value is not None]
    low = min((value.low_minor for value in known), default=0)
    high = max((value.high_minor for value in known), default=1)

    def across(minor: int) -> float:
        return round(_LEFT + (_RIGHT - _LEFT) * (minor - low) / max(high - low, 1), 1)

    height = _TOP + _ROW * len(argus.values) + 10
    title = escape(f"Values of {argus.product_id} by grade on {argus.as_of:%Y-%m-%d}")
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH + 160} {height}" '
        f'role="img" aria-labelledby="argus-title" font-family="sans-serif" font-size="14">'
        f'<title id="argus-title">{title}</title><g role="table">'
    ]
    for place, (grade, value) in enumerate(argus.values.items()):
        y = _TOP + _ROW * place
        told = escape(_told(value, argus))
        parts.append(
            f'<g role="row"><text role="rowheader" x="8" y="{y + 5}">{escape(_WORDS[grade])}</text>'
        )
        if value is not None:
            left, right = across(value.low_minor), across(value.high_minor)
            parts.append(
                f'<path d="M{left} {y}H{max(right, left + 1)}" stroke="#8aa" stroke-width="8" '
                f'stroke-linecap="round"/><circle cx="{across(value.minor)}" cy="{y}" r="6" '
                'fill="#134"/>'
            )
        parts.append(f'<text role="cell" x="{_RIGHT + 20}" y="{y + 5}">{told}</text></g>')
    return "".join(parts) + "</g></svg>"


def _told(value: Value | None, argus: Argus) -> str:
    if value is None:
        return "unknown"
    voices = [f"{value.offers} offers"] if value.offers else []
    voices += [f"{value.sales} sales"] if value.sales else []
    low, high = _money(value.low_minor, argus), _money(value.high_minor, argus)
    return f"{_money(value.minor, argus)} ({low} to {high}, {', '.join(voices)})"


def _money(minor: int, argus: Argus) -> Money:
    return Money(minor, argus.currency)
