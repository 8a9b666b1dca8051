"""Sessions and orders as ACP writes them, and what ACP requests want. Pure.

ACP's request lines have no quantity: an article wanted three times is named three times.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, Field

from comptoir.protocol_merchant.shop import LIFETIME, Bill, Priced, Sale, Session, Wanted, Way
from comptoir.protocol_merchant.ucp_messages import HANDLER, HANDLER_ID

VERSION = "2026-04-17"
REFERENCE = "client_reference_id"
_STATUS = {"accepted": "created", "processing": "processing", "shipped": "shipped"}
_SAID = {
    "address_missing": ("missing", "Where is it to be sent?", "$.fulfillment_details.address"),
    "address_wrong": (
        "invalid",
        "The postcode is too long.",
        "$.fulfillment_details.address.postal_code",
    ),
    "not_delivered": (
        "region_restricted",
        "Nothing is delivered there.",
        "$.fulfillment_details.address",
    ),
    "way_missing": ("missing", "How is it to be sent?", "$.selected_fulfillment_options"),
}

Text = Annotated[str, Field(max_length=300)]


class _Item(BaseModel):
    id: Text


class _Address(BaseModel):
    name: Text
    line_one: Text
    line_two: Text = ""
    city: Text
    state: Text
    country: Text
    postal_code: Text


class _Details(BaseModel):
    name: Text = ""
    email: Text = ""
    phone_number: Text = ""
    address: _Address | None = None


class _Selected(BaseModel):
    type: Text
    option_id: Text


Items = Annotated[list[_Item], Field(max_length=1000)]


class SessionRequest(BaseModel):
    """A session to be made or changed; what is left out stays as it is."""

    line_items: Items | None = None
    fulfillment_details: _Details | None = None
    selected_fulfillment_options: Annotated[list[_Selected], Field(max_length=5)] | None = None
    metadata: dict[str, Any] = {}

    def wanted(self, before: Wanted) -> Wanted:
        """As a wish."""
        after = before
        if self.line_items is not None:
            counted = Counter(item.id for item in self.line_items)
            after = replace(after, lines=tuple(counted.items()))
        if self.fulfillment_details is not None:
            details = self.fulfillment_details
            buyer = {"email": details.email, "name": details.name, "phone": details.phone_number}
            after = replace(after, buyer=buyer, address=_plain(details.address))
        if self.selected_fulfillment_options:
            after = replace(after, delivery=self.selected_fulfillment_options[0].option_id)
        if REFERENCE in self.metadata:
            reference = str(self.metadata[REFERENCE])[:300]
            after = replace(after, attribution={REFERENCE: reference})
        return after


class _Credential(BaseModel):
    type: Text
    token: Annotated[str, Field(min_length=1, max_length=300)]


class _Instrument(BaseModel):
    type: Text
    credential: _Credential


class _PaymentData(BaseModel):
    handler_id: Text = ""
    instrument: _Instrument | None = None


class CompleteRequest(BaseModel):
    """A completion."""

    payment_data: _PaymentData

    @property
    def reference(self) -> str | None:
        """The reference of the authorisation; None where it is paid in another way."""
        data = self.payment_data
        is_ours = data.handler_id == HANDLER_ID and data.instrument is not None
        return data.instrument.credential.token if is_ours and data.instrument else None


def _plain(address: _Address | None) -> dict[str, str]:
    if address is None:
        return {}
    return {
        "name": address.name,
        "line1": address.line_one,
        "line2": address.line_two,
        "postcode": address.postal_code,
        "city": address.city,
        "country": address.country,
    }


def session_json(
    session: Session, bill: Bill, base: str, *, sale: Sale | None, hands_off: bool
) -> dict[str, Any]:
    """A session, with its order once there is one."""
    answer: dict[str, Any] = {
        "id": session.id,
        "protocol": {"version": VERSION},
        "capabilities": {"payment": {"handlers": [_handler(base)]}},
        "status": _status(session, bill, hands_off=hands_off),
        "currency": bill.currency.lower(),
        "line_items": [_line(number, line) for number, line in enumerate(bill.lines)],
        "fulfillment_options": [_option(way) for way in bill.ways],
        "totals": _totals(bill),
        "messages": _messages(bill) if session.status == "open" else [],
        "links": [{"type": "terms_of_use", "url": f"{base}/terms", "title": "Terms of sale"}],
        "created_at": session.created_at.isoformat(),
        "expires_at": (session.created_at + LIFETIME).isoformat(),
        "continue_url": f"{base}/continue/{session.id}",
        "metadata": dict(session.wanted.attribution),
    }
    if session.wanted.address:
        answer["fulfillment_details"] = _details(session.wanted)
    if bill.way is not None:
        items = [line.sku for line in bill.lines]
        answer["selected_fulfillment_options"] = [
            {"type": "shipping", "option_id": bill.way.code, "item_ids": items}
        ]
    if sale is not None:
        answer["order"] = order_json(sale, base)
    return answer


def _status(session: Session, bill: Bill, *, hands_off: bool) -> str:
    if session.status != "open":
        return session.status
    if hands_off:
        return "requires_escalation"
    return "not_ready_for_payment" if bill.problems else "ready_for_payment"


def _messages(bill: Bill) -> list[dict[str, str]]:
    short = [
        ("out_of_stock", f"Only {line.stock} of {line.title} left.", f"$.line_items[{number}]")
        for number, line in enumerate(bill.lines)
        if line.is_short
    ]
    said = short + [_SAID[problem] for problem in bill.problems if problem in _SAID]
    return [
        {"type": "error", "code": code, "content_type": "plain", "content": text, "param": param}
        for code, text, param in said
    ]


def _handler(base: str) -> dict[str, Any]:
    return {
        "id": HANDLER_ID,
        "name": HANDLER,
        "version": VERSION,
        "spec": f"{base}/terms",
        "requires_delegate_payment": False,
        "requires_pci_compliance": False,
        "psp": "any",
        "config_schema": f"{base}/terms",
        "instrument_schemas": [f"{base}/terms"],
        "config": {},
    }


def _line(number: int, line: Priced) -> dict[str, Any]:
    return {
        "id": f"line_{number}",
        "item": {"id": line.sku, "name": line.title, "unit_amount": line.price},
        "quantity": line.quantity,
        "name": line.title,
        "unit_amount": line.price,
        "available_quantity": line.stock,
        "availability_status": "out_of_stock" if line.is_short else "in_stock",
        "totals": [_total("total", "Total", line.price * line.quantity)],
    }


def _total(kind: str, text: str, amount: int) -> dict[str, Any]:
    return {"type": kind, "display_text": text, "amount": amount}


def _totals(bill: Bill) -> list[dict[str, Any]]:
    way = [_total("fulfillment", bill.way.title, bill.way.price)] if bill.way else []
    goods = _total("subtotal", "Goods", bill.goods)
    return [goods, *way, _total("total", "Total", bill.total)]


def _option(way: Way) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "type": "shipping",
        "id": way.code,
        "title": way.title,
        "earliest_delivery_time": (now + timedelta(days=way.days[0])).isoformat(),
        "latest_delivery_time": (now + timedelta(days=way.days[1])).isoformat(),
        "totals": [_total("total", way.title, way.price)],
    }


def _details(wanted: Wanted) -> dict[str, Any]:
    details: dict[str, Any] = {"address": _address(wanted.address)}
    names = {"name": "name", "email": "email", "phone_number": "phone"}
    return details | {
        theirs: wanted.buyer[ours] for theirs, ours in names.items() if wanted.buyer.get(ours)
    }


def _address(address: Mapping[str, str]) -> dict[str, str]:
    names = {"name": "name", "line_one": "line1", "city": "city", "country": "country"}
    written = {theirs: address.get(ours, "") for theirs, ours in names.items()}
    return written | {"state": "", "postal_code": address.get("postcode", "")}


def order_json(sale: Sale, base: str) -> dict[str, Any]:
    """An order, whole, as it is now."""
    answer: dict[str, Any] = {
        "type": "order",
        "id": sale.id,
        "checkout_session_id": sale.session_id,
        "permalink_url": f"{base}/order/{sale.session_id}",
        "status": _STATUS.get(sale.status, sale.status),
        "line_items": [
            _order_line(sale, number, line) for number, line in enumerate(sale.bill.lines)
        ],
        "totals": _totals(sale.bill),
    }
    if REFERENCE in sale.wanted.attribution:
        answer[REFERENCE] = sale.wanted.attribution[REFERENCE]
    return answer


def _order_line(sale: Sale, number: int, line: Priced) -> dict[str, Any]:
    current = 0 if sale.status == "canceled" else line.quantity
    fulfilled = line.quantity if sale.status == "shipped" else 0
    return {
        "id": f"line_{number}",
        "title": line.title,
        "quantity": {"ordered": line.quantity, "current": current, "fulfilled": fulfilled},
        "unit_price": line.price,
        "subtotal": line.price * line.quantity,
    }


def event_json(sale: Sale, base: str) -> dict[str, Any]:
    """The notice of an order."""
    kind = "order_update" if sale.events else "order_create"
    return {"type": kind, "data": order_json(sale, base)}
