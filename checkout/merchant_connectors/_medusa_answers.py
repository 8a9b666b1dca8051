"""What Medusa's REST API answers, checked and in the words of the port. Pure.

Amounts come as decimals in major units and with more places than the currency has, where tax is
added: they are read as decimals, never as floats, and rounded once, to minor units.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError

from checkout.merchant_connectors._checked_answers import Answer, Malformed
from checkout.merchant_connectors.port import (
    DeliveryOption,
    LineStatus,
    OrderStatus,
    PlacedOrder,
    QuotedLine,
    QuoteLine,
)
from kernel.money import Money, is_currency

REFERENCE = "comparator_reference"
_STATUS = {
    "not_fulfilled": OrderStatus.PLACED,
    "partially_fulfilled": OrderStatus.IN_PREPARATION,
    "fulfilled": OrderStatus.IN_PREPARATION,
    "partially_shipped": OrderStatus.IN_PREPARATION,
    "shipped": OrderStatus.SHIPPED,
    "partially_delivered": OrderStatus.IN_PREPARATION,
    "delivered": OrderStatus.SHIPPED,
    "canceled": OrderStatus.CANCELLED,
}


def _as_decimal(value: object) -> object:
    return Decimal(value) if type(value) is int else value


Id = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_]+$")]
Word = Annotated[str, Field(max_length=255)]
Amount = Annotated[Decimal, BeforeValidator(_as_decimal), Field(ge=0, le=10**10)]
Count = Annotated[int, Field(ge=-(10**9), le=10**9)]
Days = Annotated[int, Field(ge=0, le=365)]
Moment = Annotated[datetime, Field(strict=False)]


class Price(Answer):
    """What one costs in the region, by its rules."""

    calculated_amount: Amount
    calculated_amount_with_tax: Amount | None = None
    is_calculated_price_tax_inclusive: bool
    currency_code: Word

    @property
    def gross(self) -> Money | None:
        """With tax; None where the shop says it only in a cart."""
        if self.is_calculated_price_tax_inclusive:
            return money_of(self.calculated_amount, self.currency_code)
        if self.calculated_amount_with_tax is None:
            return None
        return money_of(self.calculated_amount_with_tax, self.currency_code)


class Variant(Answer):
    """An article. Without a price in the region it is not sold there."""

    id: Id
    sku: Word | None
    manage_inventory: bool
    allow_backorder: bool
    inventory_quantity: Count | None = None
    calculated_price: Price | None

    @property
    def left(self) -> int | None:
        """How many can be sold now; None where the shop does not count, or sells what it lacks."""
        if not self.manage_inventory or self.allow_backorder:
            return None
        return max(self.inventory_quantity or 0, 0)


class CartItem(Answer):
    """A line of a cart. `unit_price` is what it cost when it was put there; `total` has the tax."""

    variant_id: Id
    variant_sku: Word
    quantity: Count
    unit_price: Amount
    total: Amount


class ChosenDelivery(Answer):
    """How a cart is to be delivered, at the price of the moment when that was chosen."""

    shipping_option_id: Id | None
    amount: Amount


class Cart(Answer):
    """What an order grows from. It is completed once, into one order."""

    id: Id
    currency_code: Word
    item_total: Amount
    total: Amount
    completed_at: Moment | None
    metadata: Mapping[str, Any] | None = None
    items: Annotated[list[CartItem], Field(max_length=200)]
    shipping_methods: Annotated[list[ChosenDelivery], Field(max_length=20)]

    @property
    def goods_money(self) -> Money:
        """All lines with tax."""
        return money_of(self.item_total, self.currency_code)

    @property
    def is_whole(self) -> bool:
        """True where the goods come to whole minor units, as they do at prices with tax."""
        return self.goods_money.amount == self.item_total

    @property
    def total_money(self) -> Money:
        """With tax and delivery."""
        return money_of(self.total, self.currency_code)

    def unit_prices(self) -> dict[str, Money]:
        """SKU -> price of one with tax, discounts taken off."""
        return {
            item.variant_sku: money_of(item.total / item.quantity, self.currency_code)
            for item in self.items
            if item.quantity > 0
        }


class OptionType(Answer):
    """The shop's own name for a kind of delivery."""

    code: Word


class ShippingOption(Answer):
    """A way of delivering a cart. `data` is whatever the shop keeps with it."""

    id: Id
    name: Word
    amount: Amount
    is_tax_inclusive: bool
    type: OptionType | None = None
    data: Any = None


class _Days(Answer):
    days_min: Days | None = None
    days_max: Days | None = None


class Order(Answer):
    """An order, as an administrator sees it."""

    id: Id
    status: Word
    fulfillment_status: Word
    currency_code: Word
    total: Amount
    created_at: Moment
    metadata: Mapping[str, Any] | None

    @property
    def is_cancelled(self) -> bool:
        """True where nothing will be sent."""
        return self.status == "canceled"

    @property
    def reference(self) -> str:
        """Ours; empty where it is none of ours."""
        return reference_of(self.metadata)

    def as_placed(self) -> PlacedOrder:
        """In the words of the port."""
        word = self.status if self.is_cancelled else self.fulfillment_status
        return PlacedOrder(
            merchant_order_number=self.id,
            reference=self.reference,
            total=money_of(self.total, self.currency_code),
            status=_STATUS.get(word, OrderStatus.OTHER),
            merchant_status=word,
            placed_at=self.created_at.astimezone(UTC),
        )


def parse(raw: bytes) -> dict[str, Any]:
    """The JSON object of an answer, with decimals as decimals; empty where it is none."""
    try:
        body = json.loads(raw, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _refuse_constant(word: str) -> object:
    raise ValueError(f"{word} is no number")


def money_of(amount: Decimal, currency: str) -> Money:
    """Major units, rounded to the currency's minor units."""
    code = currency.upper()
    if not is_currency(code):
        raise Malformed("no currency")
    return Money.rounded(amount, code)


def reference_of(metadata: Mapping[str, Any] | None) -> str:
    """Our reference on a cart or an order; empty where there is none."""
    value = (metadata or {}).get(REFERENCE, "")
    return value if isinstance(value, str) else ""


def codes_of(options: Sequence[ShippingOption]) -> dict[str, ShippingOption]:
    """Code -> option: the shop's own word where one option alone has it, else the option's id."""
    words = [option.type.code if option.type else "" for option in options]
    return {
        word if word and words.count(word) == 1 else option.id: option
        for word, option in zip(words, options, strict=True)
    }


def delivery_option(code: str, option: ShippingOption, price: Money) -> DeliveryOption:
    """In the words of the port; days only where the shop keeps them in whole numbers."""
    try:
        days = _Days.model_validate(option.data)
    except ValidationError:
        days = _Days()
    return DeliveryOption(code, option.name, price, days.days_min, days.days_max)


def quoted_line(line: QuoteLine, variant: Variant | None, in_cart: Money | None) -> QuotedLine:
    """A line as it can be bought; `in_cart` is what one costs in a cart, where it is in one."""
    if variant is None or variant.calculated_price is None:
        return QuotedLine(line.sku, line.quantity, LineStatus.UNKNOWN_SKU, None, None)
    price = in_cart or variant.calculated_price.gross
    status = LineStatus.OK if has_enough(line, variant) else LineStatus.OUT_OF_STOCK
    return QuotedLine(line.sku, line.quantity, status, price, variant.left)


def has_enough(line: QuoteLine, variant: Variant) -> bool:
    """True where the shop would take the line now."""
    return variant.left is None or variant.left >= line.quantity
