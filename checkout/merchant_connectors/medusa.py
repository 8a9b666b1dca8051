"""Merchant connector for Medusa shops: carts of the store API, our account for what was ordered.

The handle of an order is its cart, which becomes one order however often it is completed. Medusa
counts stock when a cart is completed, so the last item is sold once; it keeps the prices of the
moment when a cart was filled, so they are compared with today's straight before that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from checkout.merchant_connectors._checked_answers import answered, read, read_list
from checkout.merchant_connectors._medusa_answers import (
    REFERENCE,
    Cart,
    Order,
    ShippingOption,
    Variant,
    codes_of,
    delivery_option,
    has_enough,
    money_of,
    parse,
    quoted_line,
    reference_of,
)
from checkout.merchant_connectors._medusa_session import (
    acted,
    asked,
    body_of,
    completed_order,
    exchanged,
    place_refused,
    reason_of,
    sent,
)
from checkout.merchant_connectors._shop_orders import (
    check_address,
    check_lines,
    in_doubt,
    order_number,
    reference_mismatch,
    total_changed,
)
from checkout.merchant_connectors.port import (
    Capabilities,
    DeliveryOption,
    Destination,
    MerchantQuote,
    OrderRequest,
    PlacedOrder,
    QuoteLine,
)
from checkout.outcomes import NoAnswer, Refused
from checkout.peer_http import PeerClient, PeerLimits
from kernel.errors import DomainError
from kernel.money import Money

CAPABILITIES = Capabilities(reports_shipment=True)

_MOST_VARIANTS = 100
_MOST_OPTIONS = 50
_HANDLE = re.compile(r"cart_[A-Za-z0-9]{1,58}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_CART_FIELDS = (
    "id,currency_code,item_total,total,completed_at,metadata,"
    "items.variant_id,items.variant_sku,items.quantity,items.unit_price,items.total,"
    "shipping_methods.shipping_option_id,shipping_methods.amount"
)
_ORDER_FIELDS = "id,status,fulfillment_status,currency_code,total,created_at,metadata"
_VARIANT_FIELDS = "id,sku,manage_inventory,allow_backorder,+inventory_quantity,*calculated_price"


def connect(settings: Mapping[str, str]) -> MedusaConnector:
    """From a merchant's settings: `url`, `publishable_key`, `region` (its id), `password` (a secret
    API key); `payment_provider` if not Medusa's own, `timeout_s` if not 10.
    """
    return MedusaConnector(
        url=settings["url"],
        publishable_key=settings["publishable_key"],
        secret_key=settings["password"],
        region=settings["region"],
        payment_provider=settings.get("payment_provider", "pp_system_default"),
        timeout_s=float(settings.get("timeout_s", "10")),
    )


class MedusaConnector:
    """One region of one Medusa shop."""

    def __init__(
        self,
        *,
        url: str,
        publishable_key: str,
        secret_key: str,
        region: str,
        payment_provider: str,
        timeout_s: float = 10,
    ) -> None:
        limits = PeerLimits(silence_s=timeout_s, whole_s=2 * timeout_s)
        key = {"x-publishable-api-key": publishable_key}
        self._store = PeerClient(url.rstrip("/"), headers=key, limits=limits)
        self._account = PeerClient(url.rstrip("/"), auth=(secret_key, ""), limits=limits)
        self._region = region
        self._payment_provider = payment_provider

    def close(self) -> None:
        """Give the connections back."""
        self._store.close()
        self._account.close()

    def quote(self, lines: Sequence[QuoteLine], destination: Destination) -> MerchantQuote:
        """See the port. What can be bought is put into a cart, which is left behind."""
        check_lines(lines)
        variants = self._variants(lines)
        wanted = [line for line in lines if line.sku in variants]
        wanted = [line for line in wanted if has_enough(line, variants[line.sku])]
        cart = None
        delivery: tuple[DeliveryOption, ...] = ()
        if wanted:
            cart = self._new_cart(wanted, variants, _destination_json(destination))
            delivery = self._delivery(cart, destination.country)
        prices = answered(cart.unit_prices) if cart else {}
        return MerchantQuote(
            answered(
                lambda: tuple(
                    quoted_line(line, variants.get(line.sku), prices.get(line.sku))
                    for line in lines
                )
            ),
            answered(lambda: cart.goods_money) if cart else None,
            delivery,
        )

    def prepare(self, order: OrderRequest) -> str:
        """See the port. The handle is a cart with everything but its completion."""
        check_lines(order.lines)
        check_address(order)
        variants = self._variants(order.lines)
        self._check_stock(order, variants)
        more = {"email": order.buyer.email, "metadata": {REFERENCE: order.reference}}
        cart = self._new_cart(order.lines, variants, _address_json(order), more)
        options = self._options(cart, order.address.country)
        if order.delivery_code not in options:
            raise Refused("not_delivered", "The shop does not deliver this order there.")
        cart = self._with_delivery(cart, options[order.delivery_code])
        if answered(lambda: cart.total_money) != order.expected_total:
            raise total_changed(f"{cart.total_money} instead of {order.expected_total}")
        self._open_payment(cart)
        return cart.id

    def place(self, order: OrderRequest, handle: str) -> PlacedOrder:
        """See the port. A cart that is completed already gives the order that it became."""
        cart = self._cart(handle)
        if cart is None:
            raise Refused("order_refused", "The shop no longer has the cart that was prepared.")
        if cart.completed_at is None:
            self._check_unchanged(order, cart)
        answer = acted(self._store, f"/store/carts/{cart.id}/complete")
        try:
            number = completed_order(answer)
            if number is None:
                # Another try may have come first: the cart itself says so.
                after = self._cart(handle)
                if after is None or after.completed_at is None:
                    raise place_refused(answer)
                number = self._number_of(after)
            placed = self._order(number)
        except NoAnswer as error:
            raise in_doubt(error.message) from error
        return _ours(placed, order.reference)

    def find(self, reference: str, handle: str) -> PlacedOrder | None:
        """See the port. Only a cart that is completed is asked for its order."""
        cart = self._cart(handle)
        if cart is None or cart.completed_at is None:
            return None
        return _ours(self._order(self._number_of(cart)), reference)

    def status(self, merchant_order_number: str) -> PlacedOrder:
        """See the port."""
        return answered(self._order(merchant_order_number).as_placed)

    def cancel(self, merchant_order_number: str, reason: str) -> PlacedOrder:  # noqa: ARG002
        """See the port. Medusa keeps no reason, and refuses once something is on its way."""
        order = self._order(merchant_order_number)
        if not order.is_cancelled:
            answer = acted(self._account, f"/admin/orders/{order.id}/cancel")
            try:
                order = self._order(merchant_order_number)
            except NoAnswer as error:
                raise in_doubt(error.message) from error
            if not order.is_cancelled:
                raise Refused("too_late", f"The shop does not cancel: {reason_of(answer)}")
        return answered(order.as_placed)

    def _variants(self, lines: Sequence[QuoteLine]) -> dict[str, Variant]:
        """SKU -> article, for those that the shop sells in the region."""
        query = [("sku[]", sku) for sku in sorted({line.sku for line in lines})]
        query += [("region_id", self._region), ("fields", _VARIANT_FIELDS)]
        query += [("limit", str(_MOST_VARIANTS))]
        body = asked(self._store, "/store/product-variants", query)
        rows = answered(lambda: read_list(Variant, body.get("variants"), _MOST_VARIANTS))
        return {row.sku: row for row in rows if row.sku and row.calculated_price}

    @staticmethod
    def _check_stock(order: OrderRequest, variants: Mapping[str, Variant]) -> None:
        for line in order.lines:
            if line.sku not in variants:
                raise Refused("unknown_sku", f"The shop has no article {line.sku}.")
            if not has_enough(line, variants[line.sku]):
                raise Refused("out_of_stock", "The shop has too few of an article.")

    def _check_unchanged(self, order: OrderRequest, cart: Cart) -> None:
        """Refused unless the cart is ours, over the expected total and at today's prices."""
        if reference_of(cart.metadata) != order.reference:
            raise reference_mismatch(reference_of(cart.metadata))
        if answered(lambda: cart.total_money) != order.expected_total:
            raise total_changed(f"{cart.total_money} instead of {order.expected_total}")
        variants = self._variants(order.lines)
        self._check_stock(order, variants)
        for item in cart.items:
            now = (
                variants[item.variant_sku].calculated_price
                if item.variant_sku in variants
                else None
            )
            if now is None or now.calculated_amount != item.unit_price:
                raise total_changed(f"{item.variant_sku} has another price")
        now_asked = {
            option.id: option.amount
            for option in self._options(cart, order.address.country).values()
        }
        for chosen in cart.shipping_methods:
            if now_asked.get(chosen.shipping_option_id or "") != chosen.amount:
                raise total_changed("the delivery has another price")

    def _new_cart(
        self,
        lines: Sequence[QuoteLine],
        variants: Mapping[str, Variant],
        address: Mapping[str, str],
        more: Mapping[str, object] | None = None,
    ) -> Cart:
        items = [{"variant_id": variants[line.sku].id, "quantity": line.quantity} for line in lines]
        body = {"region_id": self._region, "items": items, "shipping_address": address}
        return self._sent_cart("/store/carts", body | dict(more or {}))

    def _with_delivery(self, cart: Cart, option: ShippingOption) -> Cart:
        """The cart delivered so; a choice made before is replaced."""
        return self._sent_cart(f"/store/carts/{cart.id}/shipping-methods", {"option_id": option.id})

    def _sent_cart(self, path: str, body: Mapping[str, object]) -> Cart:
        """The cart after a change, which binds nobody. Refused as the shop refuses it."""
        answer = sent(self._store, f"{path}?fields={_CART_FIELDS}", body)
        return answered(lambda: read(Cart, parse(answer.raw).get("cart")))

    def _options(self, cart: Cart, country: str) -> dict[str, ShippingOption]:
        """Code -> way of delivering the cart; empty where it cannot be delivered."""
        if not _COUNTRY.fullmatch(country):
            return {}
        body = asked(self._store, "/store/shipping-options", [("cart_id", cart.id)])
        rows = body.get("shipping_options")
        return codes_of(answered(lambda: read_list(ShippingOption, rows, _MOST_OPTIONS)))

    def _delivery(self, cart: Cart, country: str) -> tuple[DeliveryOption, ...]:
        return tuple(
            delivery_option(code, option, self._gross(cart, option))
            for code, option in self._options(cart, country).items()
        )

    def _gross(self, cart: Cart, option: ShippingOption) -> Money:
        """The price with tax. Where tax is added or cents are broken, a cart delivered so tells it:
        what it adds to the goods, so that goods and delivery are the total to the cent.
        """
        if option.is_tax_inclusive and answered(lambda: cart.is_whole):
            return answered(lambda: money_of(option.amount, cart.currency_code))
        delivered = self._with_delivery(cart, option)
        return answered(lambda: delivered.total_money - delivered.goods_money)

    def _open_payment(self, cart: Cart) -> None:
        """Medusa completes no cart without one. The money itself moves elsewhere."""
        answer = sent(self._store, "/store/payment-collections", {"cart_id": cart.id})
        collection = parse(answer.raw).get("payment_collection")
        number = collection.get("id") if isinstance(collection, dict) else None
        if not isinstance(number, str) or not re.fullmatch(r"[A-Za-z0-9_]{1,64}", number):
            raise NoAnswer("The shop's payment cannot be read.")
        path = f"/store/payment-collections/{number}/payment-sessions"
        sent(self._store, path, {"provider_id": self._payment_provider})

    def _cart(self, handle: str) -> Cart | None:
        """The cart of a handle; None where the shop has none."""
        if not _HANDLE.fullmatch(handle):
            raise DomainError("handle_invalid", "This is no handle of a Medusa order.")
        answer = exchanged(self._store, f"/store/carts/{handle}", [("fields", _CART_FIELDS)])
        if answer.status == 404:
            return None
        body = body_of(answer)
        return answered(lambda: read(Cart, body.get("cart")))

    def _number_of(self, cart: Cart) -> str:
        """Which order a completed cart became. Completing it again changes nothing."""
        number = completed_order(sent(self._store, f"/store/carts/{cart.id}/complete", {}))
        if number is None:
            raise NoAnswer("The shop does not say which order the cart became.")
        return number

    def _order(self, number: str) -> Order:
        path = f"/admin/orders/{order_number(number)}"
        answer = exchanged(self._account, path, [("fields", _ORDER_FIELDS)])
        if answer.status == 404:
            raise Refused("order_unknown", "The shop has no order of this number.")
        body = body_of(answer)
        return answered(lambda: read(Order, body.get("order")))


def _ours(order: Order, reference: str) -> PlacedOrder:
    if order.reference != reference:
        raise reference_mismatch(order.reference)
    return answered(order.as_placed)


def _destination_json(destination: Destination) -> dict[str, str]:
    return {
        "city": destination.city,
        "postal_code": destination.postcode,
        "country_code": destination.country.lower(),
    }


def _address_json(order: OrderRequest) -> dict[str, str]:
    address = order.address
    first, _, last = address.name.strip().rpartition(" ")
    return {
        "first_name": first,
        "last_name": last,
        "address_1": address.line1,
        "address_2": address.line2,
        "city": address.city,
        "postal_code": address.postcode,
        "country_code": address.country.lower(),
        "phone": order.buyer.phone,
    }
