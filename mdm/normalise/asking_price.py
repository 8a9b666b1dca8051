"""The price an offer asks now: regular or sale, net made gross, with what was odd about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kernel.money import Money, is_currency
from mdm.normalise.price import PriceContext, read_price, sale_interval, with_tax
from mdm.normalise.refused import RefusedError
from mdm.raw_offer import RawOffer


@dataclass(frozen=True, slots=True)
class AskingPrice:
    """`price` is None only where prices are optional. `revisit_at`: when a sale begins or ends."""

    price: Money | None
    currency: str
    regular: Money | None = None
    revisit_at: datetime | None = None
    notes: tuple[str, ...] = ()


def asking_price(
    raw: RawOffer, *, currency: str, decimal: str | None, optional: bool, now: datetime
) -> AskingPrice:
    """Read a record's price; `currency` and `decimal` are the merchant's. Raises RefusedError."""
    stated = (raw.currency or currency).strip().upper()
    if not is_currency(stated):
        raise RefusedError("currency_unknown", f"{stated[:12]!r} is no currency")
    if not (raw.price or "").strip():
        if optional:
            return AskingPrice(None, stated)
        raise RefusedError("price_missing", "no price is stated", "Every offer needs a price.")
    context = PriceContext(stated, raw.decimal or decimal)
    regular = _gross(raw, raw.price or "", context)
    if raw.currency and regular.currency != stated:
        raise RefusedError(
            "currency_conflict",
            f"the price is in {regular.currency} and the currency field says {stated}",
        )
    notes = ("placeholder_price",) if regular.amount == 1 else ()
    if not (raw.sale_price or "").strip():
        return AskingPrice(regular, regular.currency, notes=notes)
    return _with_sale(raw, regular, context, now, notes)


def _gross(raw: RawOffer, text: str, context: PriceContext) -> Money:
    price = read_price(text, context)
    return with_tax(price, raw.tax_rate) if raw.price_is_net else price


def _with_sale(
    raw: RawOffer, regular: Money, context: PriceContext, now: datetime, notes: tuple[str, ...]
) -> AskingPrice:
    """An unreadable sale is left out and noted: the regular price never promises too much."""
    currency = regular.currency
    try:
        sale = _gross(raw, raw.sale_price or "", context)
        start, end = sale_interval(raw.sale_interval) if raw.sale_interval else (None, None)
    except RefusedError as refused:
        return AskingPrice(regular, currency, notes=(*notes, f"sale_left_out:{refused.code}"))
    if sale.currency != currency or sale.minor >= regular.minor:
        return AskingPrice(regular, currency, notes=(*notes, "sale_left_out:not_lower"))
    if start and now < start:
        return AskingPrice(regular, currency, revisit_at=start, notes=notes)
    if end and now >= end:
        return AskingPrice(regular, currency, notes=notes)
    return AskingPrice(sale, currency, regular=regular, revisit_at=end, notes=notes)
