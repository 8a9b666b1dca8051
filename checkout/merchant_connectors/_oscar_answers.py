"""What Oscar shops answer, in the words of the port. Pure; `Malformed` where it cannot be read."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from checkout.merchant_connectors.port import DeliveryOption, OrderStatus, PlacedOrder
from checkout.peer_http import PeerAnswer
from kernel.errors import DomainError
from kernel.money import Money

REFERENCE_MARK = "Comptoir order "
_STATUS = {
    "Pending": OrderStatus.PLACED,
    "Being processed": OrderStatus.IN_PREPARATION,
    "Shipped": OrderStatus.SHIPPED,
    "Cancelled": OrderStatus.CANCELLED,
}


class Malformed(Exception):
    """The shop's answer has not the shape that it should have."""


def product_path(url: object) -> str:
    """The path of an API address; the host that a shop may claim is not followed."""
    path = urlsplit(str(url)).path
    if not re.fullmatch(r"/api/products/[0-9]+/", path):
        raise Malformed("not the address of a product")
    return path


def cookies_of(header: str) -> dict[str, str]:
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(header)
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in jar.items()}


def money_of(amount: object, currency: object) -> Money:
    try:
        return Money.of(Decimal(str(amount)), str(currency))
    except (InvalidOperation, DomainError) as error:
        raise Malformed(f"{amount!r} {currency!r} is no amount") from error


def delivery_option(row: dict[str, Any]) -> DeliveryOption:
    days = [
        value if type(value) is int else None
        for value in (row.get("days_min"), row.get("days_max"))
    ]
    price = row["price"]
    return DeliveryOption(
        code=str(row["code"]),
        name=str(row["name"]),
        price=money_of(price["incl_tax"], price["currency"]),
        days_min=days[0],
        days_max=days[1],
    )


def placed_order(body: Any, reference: str) -> PlacedOrder:
    """An order as oscarapi or the platform views write it; `reference` where it is not written."""
    try:
        address = body.get("shipping_address") or {}
        notes = str(body.get("notes") or address.get("notes") or "")
        word = str(body["status"])
        return PlacedOrder(
            merchant_order_number=str(body["number"]),
            reference=notes.removeprefix(REFERENCE_MARK) if notes else reference,
            total=money_of(body["total_incl_tax"], body["currency"]),
            status=_STATUS.get(word, OrderStatus.OTHER),
            merchant_status=word,
            placed_at=datetime.fromisoformat(str(body["date_placed"])).astimezone(UTC),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise Malformed(f"the order lacks {error}") from error


def reason_of(answer: PeerAnswer, otherwise: str) -> str:
    """The shop's own words, if it has any, cut to a sentence's length."""
    body = answer.body
    if isinstance(body, dict):
        for value in (body.get("reason"), body.get("detail"), body.get("non_field_errors")):
            text = value[0] if isinstance(value, list) and value else value
            if isinstance(text, str) and text:
                return text[:300]
    return otherwise
