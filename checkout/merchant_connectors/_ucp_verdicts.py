"""What a UCP session allows: which lines can be bought, and whether it can be completed. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from checkout.merchant_connectors._session_fields import money_of
from checkout.merchant_connectors._sessions import missing_line
from checkout.merchant_connectors._ucp_answers import Checkout, Line, Refusal
from checkout.merchant_connectors.port import LineStatus, OrderRequest, QuotedLine, QuoteLine
from checkout.outcomes import HandoffNeeded, Refused

_BUYERS_WORK = {"requires_buyer_input", "requires_buyer_review"}
_REFUSALS = {
    "out_of_stock": "out_of_stock",
    "quantity_exceeded": "out_of_stock",
    "item_unavailable": "unknown_sku",
    "address_undeliverable": "not_delivered",
}


def lines_of(answer: Checkout | Refusal, wanted: Sequence[QuoteLine]) -> dict[str, QuotedLine]:
    """What the answer says of each line that was asked for."""
    by_line = {message.line: message.code for message in answer.errors if message.line is not None}
    if isinstance(answer, Refusal):
        gone = {wanted[index].sku for index in by_line if index < len(wanted)}
        if not gone:
            raise refusal_of(answer)
        # Without a session nothing is known of the others.
        return {line.sku: missing_line(line) for line in wanted if line.sku in gone}
    sold = {line.item.id: (index, line) for index, line in enumerate(answer.line_items)}
    found = {}
    for line in wanted:
        if line.sku not in sold:
            found[line.sku] = missing_line(line)
            continue
        index, theirs = sold[line.sku]
        is_short = by_line.get(index) in ("out_of_stock", "quantity_exceeded")
        found[line.sku] = quoted_line(theirs, line, answer.currency, is_short=is_short)
    return found


def check_buyable(session: Checkout, order: OrderRequest) -> None:
    """Raise what keeps the lines from being sold; addresses and delivery come after."""
    for line, known in zip(order.lines, lines_of(session, order.lines).values(), strict=True):
        if known.status is LineStatus.UNKNOWN_SKU:
            raise Refused("unknown_sku", f"The shop has no article {line.sku}.")
        if known.status is LineStatus.OUT_OF_STOCK:
            raise Refused("out_of_stock", f"The shop has too few of article {line.sku}.")
    if session.status == "requires_escalation" or session.handler is None:
        raise refusal_of(session)
    # That the delivery is not chosen yet is an error too, and will be mended.
    if any(
        message.severity != "recoverable"
        or message.code in _REFUSALS
        or "destinations" in message.path
        for message in session.errors
    ):
        raise refusal_of(session)


def check_ready(session: Checkout) -> str:
    """The id of our handler at the merchant. Raises Refused or HandoffNeeded otherwise."""
    if session.status != "ready_for_complete":
        raise refusal_of(session)
    if session.handler is not None:
        return session.handler
    if session.continue_url is not None:
        raise HandoffNeeded("The shop is paid on its own page.", session.continue_url)
    raise Refused("order_refused", "The shop does not take our way of paying.")


def quoted_line(line: Line, wanted: QuoteLine, currency: str, *, is_short: bool) -> QuotedLine:
    """A line as it would be sold. UCP does not count stock: a shop that has too few cuts down."""
    enough = not is_short and line.quantity == wanted.quantity
    status = LineStatus.OK if enough else LineStatus.OUT_OF_STOCK
    cut = line.quantity if 0 < line.quantity < wanted.quantity else None
    price = money_of(line.item.price, currency)
    return QuotedLine(wanted.sku, wanted.quantity, status, price, cut)


def refusal_of(answer: Checkout | Refusal) -> Refused:
    """Why a session cannot be had or completed, in our words; the buyer may have to go there."""
    errors = answer.errors
    for message in errors:
        if message.code in _REFUSALS:
            return Refused(_REFUSALS[message.code], message.content[:300] or message.code)
    status = answer.status if isinstance(answer, Checkout) else ""
    is_for_buyer = any(message.severity in _BUYERS_WORK for message in errors)
    if answer.continue_url and (status == "requires_escalation" or is_for_buyer):
        said = errors[0].content[:300] if errors else ""
        return HandoffNeeded(said or "The shop finishes this order itself.", answer.continue_url)
    for message in errors:
        if message.path.startswith(("$.fulfillment", "$.buyer")):
            return Refused("address_refused", message.content[:300] or "The address is refused.")
    said = errors[0].content[:300] if errors else f"the session is {status or 'refused'}"
    return Refused("order_refused", f"The shop refused the order: {said}.")
