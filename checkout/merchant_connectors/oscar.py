"""Merchant connector for django-oscar shops with django-oscar-api and our small platform views.

The handle of an order is the signed cookie of an anonymous basket: it survives our process, opens
the basket again, and names the basket by which the platform account finds the order. Oscar makes
at most one order of a basket, and refuses a total other than the one we send.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from checkout.merchant_connectors._oscar_answers import (
    REFERENCE_MARK,
    Malformed,
    cookies_of,
    delivery_option,
    money_of,
    placed_order,
    product_path,
    reason_of,
)
from checkout.merchant_connectors._shop_orders import (
    check_lines,
    in_doubt,
    reference_mismatch,
    silent,
    total_changed,
)
from checkout.merchant_connectors.port import (
    Capabilities,
    DeliveryOption,
    Destination,
    LineStatus,
    MerchantQuote,
    OrderRequest,
    PlacedOrder,
    QuotedLine,
    QuoteLine,
)
from checkout.outcomes import NoAnswer, Refused
from checkout.peer_http import AnswerLost, NeverSent, PeerAnswer, PeerClient, PeerLimits
from kernel.errors import DomainError
from kernel.money import Money

CAPABILITIES = Capabilities(reports_shipment=True)

_BASKET_COOKIE = "oscar_open_basket"
_HANDLE = re.compile(r"[0-9]{1,18}:[A-Za-z0-9_:-]{10,200}")
_SENDABLE_PHONE = re.compile(r"\+[0-9][0-9 ]{6,18}")


def connect(settings: Mapping[str, str]) -> OscarConnector:
    """From a merchant's settings: `url`, `username`, `password`, and `timeout_s` if not 10."""
    return OscarConnector(
        url=settings["url"],
        username=settings["username"],
        password=settings["password"],
        timeout_s=float(settings.get("timeout_s", "10")),
    )


class OscarConnector:
    """One Oscar shop. Quotes and orders go through its public API, look-ups through our account."""

    def __init__(self, *, url: str, username: str, password: str, timeout_s: float = 10) -> None:
        limits = PeerLimits(silence_s=timeout_s, whole_s=2 * timeout_s)
        self._url = url.rstrip("/")
        self._shop = PeerClient(self._url, limits=limits)
        self._account = PeerClient(self._url, auth=(username, password), limits=limits)

    def close(self) -> None:
        """Give the connections back."""
        self._shop.close()
        self._account.close()

    def quote(self, lines: Sequence[QuoteLine], destination: Destination) -> MerchantQuote:
        """See the port. Three calls a line, and three for the basket that delivery is priced on."""
        check_lines(lines)
        products = self._products(lines)
        quoted = tuple(self._quoted_line(line, products.get(line.sku)) for line in lines)
        visit = _Visit(self._shop)
        goods: Money | None = None
        for line in quoted:
            if line.status is LineStatus.OK:
                goods = visit.add(products[line.sku], line.quantity)
        delivery = visit.delivery(self._address_json(destination)) if goods else ()
        return MerchantQuote(quoted, goods, delivery)

    def prepare(self, order: OrderRequest) -> str:
        """See the port. Fills a basket and checks delivery and total before the money is asked."""
        check_lines(order.lines)
        products = self._products(order.lines)
        visit = _Visit(self._shop)
        goods: Money | None = None
        for line in order.lines:
            if line.sku not in products:
                raise Refused("unknown_sku", f"The shop has no article {line.sku}.")
            goods = visit.add(products[line.sku], line.quantity)
        options = visit.delivery(self._order_address_json(order))
        chosen = next((each for each in options if each.code == order.delivery_code), None)
        if chosen is None or goods is None:
            raise Refused("not_delivered", "The shop does not deliver this order there.")
        if goods + chosen.price != order.expected_total:
            raise total_changed(f"{goods + chosen.price} instead of {order.expected_total}")
        return visit.handle()

    def place(self, order: OrderRequest, handle: str) -> PlacedOrder:
        """See the port. A basket that is no longer open is looked up before it counts as a no."""
        body = {
            "basket": f"{self._url}/api/baskets/{_basket_number(handle)}/",
            "guest_email": order.buyer.email,
            "total": order.expected_total.plain(),
            "shipping_method_code": order.delivery_code,
            "shipping_address": self._order_address_json(order),
        }
        cookie = {"Cookie": f"{_BASKET_COOKIE}={handle}"}
        try:
            answer = self._shop.exchange("POST", "/api/checkout/", json_body=body, headers=cookie)
        except NeverSent as error:
            raise silent(error) from error
        except AnswerLost as error:
            raise in_doubt(str(error)) from error
        if answer.status == 200:
            try:
                return placed_order(answer.body, order.reference)
            except Malformed as error:
                raise in_doubt(str(error)) from error
        if answer.status in (401, 406):
            return self._placed_before(order, handle, answer)
        if 400 <= answer.status < 500 and answer.status not in (408, 429):
            raise _order_refused(answer)
        raise in_doubt(f"it answered {answer.status}")

    def find(self, reference: str, handle: str) -> PlacedOrder | None:
        """See the port. The shop lists the orders of the basket: none, or the one."""
        answer = self._ask("/platform/orders/", [("basket", str(_basket_number(handle)))])
        if answer.status != 200 or not isinstance(answer.body, list):
            raise NoAnswer(f"The shop did not say whether the order exists ({answer.status}).")
        if not answer.body:
            return None
        try:
            order = placed_order(answer.body[0], reference)
        except Malformed as error:
            raise NoAnswer(f"The shop's answer cannot be read: {error}.") from error
        if order.reference != reference:
            raise reference_mismatch(order.reference)
        return order

    def status(self, merchant_order_number: str) -> PlacedOrder:
        """See the port."""
        return self._read_order(self._ask(_order_path(merchant_order_number)))

    def cancel(self, merchant_order_number: str, reason: str) -> PlacedOrder:
        """See the port. The shop gives the stock back and marks every line."""
        path = _order_path(merchant_order_number) + "cancel/"
        try:
            answer = self._account.exchange("POST", path, json_body={"reason": reason[:500]})
        except NeverSent as error:
            raise silent(error) from error
        except AnswerLost as error:
            raise in_doubt(str(error)) from error
        if answer.status == 409:
            raise Refused("too_late", "The shop can no longer cancel this order.")
        if answer.status >= 500:
            raise in_doubt(f"it answered {answer.status}")
        try:
            return self._read_order(answer)
        except NoAnswer as error:
            raise (in_doubt(error.message) if answer.status == 200 else error) from error

    def _ask(self, path: str, query: Sequence[tuple[str, str]] = ()) -> PeerAnswer:
        """A question by the platform's account; asked twice before it counts as unanswered."""
        return _asked(self._account, path, query)

    def _products(self, lines: Sequence[QuoteLine]) -> dict[str, str]:
        """SKU -> path of the product in the shop's API, for those that the shop has."""
        wanted = sorted({line.sku for line in lines})
        answer = self._ask("/platform/products/", [("sku", sku) for sku in wanted])
        if answer.status != 200 or not isinstance(answer.body, list):
            raise NoAnswer(f"The shop's article look-up answered {answer.status}.")
        try:
            return {str(row["sku"]): product_path(row["product"]) for row in answer.body}
        except (KeyError, TypeError, Malformed) as error:
            raise NoAnswer("The shop's article look-up cannot be read.") from error

    def _quoted_line(self, line: QuoteLine, product: str | None) -> QuotedLine:
        unknown = QuotedLine(line.sku, line.quantity, LineStatus.UNKNOWN_SKU, None, None)
        if product is None:
            return unknown
        price = _asked(self._shop, f"{product}price/")
        stock = _asked(self._shop, f"{product}availability/")
        if price.status == 404 or stock.status == 404:
            return unknown
        try:
            unit = money_of(price.body["incl_tax"], price.body["currency"])
            is_sold = stock.body["is_available_to_buy"] is True
            counted = stock.body.get("num_available")
        except (KeyError, TypeError, AttributeError, Malformed) as error:
            raise NoAnswer("The shop's price or stock cannot be read.") from error
        available = max(counted, 0) if type(counted) is int else None
        enough = is_sold and (available is None or available >= line.quantity)
        status = LineStatus.OK if enough else LineStatus.OUT_OF_STOCK
        return QuotedLine(line.sku, line.quantity, status, unit, available if is_sold else 0)

    def _placed_before(self, order: OrderRequest, handle: str, refusal: PeerAnswer) -> PlacedOrder:
        """The order that an earlier try made of the basket; the refusal where there is none."""
        try:
            found = self.find(order.reference, handle)
        except NoAnswer as error:
            raise in_doubt("it refused, and then did not say whether an order exists") from error
        if found is not None:
            return found
        raise _order_refused(refusal)

    def _read_order(self, answer: PeerAnswer) -> PlacedOrder:
        if answer.status == 404:
            raise Refused("order_unknown", "The shop has no such order.")
        if answer.status != 200:
            raise NoAnswer(f"The shop answered {answer.status}.")
        try:
            return placed_order(answer.body, "")
        except Malformed as error:
            raise NoAnswer(f"The shop's answer cannot be read: {error}.") from error

    def _address_json(self, destination: Destination) -> dict[str, str]:
        return {
            "country": f"{self._url}/api/countries/{destination.country}/",
            "last_name": "-",
            "line1": "-",
            "line4": destination.city or "-",
            "postcode": destination.postcode,
        }

    def _order_address_json(self, order: OrderRequest) -> dict[str, str]:
        address = order.address
        notes = REFERENCE_MARK + order.reference
        phone = order.buyer.phone.strip()
        fields = {
            "country": f"{self._url}/api/countries/{address.country}/",
            "last_name": address.name,
            "line1": address.line1,
            "line2": address.line2,
            "line4": address.city,
            "postcode": address.postcode,
            "notes": notes,
        }
        if _SENDABLE_PHONE.fullmatch(phone):
            fields["phone_number"] = phone
        return fields


class _Visit:
    """One anonymous visitor of the shop: a basket, and the cookies that open it."""

    def __init__(self, shop: PeerClient) -> None:
        self._shop = shop
        self._cookies: dict[str, str] = {}

    def add(self, product: str, quantity: int) -> Money:
        """Put an article in the basket; what the goods cost now. Refused where stock is short."""
        answer = self._send(
            "/api/basket/add-product/",
            # Oscar resolves the path alone; the host is there because it wants an address.
            {"url": f"http://shop{product}", "quantity": quantity},
        )
        if answer.status == 406:
            raise Refused("out_of_stock", reason_of(answer, "The shop has too few of an article."))
        try:
            if answer.status != 200:
                raise Malformed(str(answer.status))
            return money_of(answer.body["total_incl_tax"], answer.body["currency"])
        except (KeyError, TypeError, Malformed) as error:
            raise NoAnswer(f"The shop's basket cannot be read ({answer.status}).") from error

    def delivery(self, address: dict[str, str]) -> tuple[DeliveryOption, ...]:
        """How the basket can be delivered to an address. Empty where it cannot."""
        answer = self._send("/api/basket/shipping-methods/", address)
        if answer.status == 406:
            refused = answer.body if isinstance(answer.body, dict) else {}
            if "country" in refused:
                return ()
            raise Refused("address_refused", reason_of(answer, "The shop refuses the address."))
        if answer.status != 200 or not isinstance(answer.body, list):
            raise NoAnswer(f"The shop's delivery prices cannot be read ({answer.status}).")
        try:
            return tuple(delivery_option(row) for row in answer.body)
        except (KeyError, TypeError, Malformed) as error:
            raise NoAnswer("The shop's delivery prices cannot be read.") from error

    def handle(self) -> str:
        """The signed basket cookie."""
        handle = self._cookies.get(_BASKET_COOKIE, "")
        if not _HANDLE.fullmatch(handle):
            raise NoAnswer("The shop gave no basket to order from.")
        return handle

    def _send(self, path: str, body: dict[str, Any]) -> PeerAnswer:
        cookie = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        try:
            answer = self._shop.exchange(
                "POST", path, json_body=body, headers={"Cookie": cookie} if cookie else None
            )
        except (NeverSent, AnswerLost) as error:
            # Whatever became of the basket, an abandoned basket binds nobody.
            raise silent(error) from error
        for header in answer.set_cookies:
            self._cookies |= cookies_of(header)
        return answer


def _asked(client: PeerClient, path: str, query: Sequence[tuple[str, str]] = ()) -> PeerAnswer:
    """A question, asked twice before it counts as unanswered. It changes nothing."""
    try:
        return client.ask(path, query)
    except (NeverSent, AnswerLost) as error:
        raise silent(error) from error


def _basket_number(handle: str) -> int:
    if not _HANDLE.fullmatch(handle):
        raise DomainError("handle_invalid", "This is no handle of an Oscar order.")
    return int(handle.partition(":")[0])


def _order_path(number: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", number):
        raise Refused("order_unknown", "This is no order number of an Oscar shop.")
    return f"/platform/orders/{number}/"


def _order_refused(answer: PeerAnswer) -> Refused:
    reason = reason_of(answer, f"The shop refused the order ({answer.status}).")
    if reason.startswith("Total incorrect"):
        return total_changed(reason)
    return Refused("order_refused", reason)
