"""What a purchase over a checkout session needs in either protocol, UCP or ACP.

A session is the handle of an order: it makes at most one. Keys of changes that last are derived
from it, so that the same change asked for again is the same request.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from urllib.parse import quote
from uuid import UUID, uuid5

from checkout.merchant_connectors._session_fields import AnySession
from checkout.merchant_connectors._shop_orders import total_changed, unreadable
from checkout.merchant_connectors.port import (
    DeliveryOption,
    LineStatus,
    MerchantQuote,
    QuotedLine,
    QuoteLine,
)
from checkout.outcomes import Refused
from kernel.errors import DomainError
from kernel.money import Money

MOST_HANDLE = 300

_KEYS = UUID("6f1ab7a5-6c52-4d0e-9d3c-0d6f8f2f7c11")


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


def missing_line(line: QuoteLine) -> QuotedLine:
    """A line for an article that the merchant does not have."""
    return QuotedLine(line.sku, line.quantity, LineStatus.UNKNOWN_SKU, None, None)


Found = dict[str, QuotedLine]


def quote_in_rounds(
    lines: Sequence[QuoteLine], ask: Callable[[list[QuoteLine]], tuple[Found, AnySession | None]]
) -> MerchantQuote:
    """A session, and another without what cannot be bought, until one has all that is left.

    `ask` answers with what is said of lines, by article, and the session where there is one. Lines
    of which nothing is said are asked for again. Raises NoAnswer where that never ends.
    """
    now = datetime.now(UTC)
    wanted, quoted = list(lines), Found()
    for _round in range(len(lines) + 1):
        found, session = ask(wanted)
        quoted |= found
        left = [
            line
            for line in wanted
            if line.sku not in found or found[line.sku].status is LineStatus.OK
        ]
        known = tuple(quoted.get(line.sku, missing_line(line)) for line in lines)
        if session is not None and left == wanted:
            return MerchantQuote(known, session.goods, session.delivery(now))
        if not left:
            return MerchantQuote(known, None, ())
        wanted = left
    raise unreadable("it takes another line away each time")


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
