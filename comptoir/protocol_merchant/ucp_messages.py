"""Sessions and orders as UCP writes them, and what UCP requests want. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, Field

from comptoir.protocol_merchant.shop import LIFETIME, Bill, Priced, Sale, Session, Wanted, Way

NEWEST, OLDER = "2026-08-25", "2026-04-08"
HANDLER = "example.comptoir.authorisation"
HANDLER_ID = "authorised_before"
_DESTINATION, _METHOD, _GROUP = "dest_1", "shipping_1", "parcel_1"
_PLACE = "$.fulfillment.methods[0].destinations[0]"
_SAID = {
    "address_missing": ("missing", "Where is it to be sent?", "$.fulfillment"),
    "address_wrong": ("invalid_address", "The postcode is too long.", f"{_PLACE}.postal_code"),
    "not_delivered": ("address_undeliverable", "Nothing is delivered there.", _PLACE),
    "way_missing": (
        "missing",
        "How is it to be sent?",
        "$.fulfillment.methods[0].groups[0].selected_option_id",
    ),
}

Text = Annotated[str, Field(max_length=300)]


class _Item(BaseModel):
    id: Text


class _Line(BaseModel):
    item: _Item
    quantity: Annotated[int, Field(strict=True, ge=1, le=10_000)]


class _Group(BaseModel):
    selected_option_id: Text | None = None


class _Destination(BaseModel):
    first_name: Text = ""
    last_name: Text = ""
    street_address: Text = ""
    extended_address: Text = ""
    postal_code: Text = ""
    address_locality: Text = ""
    address_country: Text = ""


class _Method(BaseModel):
    type: Text = "shipping"
    destinations: Annotated[list[_Destination], Field(max_length=5)] = []
    selected_destination_id: Text | None = None
    groups: Annotated[list[_Group], Field(max_length=5)] = []


class _Fulfillment(BaseModel):
    methods: Annotated[list[_Method], Field(max_length=1)] = []


class CheckoutRequest(BaseModel):
    """A session to be made, or all of it to be replaced."""

    line_items: Annotated[list[_Line], Field(min_length=1, max_length=100)]
    buyer: dict[str, Text] = {}
    fulfillment: _Fulfillment = _Fulfillment()
    attribution: Annotated[dict[str, Text], Field(max_length=50)] = {}

    def wanted(self, before: Wanted | None) -> Wanted:
        """As a wish. An address that was given before is meant by its id."""
        method = self.fulfillment.methods[0] if self.fulfillment.methods else _Method()
        address: Mapping[str, str] = {}
        if method.destinations:
            address = _plain(method.destinations[0])
        elif before is not None and method.selected_destination_id == _DESTINATION:
            address = before.address
        return Wanted(
            lines=tuple((line.item.id, line.quantity) for line in self.line_items),
            buyer=self.buyer,
            address=address,
            delivery=method.groups[0].selected_option_id if method.groups else None,
            attribution=self.attribution,
        )


class _Credential(BaseModel):
    type: Text
    token: Annotated[str, Field(min_length=1, max_length=300)]


class _Instrument(BaseModel):
    handler_id: Text
    type: Text
    selected: bool = False
    credential: _Credential | None = None


class _Payment(BaseModel):
    instruments: Annotated[list[_Instrument], Field(max_length=5)] = []


class CompleteRequest(BaseModel):
    """A completion."""

    payment: _Payment

    @property
    def reference(self) -> str | None:
        """The reference of the authorisation; None where it is paid in another way."""
        for each in self.payment.instruments:
            if each.selected and each.handler_id == HANDLER_ID and each.credential:
                return each.credential.token
        return None


def _plain(place: _Destination) -> dict[str, str]:
    return {
        "name": f"{place.first_name} {place.last_name}".strip(),
        "line1": place.street_address,
        "line2": place.extended_address,
        "postcode": place.postal_code,
        "city": place.address_locality,
        "country": place.address_country,
    }


def postal(address: Mapping[str, str]) -> dict[str, str]:
    """An address as UCP writes it."""
    names = {
        "last_name": "name",
        "street_address": "line1",
        "extended_address": "line2",
        "postal_code": "postcode",
        "address_locality": "city",
        "address_country": "country",
    }
    return {theirs: address[ours] for theirs, ours in names.items() if address.get(ours)}


def message(code: str, content: str, path: str, severity: str = "recoverable") -> dict[str, str]:
    """An error message."""
    said = {"type": "error", "code": code, "content": content, "severity": severity}
    return said | ({"path": path} if path else {})


def refused(version: str, messages: list[dict[str, str]]) -> dict[str, Any]:
    """An answer without a session."""
    return {"ucp": {"version": version, "status": "error"}, "messages": messages}


def checkout_json(
    session: Session, bill: Bill, base: str, version: str, *, order: str | None, hands_off: bool
) -> dict[str, Any]:
    """A session."""
    answer: dict[str, Any] = {
        "ucp": _envelope(version, handlers=True),
        "id": session.id,
        "status": _status(session, bill, hands_off=hands_off),
        "currency": bill.currency,
        "line_items": [_line(number, line) for number, line in enumerate(bill.lines)],
        "totals": _totals(bill),
        "messages": _messages(bill, hands_off=hands_off) if session.status == "open" else [],
        "links": [{"type": "terms_of_service", "url": f"{base}/terms", "title": "Terms of sale"}],
        "expires_at": (session.created_at + LIFETIME).isoformat(),
        "continue_url": f"{base}/continue/{session.id}",
    }
    if session.wanted.buyer:
        answer["buyer"] = dict(session.wanted.buyer)
    if session.wanted.attribution:
        answer["attribution"] = dict(session.wanted.attribution)
    if session.wanted.address:
        answer["fulfillment"] = _fulfillment(session, bill)
    if order is not None:
        answer["order"] = {"id": order, "permalink_url": f"{base}/order/{order}"}
    return answer


def _status(session: Session, bill: Bill, *, hands_off: bool) -> str:
    if session.status != "open":
        return session.status
    if hands_off:
        return "requires_escalation"
    return "incomplete" if bill.problems else "ready_for_complete"


def _messages(bill: Bill, *, hands_off: bool) -> list[dict[str, str]]:
    said = [
        message("out_of_stock", f"Only {line.stock} of {line.title} left.", f"$.line_items[{n}]")
        for n, line in enumerate(bill.lines)
        if line.is_short
    ]
    said += [message(*_SAID[problem]) for problem in bill.problems if problem in _SAID]
    if hands_off:
        said.append(
            message("buyer_needed", "This shop takes orders on its own page.", "",
                    "requires_buyer_input")
        )  # fmt: skip
    return said


def _line(number: int, line: Priced) -> dict[str, Any]:
    return {
        "id": f"line_{number}",
        "item": {"id": line.sku, "title": line.title, "price": line.price},
        "quantity": line.quantity,
        "totals": _line_totals(line),
    }


def _line_totals(line: Priced) -> list[dict[str, Any]]:
    amount = line.price * line.quantity
    return [{"type": "subtotal", "amount": amount}, {"type": "total", "amount": amount}]


def _totals(bill: Bill) -> list[dict[str, Any]]:
    totals: list[dict[str, Any]] = [{"type": "subtotal", "amount": bill.goods}]
    if bill.way is not None:
        totals.append(
            {"type": "fulfillment", "amount": bill.way.price, "display_text": bill.way.title}
        )
    return [*totals, {"type": "total", "amount": bill.total}]


def _fulfillment(session: Session, bill: Bill) -> dict[str, Any]:
    lines = [f"line_{number}" for number in range(len(bill.lines))]
    destination = {"id": _DESTINATION, "type": "shipping_address", **postal(session.wanted.address)}
    group = {
        "id": _GROUP,
        "line_item_ids": lines,
        "options": [_option(way) for way in bill.ways],
        "selected_option_id": bill.way.code if bill.way else None,
    }
    method = {
        "id": _METHOD,
        "type": "shipping",
        "line_item_ids": lines,
        "destinations": [destination],
        "selected_destination_id": _DESTINATION,
        "groups": [group],
    }
    return {"methods": [method]}


def _option(way: Way) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "id": way.code,
        "title": way.title,
        "earliest_fulfillment_time": (now + timedelta(days=way.days[0])).isoformat(),
        "latest_fulfillment_time": (now + timedelta(days=way.days[1])).isoformat(),
        "totals": [{"type": "total", "amount": way.price}],
    }


def _envelope(version: str, *, handlers: bool) -> dict[str, Any]:
    capabilities = {
        f"dev.ucp.shopping.{name}": [{"version": version}]
        for name in ("checkout", "fulfillment", "order")
    }
    ucp: dict[str, Any] = {"version": version, "capabilities": capabilities}
    if handlers:
        ucp["payment_handlers"] = {HANDLER: [{"id": HANDLER_ID, "version": version}]}
    return ucp


def order_json(sale: Sale, base: str, version: str) -> dict[str, Any]:
    """An order, whole, as it is now."""
    gone = sale.status == "canceled"
    events = [event for event in sale.events if event["type"] != "canceled"]
    lines = [_order_line(sale, number, line) for number, line in enumerate(sale.bill.lines)]
    counts = [{"id": row["id"], "quantity": row["quantity"]["original"]} for row in lines]
    answer: dict[str, Any] = {
        "ucp": _envelope(version, handlers=False),
        "id": sale.id,
        "checkout_id": sale.session_id,
        "permalink_url": f"{base}/order/{sale.session_id}",
        "line_items": lines,
        "currency": sale.bill.currency,
        "totals": _totals(sale.bill),
        "attribution": dict(sale.wanted.attribution),
        "fulfillment": {
            "expectations": [
                {
                    "id": "exp_1",
                    "line_items": counts,
                    "method_type": "shipping",
                    "destination": postal(sale.wanted.address),
                }
            ],
            "events": [
                {"id": each["id"], "occurred_at": each["at"], "type": each["type"],
                 "line_items": counts}
                for each in events
            ],
        },
    }  # fmt: skip
    if gone:
        cancelled = [{"id": row["id"], "quantity": -row["quantity"]} for row in counts]
        answer["adjustments"] = [
            {"id": "adj_1", "type": "cancellation", "occurred_at": sale.events[-1]["at"],
             "status": "completed", "line_items": cancelled}
        ]  # fmt: skip
    return answer


def _order_line(sale: Sale, number: int, line: Priced) -> dict[str, Any]:
    total = 0 if sale.status == "canceled" else line.quantity
    fulfilled = line.quantity if sale.status == "shipped" else 0
    status = "removed" if total == 0 else "fulfilled" if fulfilled else "processing"
    return {
        "id": f"line_{number}",
        "item": {"id": line.sku, "title": line.title, "price": line.price},
        "quantity": {"original": line.quantity, "total": total, "fulfilled": fulfilled},
        "totals": _line_totals(line),
        "status": status,
    }


def profile_json(base: str, version: str, jwk: Mapping[str, str], older: bool) -> dict[str, Any]:
    """The shop's profile, in one version; the newer names the older where it is spoken too."""
    schema = f"https://ucp.dev/{version}/schemas/shopping"
    capabilities: dict[str, Any] = {
        f"dev.ucp.shopping.{name}": [{"version": version, "schema": f"{schema}/{name}.json"}]
        for name in ("checkout", "fulfillment", "order")
    }
    capabilities["dev.ucp.shopping.fulfillment"][0]["extends"] = "dev.ucp.shopping.checkout"
    service = {"version": version, "transport": "rest", "endpoint": f"{base}/ucp"}
    ucp: dict[str, Any] = {
        "version": version,
        "services": {"dev.ucp.shopping": [service]},
        "capabilities": capabilities,
        "payment_handlers": {HANDLER: [{"id": HANDLER_ID, "version": version}]},
    }
    if older:
        ucp["supported_versions"] = {OLDER: f"{base}/.well-known/ucp/{OLDER}"}
    return {"ucp": ucp, "signing_keys" if version == OLDER else "keys": [dict(jwk)]}
