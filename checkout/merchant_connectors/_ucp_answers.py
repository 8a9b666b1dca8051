"""UCP sessions and orders as merchants answer them, in the words of the port.

Pure. Every field that is used is checked, every list is bounded; `Malformed` where it cannot be
read. What a merchant adds is ignored, as the protocol wants it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, Field

from checkout.merchant_connectors._checked_answers import Malformed, read
from checkout.merchant_connectors._session_fields import (
    AnySession,
    Count,
    Identifier,
    Price,
    Text,
    Totals,
    WebAddress,
    days_until,
    total_of,
)
from checkout.merchant_connectors._ucp_profiles import HANDLER
from checkout.merchant_connectors.port import (
    DeliveryOption,
    OrderStatus,
    PlacedOrder,
)

REFERENCE = "comptoir_reference"
_LINE_PATH = re.compile(r"\$\.line_items\[(\d{1,3})\]")


class Item(BaseModel):
    """An article."""

    id: Identifier
    price: Price


class Line(BaseModel):
    """A line of a session."""

    id: Identifier
    item: Item
    quantity: Count


class Option(BaseModel):
    """A way of delivery."""

    id: Identifier
    title: Text
    totals: Totals
    earliest_fulfillment_time: AwareDatetime | None = None
    latest_fulfillment_time: AwareDatetime | None = None


class Group(BaseModel):
    """What is sent together."""

    id: Identifier
    options: Annotated[list[Option], Field(max_length=50)] = []


class Place(BaseModel):
    """Where to."""

    id: Identifier


class Method(BaseModel):
    """Shipping, pick-up and the like."""

    id: Identifier
    type: Text
    destinations: Annotated[list[Place], Field(max_length=20)] = []
    groups: Annotated[list[Group], Field(max_length=20)] = []


class Fulfillment(BaseModel):
    """How the lines get to the buyer."""

    methods: Annotated[list[Method], Field(max_length=20)] = []


class Message(BaseModel):
    """A remark of the merchant's."""

    type: Text
    code: Text = ""
    path: Text = ""
    content: Text = ""
    severity: Text = ""

    @property
    def line(self) -> int | None:
        """The line that it is about."""
        found = _LINE_PATH.match(self.path)
        return int(found[1]) if found else None


Messages = Annotated[list[Message], Field(max_length=200)]


class OrderName(BaseModel):
    """The order that a completed session made."""

    id: Identifier


class Handler(BaseModel):
    """A way to pay."""

    id: Identifier


class Envelope(BaseModel):
    """The protocol's own part of an answer."""

    status: Text = "success"
    payment_handlers: Annotated[dict[str, list[Handler]], Field(max_length=50)] = {}


class Checkout(AnySession):
    """A checkout session as the merchant has it."""

    ucp: Envelope
    line_items: Annotated[list[Line], Field(max_length=200)]
    messages: Messages = Field(default_factory=list)
    order: OrderName | None = None
    fulfillment: Fulfillment | None = None
    attribution: dict[str, Text] = Field(default_factory=dict)

    @property
    def errors(self) -> list[Message]:
        """What keeps the session from being completed."""
        return [message for message in self.messages if message.type == "error"]

    @property
    def handler(self) -> str | None:
        """The merchant's id of the handler by which we pay; None where it has none."""
        offered = self.ucp.payment_handlers.get(HANDLER, [])
        return offered[0].id if offered else None

    def delivery(self, now: datetime) -> tuple[DeliveryOption, ...]:
        """See `AnySession`."""
        method = self._shipping()
        if method is None:
            return ()
        return tuple(
            DeliveryOption(
                code=option.id,
                name=option.title,
                price=total_of(option.totals, self.currency),
                days_min=days_until(option.earliest_fulfillment_time, now),
                days_max=days_until(option.latest_fulfillment_time, now),
            )
            for option in method.groups[0].options
        )

    def _shipping(self) -> Method | None:
        """The one method with one group: several parcels with choices of their own are not ours."""
        methods = self.fulfillment.methods if self.fulfillment else []
        if len(methods) != 1 or methods[0].type != "shipping" or len(methods[0].groups) != 1:
            return None
        return methods[0]

    def choice(self, code: str) -> dict[str, Any]:
        """The fulfilment to send for a way of delivery that was offered."""
        method = self._shipping()
        if method is None:
            raise Malformed("it offers no delivery")
        group = {"id": method.groups[0].id, "selected_option_id": code}
        chosen: dict[str, Any] = {
            "id": method.id,
            "type": method.type,
            "line_item_ids": [line.id for line in self.line_items],
            "groups": [group],
        }
        if method.destinations:
            chosen["selected_destination_id"] = method.destinations[0].id
        return {"methods": [chosen]}


class Refusal(BaseModel):
    """An answer without a session."""

    ucp: Envelope
    messages: Annotated[list[Message], Field(min_length=1, max_length=200)]
    continue_url: WebAddress | None = None

    @property
    def errors(self) -> list[Message]:
        """Why there is none."""
        return [message for message in self.messages if message.type == "error"]


class Counted(BaseModel):
    """How many of a line are ordered now, and how many have left."""

    total: Count
    fulfilled: Count


class OrderLine(BaseModel):
    """A line of an order."""

    quantity: Counted


class Event(BaseModel):
    """Something that happened to a parcel."""

    type: Text
    occurred_at: AwareDatetime


class Delivered(BaseModel):
    """What has happened so far."""

    events: Annotated[list[Event], Field(max_length=500)] = []


class Order(BaseModel):
    """An order as the merchant has it."""

    id: Identifier
    checkout_id: Identifier
    currency: Annotated[str, Field(max_length=3)]
    totals: Totals
    line_items: Annotated[list[OrderLine], Field(min_length=1, max_length=200)]
    fulfillment: Delivered
    attribution: dict[str, Text] = {}

    def placed(self, reference: str) -> PlacedOrder:
        """In the words of the port; `reference` where the merchant does not repeat it."""
        status, word = self._status()
        return PlacedOrder(
            merchant_order_number=self.id,
            reference=self.attribution.get(REFERENCE, reference),
            total=total_of(self.totals, self.currency),
            status=status,
            merchant_status=word,
        )

    def _status(self) -> tuple[OrderStatus, str]:
        """UCP has no word for a whole order: it follows from its lines and parcels."""
        fulfilled = sum(line.quantity.fulfilled for line in self.line_items)
        wanted = sum(line.quantity.total for line in self.line_items)
        happened = [event.type for event in self.fulfillment.events]
        word = happened[-1] if happened else "accepted"
        if wanted == 0:
            return (OrderStatus.OTHER, word) if fulfilled else (OrderStatus.CANCELLED, "canceled")
        if fulfilled >= wanted:
            return OrderStatus.SHIPPED, word
        return (OrderStatus.IN_PREPARATION if happened else OrderStatus.PLACED), word


def read_checkout(body: Any) -> Checkout | Refusal:
    """A session, or why there is none."""
    envelope = body.get("ucp") if isinstance(body, dict) else None
    is_error = isinstance(envelope, dict) and envelope.get("status") == "error"
    if is_error:
        return read(Refusal, body)
    session = read(Checkout, body)
    session.check(datetime.now(UTC))
    return session


def read_order(body: Any) -> Order:
    """An order."""
    return read(Order, body)
