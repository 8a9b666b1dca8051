"""ACP sessions and orders: what we send, and what merchants answer in the words of the port. Pure.

A request's lines have no quantity in ACP: an article wanted three times is named three times.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
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
    days_until,
    money_of,
    total_of,
)
from checkout.merchant_connectors._sessions import missing_line
from checkout.merchant_connectors._ucp_profiles import CREDENTIAL, HANDLER, INSTRUMENT
from checkout.merchant_connectors.port import (
    DeliveryOption,
    LineStatus,
    OrderRequest,
    OrderStatus,
    PlacedOrder,
    QuotedLine,
    QuoteLine,
)
from checkout.outcomes import HandoffNeeded, Refused

MOST_PIECES = 200
REFERENCE = "client_reference_id"
_LINE_PARAM = re.compile(r"\$\.line_items\[(\d{1,3})\]")
_BUYERS_WORK = {"requires_buyer_input", "requires_buyer_review"}
_BUYERS_STATES = {"requires_escalation", "authentication_required"}
_SHORT = {"out_of_stock", "low_stock", "quantity_exceeded"}
_REFUSALS = {
    **dict.fromkeys(_SHORT, "out_of_stock"),
    "not_found": "unknown_sku",
    "region_restricted": "not_delivered",
}
_ORDER_STATUS = {
    "created": OrderStatus.PLACED,
    "confirmed": OrderStatus.PLACED,
    "manual_review": OrderStatus.PLACED,
    "processing": OrderStatus.IN_PREPARATION,
    "shipped": OrderStatus.SHIPPED,
    "completed": OrderStatus.SHIPPED,
    "canceled": OrderStatus.CANCELLED,
}


class Item(BaseModel):
    """An article."""

    id: Identifier


class Line(BaseModel):
    """A line of a session."""

    item: Item
    quantity: Count
    unit_amount: Price
    available_quantity: Count | None = None
    availability_status: Text = ""


class Option(BaseModel):
    """A way of delivery."""

    type: Text
    id: Identifier
    title: Text
    totals: Totals
    earliest_delivery_time: AwareDatetime | None = None
    latest_delivery_time: AwareDatetime | None = None


class Message(BaseModel):
    """A remark of the merchant's."""

    type: Text
    code: Text = ""
    param: Text = ""
    content: Text = ""
    resolution: Text = ""


class Handler(BaseModel):
    """A way to pay."""

    id: Identifier
    name: Text


class PaymentOffer(BaseModel):
    """The ways to pay."""

    handlers: Annotated[list[Handler], Field(max_length=50)] = []


class Offered(BaseModel):
    """What was agreed on between the two sides."""

    payment: PaymentOffer = PaymentOffer()


class Order(BaseModel):
    """An order as the merchant has it."""

    id: Identifier
    checkout_session_id: Identifier
    client_reference_id: Text | None = None
    status: Text = "created"
    totals: Totals = []


class Session(AnySession):
    """A checkout session as the merchant has it."""

    line_items: Annotated[list[Line], Field(max_length=200)]
    fulfillment_options: Annotated[list[Option], Field(max_length=50)]
    messages: Annotated[list[Message], Field(max_length=200)]
    capabilities: Offered
    metadata: dict[str, Any] = Field(default_factory=dict)
    order: Order | None = None

    @property
    def errors(self) -> list[Message]:
        """What keeps the session from being completed."""
        return [message for message in self.messages if message.type == "error"]

    @property
    def handler(self) -> str | None:
        """The merchant's id of the handler by which we pay; None where it has none."""
        offered = self.capabilities.payment.handlers
        return next((each.id for each in offered if each.name == HANDLER), None)

    @property
    def reference(self) -> str | None:
        """Ours, as the merchant repeats it; None where it does not."""
        if self.order is not None and self.order.client_reference_id is not None:
            return self.order.client_reference_id
        repeated = self.metadata.get(REFERENCE)
        return repeated if isinstance(repeated, str) else None

    def delivery(self, now: datetime) -> tuple[DeliveryOption, ...]:
        """See `AnySession`."""
        return tuple(
            DeliveryOption(
                code=option.id,
                name=option.title,
                price=total_of(option.totals, self.currency),
                days_min=days_until(option.earliest_delivery_time, now),
                days_max=days_until(option.latest_delivery_time, now),
            )
            for option in self.fulfillment_options
            if option.type == "shipping"
        )

    def placed(self, reference: str) -> PlacedOrder:
        """The order of a completed session; `reference` where the merchant does not repeat it."""
        if self.order is None:
            raise Malformed("a completed session without an order")
        return PlacedOrder(
            merchant_order_number=self.order.id,
            reference=self.reference or reference,
            total=total_of(self.order.totals or self.totals, self.currency),
            status=_ORDER_STATUS.get(self.order.status, OrderStatus.OTHER),
            merchant_status=self.order.status,
        )


class Refusal(BaseModel):
    """An answer without a session."""

    code: Text
    message: Text = ""
    param: Text = ""


class _OrderEvent(BaseModel):
    data: Order


def read_session(body: Any) -> Session:
    """A session."""
    session = read(Session, body)
    session.check(datetime.now(UTC))
    return session


def read_refusal(body: Any) -> Refusal:
    """Why there is no session; an answer that does not say stands for itself."""
    try:
        return read(Refusal, body)
    except Malformed:
        return Refusal(code="")


def read_event(body: Any) -> Order:
    """The order that a notice is about."""
    return read(_OrderEvent, body).data


def line_of(param: str) -> int | None:
    """The number of the line that a remark is about."""
    found = _LINE_PARAM.match(param)
    return int(found[1]) if found else None


def lines_of(session: Session, wanted: Sequence[QuoteLine]) -> dict[str, QuotedLine]:
    """What the session says of each line that was asked for."""
    short = {line_of(message.param) for message in session.errors if message.code in _SHORT}
    sold = {line.item.id: (index, line) for index, line in enumerate(session.line_items)}
    found = {}
    for line in wanted:
        if line.sku not in sold:
            found[line.sku] = missing_line(line)
            continue
        index, theirs = sold[line.sku]
        left = theirs.available_quantity
        is_short = index in short or theirs.availability_status == "out_of_stock"
        is_cut = theirs.quantity < line.quantity or (left is not None and left < line.quantity)
        status = LineStatus.OUT_OF_STOCK if is_short or is_cut else LineStatus.OK
        price = money_of(theirs.unit_amount, session.currency)
        found[line.sku] = QuotedLine(line.sku, line.quantity, status, price, left)
    return found


def refusal_of(session: Session) -> Refused:
    """Why a session cannot be completed, in our words; the buyer may have to go there."""
    for message in session.errors:
        if message.code in _REFUSALS:
            return Refused(_REFUSALS[message.code], message.content[:300] or message.code)
    said = session.errors[0].content[:300] if session.errors else ""
    is_for_buyer = any(message.resolution in _BUYERS_WORK for message in session.errors)
    if session.continue_url and (session.status in _BUYERS_STATES or is_for_buyer):
        return HandoffNeeded(said or "The shop finishes this order itself.", session.continue_url)
    if any(message.param.startswith("$.fulfillment_details") for message in session.errors):
        return Refused("address_refused", said or "The address is refused.")
    return Refused("order_refused", f"The shop refused the order: {said or session.status}.")


def items(lines: Sequence[QuoteLine]) -> list[dict[str, str]]:
    """Lines as they are asked for. Refused where they are too many pieces to be named."""
    if sum(line.quantity for line in lines) > MOST_PIECES:
        raise Refused("too_many", f"An order has at most {MOST_PIECES} pieces at this shop.")
    return [{"id": line.sku} for line in lines for _piece in range(line.quantity)]


def details(order: OrderRequest) -> dict[str, Any]:
    """Who gets it, and where."""
    address, phone = order.address, re.sub(r"[ ().-]", "", order.buyer.phone)
    written = {
        "name": address.name,
        "email": order.buyer.email,
        "address": {
            "name": address.name,
            "line_one": address.line1,
            **({"line_two": address.line2} if address.line2 else {}),
            "city": address.city,
            "state": "",  # demanded by the schema, and unknown to most countries' addresses
            "country": address.country,
            "postal_code": address.postcode,
        },
    }
    is_e164 = re.fullmatch(r"\+[1-9][0-9]{6,14}", phone)
    return written | ({"phone_number": phone} if is_e164 else {})


def payment_data(handler: str, reference: str) -> dict[str, Any]:
    """The authorisation by its reference, and nothing secret."""
    credential = {"type": CREDENTIAL, "token": reference}
    return {"handler_id": handler, "instrument": {"type": INSTRUMENT, "credential": credential}}
