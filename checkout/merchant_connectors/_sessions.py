"""What a purchase over a checkout session needs in either protocol, UCP or ACP. Pure.

A session is the handle of an order: it makes at most one. Keys of changes that last are derived
from it, so that the same change asked for again is the same request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import quote
from uuid import UUID, uuid5

from checkout.merchant_connectors._shop_orders import total_changed
from checkout.merchant_connectors.port import DeliveryOption, LineStatus, QuotedLine, QuoteLine
from checkout.outcomes import NoAnswer, OutcomeUnknown, Refused
from checkout.peer_http import PeerAnswer
from kernel.errors import DomainError
from kernel.money import Money, is_currency

MOST_HANDLE = 300

_KEYS = UUID("6f1ab7a5-6c52-4d0e-9d3c-0d6f8f2f7c11")


class Malformed(Exception):
    """The merchant's answer has not the shape that it should have."""


def check_handle(handle: str) -> str:
    """The handle, if it can be the id of a session."""
    if not (1 <= len(handle) <= MOST_HANDLE and handle.isascii() and handle.isprintable()):
        raise DomainError("handle_invalid", "This is no handle of a checkout session.")
    return handle


def segment(identifier: str) -> str:
    """An id of the merchant's as one segment of a path, whatever it is made of."""
    if identifier in ("", ".", ".."):
        raise Refused("order_unknown", "This is no id at the merchant.")
    return quote(check_handle(identifier), safe="")


def derived_key(*parts: str) -> str:
    """The same key for the same act on the same thing, for ever."""
    return str(uuid5(_KEYS, "\n".join(parts)))


def money_of(minor: int, currency: str) -> Money:
    """An amount as the protocols write it: minor units; ACP spells currencies in small letters."""
    if not is_currency(currency.upper()):
        raise Malformed(f"{currency[:8]!r} is no currency")
    return Money(minor, currency.upper())


def days_until(moment: datetime | None, now: datetime) -> int | None:
    """Whole days from now, rounded; None where nobody says when."""
    if moment is None or moment.tzinfo is None:
        return None
    return max(round((moment - now) / timedelta(days=1)), 0)


def missing_line(line: QuoteLine) -> QuotedLine:
    """A line for an article that the merchant does not have."""
    return QuotedLine(line.sku, line.quantity, LineStatus.UNKNOWN_SKU, None, None)


def in_order(
    lines: Sequence[QuoteLine], quoted: Mapping[str, QuotedLine]
) -> tuple[QuotedLine, ...]:
    """What is known of each line, in the order of asking."""
    return tuple(quoted.get(line.sku, missing_line(line)) for line in lines)


def chosen(options: Sequence[DeliveryOption], code: str) -> DeliveryOption:
    """The way of delivery that the buyer confirmed. Refused where it is not offered."""
    for option in options:
        if option.code == code:
            return option
    raise Refused("not_delivered", "The shop does not deliver this order there.")


def check_total(total: Money, expected: Money) -> None:
    """Raise Refused unless the merchant asks exactly what the buyer confirmed."""
    if total != expected:
        raise total_changed(f"{total} instead of {expected}")


def unreadable(what: str) -> NoAnswer:
    """An answer came and says nothing that can be relied on."""
    return NoAnswer(f"The shop's answer cannot be read: {what}.")


def in_doubt(what: str, answer: PeerAnswer | None = None) -> OutcomeUnknown:
    """A change was sent; the merchant may have acted on it."""
    after = "" if answer is None else answer.headers.get("retry-after", "")
    return OutcomeUnknown(
        f"The shop may have acted, but {what}.",
        hint="Look the order up before anything else.",
        retry_after_s=int(after) if after.isdecimal() and len(after) < 6 else None,
    )
