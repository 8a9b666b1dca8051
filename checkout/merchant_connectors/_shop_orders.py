"""What connectors to shops have in common: bounds of an order, and the words of its outcomes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from checkout.merchant_connectors.port import OrderRequest, QuoteLine
from checkout.outcomes import NoAnswer, OutcomeUnknown, Refused
from checkout.peer_http import PeerAnswer

MOST_LINES = 50
MOST_CHARACTERS = 255  # what shops' columns hold; longer ones are cut there without a word
_NUMBER = re.compile(r"[A-Za-z0-9_-]{1,64}")


def check_lines(lines: Sequence[QuoteLine]) -> None:
    """Refused (`too_many`, `lines_invalid`) where this is no order."""
    if not 1 <= len(lines) <= MOST_LINES:
        raise Refused("too_many", f"An order has 1 to {MOST_LINES} lines.")
    if len({line.sku for line in lines}) != len(lines) or any(each.quantity < 1 for each in lines):
        raise Refused("lines_invalid", "Each article is on one line, with a quantity from 1.")


def check_address(order: OrderRequest) -> None:
    """Refused (`address_refused`) where a field would not be kept whole."""
    address = order.address
    fields = (address.name, address.line1, address.line2, address.postcode, address.city)
    if any(len(field) > MOST_CHARACTERS for field in fields):
        raise Refused("address_refused", "A line of the address is too long.")


def order_number(number: str) -> str:
    """The number as it may stand in a call. Refused (`order_unknown`) where it cannot be one."""
    if not _NUMBER.fullmatch(number):
        raise Refused("order_unknown", "The shop has no order of this number.")
    return number


def total_changed(detail: str) -> Refused:
    """The shop asks for another total than the buyer confirmed."""
    return Refused(
        "total_changed", f"The total at the shop is another now: {detail}.", hint="Quote again."
    )


def reference_mismatch(reference: str) -> Refused:
    """The order belongs to another reference of ours, or to none."""
    return Refused("reference_mismatch", f"The order belongs to {reference or 'nobody'}.")


def silent(error: Exception) -> NoAnswer:
    """Nothing was changed, or nothing that binds anybody."""
    return NoAnswer(f"The shop does not answer: {error}.")


def unreadable(what: str) -> NoAnswer:
    """An answer came and says nothing that can be relied on."""
    return NoAnswer(f"The shop's answer cannot be read: {what}.")


def in_doubt(what: str, answer: PeerAnswer | None = None) -> OutcomeUnknown:
    """A change was sent; the shop may have acted on it. `answer` may say when to ask again."""
    after = "" if answer is None else answer.headers.get("retry-after", "")
    return OutcomeUnknown(
        f"The shop may have acted, but {what}.",
        hint="Look the order up before anything else.",
        retry_after_s=int(after) if after.isdecimal() and len(after) < 6 else None,
    )
