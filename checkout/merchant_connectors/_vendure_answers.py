"""What Vendure's admin API answers, checked and in the words of the port. Pure.

Amounts are whole minor units and stay integers. Raises `Malformed` where an answer cannot be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from checkout.merchant_connectors._checked_answers import Answer, Malformed
from checkout.merchant_connectors.port import (
    DeliveryOption,
    LineStatus,
    OrderStatus,
    PlacedOrder,
    QuotedLine,
    QuoteLine,
)
from kernel.errors import DomainError
from kernel.money import Money, is_currency

# Vendure counts in hundredths of every currency, of those too that have none.
_DECIMALS = 2
_STATUS = {
    "PaymentAuthorized": OrderStatus.PLACED,
    "PaymentSettled": OrderStatus.PLACED,
    "PartiallyShipped": OrderStatus.IN_PREPARATION,
    "Shipped": OrderStatus.SHIPPED,
    "PartiallyDelivered": OrderStatus.IN_PREPARATION,
    "Delivered": OrderStatus.SHIPPED,
    "Cancelled": OrderStatus.CANCELLED,
}

Id = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Word = Annotated[str, Field(max_length=255)]
Minor = Annotated[int, Field(ge=0, le=10**12)]
Count = Annotated[int, Field(ge=-(10**9), le=10**9)]
Days = Annotated[int, Field(ge=0, le=365)]


class _Answer(Answer):
    model_config = ConfigDict(alias_generator=to_camel)


class Identified(_Answer):
    """Whatever the shop knows by a number of its own."""

    id: Id


class StockLevel(_Answer):
    """One warehouse."""

    stock_on_hand: Count
    stock_allocated: Count


class Enabled(_Answer):
    """Whether the product of a variant is shown at all."""

    enabled: bool


class Variant(_Answer):
    """An article. SKUs need not be unique at Vendure: the first that is sold counts."""

    id: Id
    sku: Word
    enabled: bool
    product: Enabled
    price_with_tax: Minor
    currency_code: Word
    track_inventory: Word
    out_of_stock_threshold: Count
    use_global_out_of_stock_threshold: bool
    stock_levels: Annotated[list[StockLevel], Field(max_length=200)]

    @property
    def price(self) -> Money:
        """With tax, outside any order."""
        return money_of(self.price_with_tax, self.currency_code)

    @property
    def counted(self) -> int | None:
        """How many are left by the shop's books; None where it keeps none."""
        if self.track_inventory == "FALSE" or not self.stock_levels:
            return None
        left = sum(level.stock_on_hand - level.stock_allocated for level in self.stock_levels)
        return left - (0 if self.use_global_out_of_stock_threshold else self.out_of_stock_threshold)


class Sku(_Answer):
    """The article of a line."""

    sku: Word


class OrderLine(_Answer):
    """A line of an order, with the price that the shop counts for it."""

    id: Id
    quantity: Count
    discounted_unit_price_with_tax: Minor
    product_variant: Sku


class Payment(_Answer):
    """What was paid; it stays when an order is cancelled and its total becomes nothing."""

    amount: Minor


class References(_Answer):
    """The one custom field that the shop keeps for us."""

    external_ref: Annotated[str, Field(max_length=255)] | None


class Order(_Answer):
    """An order in any state, drafts among them."""

    id: Id
    code: Id
    state: Word
    currency_code: Word
    sub_total_with_tax: Minor
    total_with_tax: Minor
    order_placed_at: Annotated[datetime, Field(strict=False)] | None
    custom_fields: References
    lines: Annotated[list[OrderLine], Field(max_length=200)]
    payments: Annotated[list[Payment], Field(max_length=200)] | None = None

    @property
    def is_placed(self) -> bool:
        """True from the payment on, and for good; a draft can be cancelled without it."""
        return self.order_placed_at is not None

    @property
    def is_cancelled(self) -> bool:
        """True where nothing will be sent."""
        return self.state == "Cancelled"

    @property
    def has_left(self) -> bool:
        """True where a part of it at least is on its way."""
        return self.state.endswith(("Shipped", "Delivered"))

    @property
    def reference(self) -> str:
        """Ours; empty where it was never set."""
        return self.custom_fields.external_ref or ""

    @property
    def goods(self) -> Money:
        """All lines with tax."""
        return money_of(self.sub_total_with_tax, self.currency_code)

    @property
    def total(self) -> Money:
        """With tax and delivery."""
        return money_of(self.total_with_tax, self.currency_code)

    def unit_prices(self) -> Mapping[str, Money]:
        """SKU -> price of one, with tax."""
        return {
            line.product_variant.sku: money_of(
                line.discounted_unit_price_with_tax, self.currency_code
            )
            for line in self.lines
        }

    def as_placed(self) -> PlacedOrder:
        """In the words of the port. A cancelled order keeps the total that was paid."""
        if self.order_placed_at is None:
            raise Malformed("the order has no date")
        total = self.total
        if self.is_cancelled and self.payments:
            total = money_of(sum(payment.amount for payment in self.payments), self.currency_code)
        return PlacedOrder(
            merchant_order_number=self.code,
            reference=self.reference,
            total=total,
            status=_STATUS.get(self.state, OrderStatus.OTHER),
            merchant_status=self.state,
            placed_at=self.order_placed_at.astimezone(UTC),
        )


class _Days(_Answer):
    days_min: Days | None = None
    days_max: Days | None = None


class ShippingMethod(_Answer):
    """A way of delivering an order. `metadata` is whatever the shop's calculator adds."""

    id: Id
    code: Word
    name: Word
    price_with_tax: Minor
    metadata: Any = None

    def as_option(self, currency: str) -> DeliveryOption:
        """In the words of the port; days only where the shop says them in whole numbers."""
        try:
            days = _Days.model_validate(self.metadata)
        except ValidationError:
            days = _Days()
        price = money_of(self.price_with_tax, currency)
        return DeliveryOption(self.code, self.name, price, days.days_min, days.days_max)


class Added(_Answer):
    """What became of an article put into a draft."""

    quantity_available: Count | None = None
    error_code: Word | None = None
    message: Annotated[str, Field(max_length=2000)] = ""


def money_of(minor: int, currency: str) -> Money:
    """Hundredths of a unit as the currency counts them."""
    if not is_currency(currency):
        raise Malformed("no currency")
    try:
        return Money.of(Decimal(minor).scaleb(-_DECIMALS), currency)
    except DomainError as error:
        raise Malformed(f"{minor} hundredths are no amount of {currency}") from error


def quoted_line(
    line: QuoteLine, variant: Variant | None, short: int | None, price: Money | None
) -> QuotedLine:
    """A line as it can be bought. `short`: how many the shop would sell where those are too few;
    `price`: what one costs in the order, where it could be put there.
    """
    if variant is None:
        return QuotedLine(line.sku, line.quantity, LineStatus.UNKNOWN_SKU, None, None)
    if short is not None:
        unit, left = price or variant.price, max(short, 0)
        return QuotedLine(line.sku, line.quantity, LineStatus.OUT_OF_STOCK, unit, left)
    counted = variant.counted
    # The shop took the line: a book that says less is not what the shop goes by.
    left_over = counted if counted is not None and counted >= line.quantity else None
    return QuotedLine(line.sku, line.quantity, LineStatus.OK, price or variant.price, left_over)
