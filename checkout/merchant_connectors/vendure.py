"""Merchant connector for Vendure shops, by an administrator's account and draft orders.

The handle of an order is its draft. Vendure keeps a line's old price until the line is touched and
looks at stock once, before the payment: both are done again straight before the order is placed.
Between that look and the payment the last item can still be sold twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from checkout.merchant_connectors import _vendure_documents as documents
from checkout.merchant_connectors._checked_answers import Malformed, answered, read, read_list
from checkout.merchant_connectors._shop_orders import (
    check_address,
    check_lines,
    in_doubt,
    order_number,
    reference_mismatch,
    silent,
    total_changed,
)
from checkout.merchant_connectors._vendure_answers import (
    Added,
    Identified,
    Order,
    ShippingMethod,
    Variant,
    quoted_line,
)
from checkout.merchant_connectors._vendure_session import Reply, VendureAccount
from checkout.merchant_connectors.port import (
    Capabilities,
    Destination,
    MerchantQuote,
    OrderRequest,
    PlacedOrder,
    QuoteLine,
)
from checkout.outcomes import NoAnswer, Refused
from checkout.peer_http import AnswerLost, NeverSent
from kernel.errors import DomainError

CAPABILITIES = Capabilities(reports_shipment=True)

_MOST_VARIANTS = 200


def connect(settings: Mapping[str, str]) -> VendureConnector:
    """From a merchant's settings: `url`, `username`, `password`; `channel` where it is not the
    shop's default one, `timeout_s` if not 10.
    """
    return VendureConnector(
        VendureAccount(
            url=settings["url"],
            username=settings["username"],
            password=settings["password"],
            channel=settings.get("channel", ""),
            timeout_s=float(settings.get("timeout_s", "10")),
        )
    )


@dataclass(frozen=True, slots=True)
class _Draft:
    """An order in the making. `order` is None where nothing could be put into it; `short` says how
    many the shop would sell of an article of which it has too few.
    """

    order: Order | None
    is_delivered: bool = False
    short: Mapping[str, int] = field(default_factory=dict)


class VendureConnector:
    """One Vendure shop."""

    def __init__(self, account: VendureAccount) -> None:
        self._account = account

    def close(self) -> None:
        """Give the connections back."""
        self._account.close()

    def quote(self, lines: Sequence[QuoteLine], destination: Destination) -> MerchantQuote:
        """See the port. The quote is read off a draft, which is thrown away."""
        check_lines(lines)
        variants = self._variants(lines)
        draft = self._fill(lines, variants, documents.destination_json(destination))
        try:
            goods = draft.order.goods if draft.order else None
            prices = draft.order.unit_prices() if draft.order else {}
            delivery = tuple(
                method.as_option(draft.order.currency_code)
                for method in self._methods(draft)
                if draft.order
            )
            quoted = tuple(
                quoted_line(
                    line, variants.get(line.sku), draft.short.get(line.sku), prices.get(line.sku)
                )
                for line in lines
            )
        except Malformed as error:
            raise NoAnswer(f"The shop's answer cannot be read: {error}.") from error
        finally:
            self._discard(draft)
        return MerchantQuote(quoted, goods, delivery)

    def prepare(self, order: OrderRequest) -> str:
        """See the port. The handle is a draft with everything but our reference and a payment."""
        check_lines(order.lines)
        check_address(order)
        variants = self._variants(order.lines)
        for line in order.lines:
            if line.sku not in variants:
                raise Refused("unknown_sku", f"The shop has no article {line.sku}.")
        draft = self._fill(order.lines, variants, documents.address_json(order))
        try:
            return self._completed(order, draft).id
        except DomainError:
            self._discard(draft)
            raise

    def place(self, order: OrderRequest, handle: str) -> PlacedOrder:
        """See the port. A draft is priced again first. An order that was already let through to
        its payment keeps the total that was looked at then: the shop no longer changes it.
        """
        now = self._order(handle)
        if now is not None and now.state == "Draft":
            now = self._priced_again(now)
        if now is None:
            raise Refused("order_refused", "The shop no longer has the order that was prepared.")
        if now.is_placed:
            return _ours(now, order.reference)
        if answered(lambda: now.total) != order.expected_total:
            raise total_changed(f"{now.total} instead of {order.expected_total}")
        reply = self._act("placeOrder", documents.PLACE, order=handle, reference=order.reference)
        try:
            after = self._order(handle)
            if after is not None and after.is_placed:
                return _ours(after, order.reference)
        except NoAnswer as error:
            raise in_doubt(error.message) from error
        if after is not None and after.state == "Draft":
            self._priced_again(after)  # says so where it was the stock
        raise Refused("order_refused", f"The shop refused the order: {_reason(reply)}.")

    def find(self, reference: str, handle: str) -> PlacedOrder | None:
        """See the port."""
        order = self._order(handle)
        return _ours(order, reference) if order is not None and order.is_placed else None

    def status(self, merchant_order_number: str) -> PlacedOrder:
        """See the port."""
        return answered(self._by_number(merchant_order_number).as_placed)

    def cancel(self, merchant_order_number: str, reason: str) -> PlacedOrder:
        """See the port. Vendure would cancel what has left the house too; we do not ask for it."""
        order = self._by_number(merchant_order_number)
        if not order.is_cancelled:
            if order.has_left:
                raise Refused("too_late", "The shop has sent this order already.")
            reply = self._act("cancelOrder", documents.CANCEL, order=order.id, reason=reason[:500])
            try:
                order = self._by_number(merchant_order_number)
            except NoAnswer as error:
                raise in_doubt(error.message) from error
            if not order.is_cancelled:
                raise Refused("too_late", f"The shop does not cancel: {_reason(reply)}.")
        return answered(order.as_placed)

    def _act(self, operation: str, document: str, **variables: object) -> Reply:
        """Send what binds the shop, once. Raises NoAnswer or OutcomeUnknown."""
        try:
            reply = self._account.change(operation, document, **variables)
        except NeverSent as error:
            raise silent(error) from error
        except AnswerLost as error:
            raise in_doubt(str(error)) from error
        if not reply.is_answer:
            raise in_doubt(f"it answered {reply.status}")
        return reply

    def _variants(self, lines: Sequence[QuoteLine]) -> dict[str, Variant]:
        """SKU -> article, for those that the shop sells."""
        skus = sorted({line.sku for line in lines})
        data = self._account.ask("variants", documents.VARIANTS, skus=skus, most=_MOST_VARIANTS)
        rows = answered(lambda: read_list(Variant, _items(data, "productVariants"), _MOST_VARIANTS))
        sold: dict[str, Variant] = {}
        for variant in rows:
            if variant.enabled and variant.product.enabled:
                sold.setdefault(variant.sku, variant)
        return sold

    def _fill(
        self,
        lines: Sequence[QuoteLine],
        variants: Mapping[str, Variant],
        address: Mapping[str, str],
    ) -> _Draft:
        """A draft of the lines that the shop has and has enough of, with the address.

        Vendure puts as many as it has into a draft where it has too few: that one is thrown away.
        """
        wanted = [line for line in lines if line.sku in variants]
        items = [(variants[line.sku].id, line.quantity) for line in wanted]
        draft_id, short = self._draft_of(wanted, items)
        if short:
            self._delete(draft_id)
            wanted = [line for line in wanted if line.sku not in short]
            items = [(variants[line.sku].id, line.quantity) for line in wanted]
            draft_id, short_again = self._draft_of(wanted, items)
            if short_again:
                self._delete(draft_id)
                raise NoAnswer("The shop's stock changes while it is asked.")
        if not draft_id:
            return _Draft(None, short=short)
        reply = self._account.attempt(
            "address", documents.SET_ADDRESS, order=draft_id, address=address
        )
        if reply.error_code == "USER_INPUT_ERROR":  # a country that the shop lacks
            return _Draft(self._order(draft_id), is_delivered=False, short=short)
        if not reply.is_whole:
            raise NoAnswer(f"The shop took no address: {reply.error or reply.status}.")
        return _Draft(answered(lambda: read(Order, reply.data.get("order"))), True, short)

    def _draft_of(
        self, lines: Sequence[QuoteLine], items: Sequence[tuple[str, int]]
    ) -> tuple[str, dict[str, int]]:
        """A new draft with the items, and of which lines the shop has too few. Empty for none."""
        if not lines:
            return "", {}
        created = self._account.draw_up("createDraft", documents.CREATE_DRAFT)
        draft_id = answered(lambda: read(Identified, created.get("draft"))).id
        added = self._each_line("addItems", documents.add_items(len(items)), draft_id, items)
        return draft_id, {
            line.sku: outcome.quantity_available or 0
            for line, outcome in zip(lines, added, strict=True)
            if outcome.error_code is not None
        }

    def _each_line(
        self, operation: str, document: str, order_id: str, items: Iterable[tuple[str, int]]
    ) -> list[Added]:
        """One field of a document for each item. Refused where a number is too large for it."""
        values: dict[str, object] = {"order": order_id}
        for number, (item, quantity) in enumerate(items):
            values |= {f"item{number}": item, f"quantity{number}": quantity}
        data = self._account.draw_up(operation, document, **values)
        count = len(values) // 2
        outcomes = answered(lambda: [read(Added, data.get(f"line{n}")) for n in range(count)])
        for outcome in outcomes:
            if outcome.error_code == "ORDER_LIMIT_ERROR":
                raise Refused("too_many", f"The shop: {outcome.message[:300]}")
        return outcomes

    def _priced_again(self, draft: Order) -> Order | None:
        """The order after the shop has priced its lines anew. Refused where stock is short."""
        items = [(line.id, line.quantity) for line in draft.lines]
        outcomes = self._each_line("touchLines", documents.touch_lines(len(items)), draft.id, items)
        if any(outcome.error_code == "INSUFFICIENT_STOCK_ERROR" for outcome in outcomes):
            raise Refused("out_of_stock", "The shop has too few of an article.")
        return self._order(draft.id)

    def _completed(self, order: OrderRequest, draft: _Draft) -> Order:
        """The draft with buyer and delivery, over exactly the expected total."""
        if draft.short or draft.order is None:
            raise Refused("out_of_stock", "The shop has too few of an article.")
        methods = {method.code: method for method in self._methods(draft)}
        if order.delivery_code not in methods:
            raise Refused("not_delivered", "The shop does not deliver this order there.")
        self._set_buyer(draft.order.id, order)
        data = self._account.draw_up(
            "shippingMethod",
            documents.SET_SHIPPING_METHOD,
            order=draft.order.id,
            method=methods[order.delivery_code].id,
        )
        completed = answered(lambda: read(Order, data.get("order")))
        if answered(lambda: completed.total) != order.expected_total:
            raise total_changed(f"{completed.total} instead of {order.expected_total}")
        return completed

    def _set_buyer(self, draft_id: str, order: OrderRequest) -> None:
        """Guests are made by their address; who has an account at the shop is looked up."""
        first, _, last = order.address.name.strip().rpartition(" ")
        buyer = {
            "emailAddress": order.buyer.email,
            "firstName": first,
            "lastName": last,
            "phoneNumber": order.buyer.phone,
        }
        data = self._account.draw_up("buyer", documents.SET_BUYER, order=draft_id, input=buyer)
        outcome = answered(lambda: read(Added, data.get("buyer")))
        if outcome.error_code == "EMAIL_ADDRESS_CONFLICT_ERROR":
            found = self._account.ask("customer", documents.CUSTOMER, email=order.buyer.email)
            known = answered(lambda: read_list(Identified, _items(found, "customers"), 1))
            if known:
                data = self._account.draw_up(
                    "buyer", documents.SET_BUYER, order=draft_id, customer=known[0].id
                )
                outcome = answered(lambda: read(Added, data.get("buyer")))
        if outcome.error_code is not None:
            raise Refused("order_refused", f"The shop refuses the buyer: {outcome.message[:300]}")

    def _methods(self, draft: _Draft) -> list[ShippingMethod]:
        if draft.order is None or not draft.is_delivered:
            return []
        data = self._account.ask("methods", documents.SHIPPING_METHODS, order=draft.order.id)
        return answered(lambda: read_list(ShippingMethod, data.get("methods"), 100))

    def _discard(self, draft: _Draft) -> None:
        if draft.order is not None:
            self._delete(draft.order.id)

    def _delete(self, draft_id: str) -> None:
        """Throw a draft away; one that stays behind binds nobody."""
        try:
            self._account.change("deleteDraft", documents.DELETE_DRAFT, order=draft_id)
        except (NeverSent, AnswerLost):
            return

    def _order(self, handle: str) -> Order | None:
        """The order of a handle in whatever state; None where the shop has none."""
        data = self._account.ask("order", documents.ORDER, order=_checked(handle))
        found = data.get("order")
        return None if found is None else answered(lambda: read(Order, found))

    def _by_number(self, number: str) -> Order:
        data = self._account.ask(
            "orderByNumber", documents.ORDER_BY_NUMBER, number=order_number(number)
        )
        found = answered(lambda: read_list(Order, _items(data, "orders"), 1))
        if not found or not found[0].is_placed:
            raise Refused("order_unknown", "The shop has no order of this number.")
        return found[0]


def _checked(handle: str) -> str:
    try:
        return read(Identified, {"id": handle}).id
    except Malformed as error:
        raise DomainError("handle_invalid", "This is no handle of a Vendure order.") from error


def _items(data: Mapping[str, Any], name: str) -> object:
    page = data.get(name)
    return page.get("items") if isinstance(page, dict) else None


def _ours(order: Order, reference: str) -> PlacedOrder:
    if order.reference != reference:
        raise reference_mismatch(order.reference)
    return answered(order.as_placed)


def _reason(reply: Reply) -> str:
    """Why a document was not carried out, in the shop's words."""
    if reply.error is not None:
        return reply.error
    for outcome in reply.data.values():
        if isinstance(outcome, dict):
            words = outcome.get("transitionError") or outcome.get("message")
            if isinstance(words, str):
                return words[:300]
    return "no reason given"
