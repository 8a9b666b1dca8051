"""The contract with a merchant's own system: quote, prepare, place, find, status, cancel.

Outcomes: a return value is done; `Refused` is a no; `NoAnswer` changed nothing; `OutcomeUnknown`
must be looked up with `find` before anything else. A handle makes at most one order, however often
`place` is called with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from kernel.money import Money


class LineStatus(StrEnum):
    """Whether a line can be bought as asked."""

    OK = "ok"
    OUT_OF_STOCK = "out_of_stock"  # fewer than asked: `available` says how many
    UNKNOWN_SKU = "unknown_sku"


class OrderStatus(StrEnum):
    """Where the order stands at the merchant."""

    PLACED = "placed"
    IN_PREPARATION = "in_preparation"
    SHIPPED = "shipped"  # all of it
    CANCELLED = "cancelled"
    OTHER = "other"  # a word of the merchant's that we do not know: see `merchant_status`


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """What is wanted: the merchant's own number of the article, and how many."""

    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to, as far as a price needs it. `country` is ISO 3166-1 alpha-2."""

    country: str
    postcode: str
    city: str


@dataclass(frozen=True, slots=True)
class QuotedLine:
    """One line as the merchant would sell it now. `unit_price` includes VAT.

    `available` is None where the merchant does not count.
    """

    sku: str
    quantity: int
    status: LineStatus
    unit_price: Money | None
    available: int | None


@dataclass(frozen=True, slots=True)
class DeliveryOption:
    """One way of delivering all the lines, with its price including VAT."""

    code: str
    name: str
    price: Money
    days_min: int | None
    days_max: int | None


@dataclass(frozen=True, slots=True)
class MerchantQuote:
    """A live quote. `goods_total` counts the lines that are OK and is None where none is.

    Without delivery options nothing can be delivered to the destination.
    """

    lines: tuple[QuotedLine, ...]
    goods_total: Money | None
    delivery: tuple[DeliveryOption, ...]

    @property
    def is_orderable(self) -> bool:
        """True where every line is OK and can be delivered."""
        return bool(self.delivery) and all(line.status is LineStatus.OK for line in self.lines)

    def total(self, delivery_code: str) -> Money | None:
        """Goods and one way of delivery; None where there is no such way or nothing to buy."""
        for option in self.delivery:
            if option.code == delivery_code and self.goods_total is not None:
                return self.goods_total + option.price
        return None


@dataclass(frozen=True, slots=True)
class DeliveryAddress:
    """Who receives the goods, and where."""

    name: str
    line1: str
    postcode: str
    city: str
    country: str
    line2: str = ""


@dataclass(frozen=True, slots=True)
class Buyer:
    """How the merchant reaches the buyer."""

    email: str
    phone: str = ""


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """An order to place. `reference` is ours and unique; `expected_total` was confirmed."""

    reference: str
    lines: tuple[QuoteLine, ...]
    address: DeliveryAddress
    buyer: Buyer
    delivery_code: str
    expected_total: Money


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """An order that exists at the merchant. `merchant_status` is the merchant's own word.

    `placed_at` is None where the merchant's system does not say.
    """

    merchant_order_number: str
    reference: str
    total: Money
    status: OrderStatus
    merchant_status: str
    placed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a system can do beyond taking an order. Buyers are offered nothing that it cannot do.

    A connector's module says it as `CAPABILITIES`; one that says nothing can do all of this, but
    report shipment, on which money would wait: `find` answers SHIPPED once all of it has left.
    """

    cancels_orders: bool = True
    counts_stock: bool = True
    finds_by_number: bool = True  # else an order is known by the handle that it was made from
    reports_shipment: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """A message that a merchant sent to us: the request as it came. `url` is our public address."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True)
class OrderNotice:
    """A verified notice: something changed about one order of the merchant. A hint, no more.

    The order is named by its number or by the handle that it was made from.
    """

    event_id: str
    merchant_order_number: str
    handle: str


@runtime_checkable
class SendsNotices(Protocol):
    """A connector to a system that tells us of changes by itself."""

    def verify_notice(self, notice: Notice) -> OrderNotice:
        """Check who sent it and when. Raises Refused (`webhook_*`), or NoAnswer: ask again."""
        ...


@runtime_checkable
class PreparesHandoff(Protocol):
    """A connector to a system where a purchase can be prepared and finished by the buyer."""

    def hand_off(self, lines: Sequence[QuoteLine]) -> str:
        """The merchant's page on which the buyer finishes. Raises Refused or NoAnswer."""
        ...


class MerchantConnector(Protocol):
    """One merchant's system. Implementations are safe to share between threads."""

    def quote(self, lines: Sequence[QuoteLine], destination: Destination) -> MerchantQuote:
        """Live prices, stock and delivery. Raises Refused or NoAnswer; changes nothing."""
        ...

    def prepare(self, order: OrderRequest) -> str:
        """Make what the order grows from, and return its handle, to be recorded before `place`.

        Makes no order. Raises Refused (`out_of_stock`, `unknown_sku`, `not_delivered`,
        `total_changed`, `address_refused`, `too_many`) or NoAnswer.
        """
        ...

    def place(self, order: OrderRequest, handle: str) -> PlacedOrder:
        """Make the order, for exactly the expected total. The same handle gives the same order.

        Raises Refused (`total_changed`, `order_refused`), HandoffNeeded where the merchant wants
        the buyer to finish with it, NoAnswer or OutcomeUnknown.
        """
        ...

    def find(self, reference: str, handle: str) -> PlacedOrder | None:
        """The order made from a handle. None only where the merchant says that there is none.

        Raises NoAnswer where the merchant does not say. A None is final only while no `place` is
        under way; calling `place` again with the same handle is always safe.
        """
        ...

    def status(self, merchant_order_number: str) -> PlacedOrder:
        """The order now. Raises Refused (`order_unknown`, `not_supported`) or NoAnswer."""
        ...

    def cancel(self, merchant_order_number: str, reason: str) -> PlacedOrder:
        """Cancel; cancelling again gives the same answer.

        Raises Refused (`too_late`, `order_unknown`, `not_supported`), NoAnswer or OutcomeUnknown.
        """
        ...
