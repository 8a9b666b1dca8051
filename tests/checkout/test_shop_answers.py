"""What Vendure and Medusa shops may answer: exact amounts, nothing taken that is not checked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from checkout.merchant_connectors import _medusa_answers as medusa
from checkout.merchant_connectors import _vendure_answers as vendure
from checkout.merchant_connectors import open_connector
from checkout.merchant_connectors._checked_answers import Malformed, read, read_list
from checkout.merchant_connectors.port import (
    Buyer,
    DeliveryAddress,
    Destination,
    LineStatus,
    MerchantConnector,
    OrderRequest,
    OrderStatus,
    QuoteLine,
)
from checkout.outcomes import NoAnswer, OutcomeUnknown
from kernel.errors import DomainError
from kernel.money import Money
from tests.little_server import Answering, LittleServer

SETTINGS = {
    "vendure": {"username": "u", "password": "p"},
    "medusa": {"publishable_key": "pk", "password": "sk", "region": "reg_1"},
}
HANDLE = {"vendure": "1", "medusa": "cart_1"}
ORDER = OrderRequest(
    reference="leg_1",
    lines=(QuoteLine("A", 1),),
    address=DeliveryAddress("É M", "1 rue", "75011", "Paris", "FR"),
    buyer=Buyer("b@shopper.example"),
    delivery_code="standard",
    expected_total=Money(7485, "EUR"),
)
VENDURE_ORDER: dict[str, Any] = {
    "id": "7",
    "code": "ABC",
    "state": "PaymentSettled",
    "currencyCode": "EUR",
    "subTotalWithTax": 6995,
    "totalWithTax": 7485,
    "orderPlacedAt": "2026-11-22T11:36:01.599Z",
    "customFields": {"externalRef": "leg_1"},
    "payments": [{"amount": 7485}],
    "lines": [],
}


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("69.95", 6995),
        ("70", 7000),
        ("144.79999999999998", 14480),  # what a shop that counts in floats writes
        ("173.868", 17387),
        ("0.005", 0),
        ("9876543210.125", 987654321012),
    ],
)
def test_decimals_of_medusa_become_exact_minor_units(text: str, minor: int) -> None:
    body = medusa.parse(f'{{"shipping_option_id": null, "amount": {text}}}'.encode())
    amount = read(medusa.ChosenDelivery, body).amount
    assert type(amount) is Decimal
    assert medusa.money_of(amount, "eur") == Money(minor, "EUR")


@pytest.mark.parametrize(
    "amount", ["-1", "NaN", "Infinity", "1e99", '"69.95"', "true", "null", "[69.95]", "1" * 5000]
)
def test_what_is_no_amount_is_refused(amount: str) -> None:
    body = medusa.parse(f'{{"shipping_option_id": null, "amount": {amount}}}'.encode())
    with pytest.raises(Malformed):
        read(medusa.ChosenDelivery, body)
    with pytest.raises(Malformed):
        read(vendure.Order, {**VENDURE_ORDER, "totalWithTax": body.get("amount", -1)})


def test_hundredths_of_vendure_are_read_as_the_currency_counts() -> None:
    assert vendure.money_of(6995, "EUR") == Money(6995, "EUR")
    assert vendure.money_of(120000, "JPY") == Money(1200, "JPY")
    for minor, currency in ((120001, "JPY"), (6995, "EURO")):
        with pytest.raises(Malformed):
            vendure.money_of(minor, currency)


def test_a_vendure_order_that_was_cancelled_keeps_the_total_that_was_paid() -> None:
    cancelled = {**VENDURE_ORDER, "state": "Cancelled", "totalWithTax": 0}
    placed = read(vendure.Order, cancelled).as_placed()
    assert (placed.status, placed.total) == (OrderStatus.CANCELLED, Money(7485, "EUR"))


def test_stock_of_vendure_is_what_is_left_over_its_threshold() -> None:
    variant = {
        "id": "1", "sku": "A", "enabled": True, "product": {"enabled": True},
        "priceWithTax": 6995, "currencyCode": "EUR", "trackInventory": "INHERIT",
        "outOfStockThreshold": 2, "useGlobalOutOfStockThreshold": False,
        "stockLevels": [{"stockOnHand": 5, "stockAllocated": 1}] * 2,
    }  # fmt: skip
    assert read(vendure.Variant, variant).counted == 6
    assert read(vendure.Variant, {**variant, "trackInventory": "FALSE"}).counted is None
    line = QuoteLine("A", 7)
    sold = read(vendure.Variant, variant)
    # The shop put seven into the order though its books say six: it does not go by its books.
    assert vendure.quoted_line(line, sold, None, None).available is None
    short = vendure.quoted_line(line, sold, 6, None)
    assert (short.status, short.available) == (LineStatus.OUT_OF_STOCK, 6)


def test_medusa_prices_without_tax_are_known_only_with_it() -> None:
    price = {
        "calculated_amount": Decimal("100.1"),
        "is_calculated_price_tax_inclusive": False,
        "currency_code": "chf",
    }
    assert read(medusa.Price, price).gross is None
    taxed = {**price, "calculated_amount_with_tax": Decimal("108.2081")}
    assert read(medusa.Price, taxed).gross == Money(10821, "CHF")


def test_deliveries_of_medusa_go_by_their_code_only_where_it_is_their_own() -> None:
    option = {"name": "x", "amount": 5, "is_tax_inclusive": True}
    kinds = [("so_1", "standard"), ("so_2", "express"), ("so_3", "express"), ("so_4", None)]
    rows = [
        {**option, "id": each, "type": None if code is None else {"code": code}}
        for each, code in kinds
    ]
    assert list(medusa.codes_of(read_list(medusa.ShippingOption, rows, 9))) == [
        "standard",
        "so_2",
        "so_3",
        "so_4",
    ]


Answer = Callable[[str], tuple[int, bytes]]


class Hostile:
    """A shop that answers every call as it is told: path -> status and body. Log-ins succeed."""

    answer: Answer
    calls = 0

    def __init__(self) -> None:
        shop = self

        class Handler(Answering):
            def answer(self) -> None:
                self.taken()
                shop.calls += 1
                is_login = "operation=login" in self.path
                status, body = (200, b'{"data": {}}') if is_login else shop.answer(self.path)
                self.reply(status, body, {"vendure-auth-token": "t" * 32})

        self._server = LittleServer(Handler)
        self.url = self._server.url

    def close(self) -> None:
        """Stop listening."""
        self._server.close()


@pytest.fixture(scope="module")
def hostile() -> Iterator[Hostile]:
    shop = Hostile()
    yield shop
    shop.close()


@pytest.fixture(scope="module", params=["vendure", "medusa"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def connector(hostile: Hostile, name: str) -> MerchantConnector:
    return open_connector(name, {"url": hostile.url, **SETTINGS[name]})


JUNK = {
    "nothing": b"",
    "no json": b"<html>",
    "a list": b"[]",
    "no data": b"{}",
    "errors that are none": b'{"errors": "x"}',
    "errors of nothing": b'{"errors": [], "data": null}',
    "errors of lists": b'{"errors": [[]], "data": {"order": 5}}',
    "deep": b"[" * 100_000,
    "wrong types": json.dumps(
        {
            "data": {"order": {"id": 5}, "productVariants": {"items": [{"sku": 3}]}},
            "cart": {"id": "../../x", "items": "none"},
            "variants": [{"id": "v", "sku": []}],
        }
    ).encode(),
    "more than fits": b'{"data": "' + b"x" * 1_100_000 + b'"}',
}


@pytest.mark.parametrize("junk", JUNK, ids=str)
def test_junk_is_no_answer(
    hostile: Hostile, connector: MerchantConnector, name: str, junk: str
) -> None:
    hostile.answer = lambda _path: (200, JUNK[junk])
    with pytest.raises(NoAnswer):
        connector.quote(ORDER.lines, Destination("FR", "75011", "Paris"))
    with pytest.raises(NoAnswer):
        connector.find("leg_1", HANDLE[name])
    with pytest.raises(NoAnswer):
        connector.place(ORDER, HANDLE[name])


@pytest.mark.parametrize("status", [500, 502, 429, 409])
def test_trouble_while_an_order_is_placed_leaves_a_doubt(
    hostile: Hostile, connector: MerchantConnector, name: str, status: int
) -> None:
    draft = {**VENDURE_ORDER, "state": "ArrangingPayment", "orderPlacedAt": None}
    cart = {
        "id": "cart_1", "currency_code": "eur", "item_total": 69.95,
        "total": 74.85, "completed_at": None, "items": [], "shipping_methods": [],
        "metadata": {medusa.REFERENCE: "leg_1"},
    }  # fmt: skip
    variant = {
        "id": "v", "sku": "A", "manage_inventory": False, "allow_backorder": False,
        "calculated_price": {
            "calculated_amount": 69.95, "is_calculated_price_tax_inclusive": True,
            "currency_code": "eur",
        },
    }  # fmt: skip

    def answer(path: str) -> tuple[int, bytes]:
        if "operation=placeOrder" in path or path.endswith("/complete"):
            return status, b"{}"
        body = {
            "data": {"order": draft},
            "cart": cart,
            "variants": [variant],
            "shipping_options": [],
        }
        return 200, json.dumps(body).encode()

    hostile.answer = answer
    with pytest.raises(OutcomeUnknown):
        connector.place(ORDER, HANDLE[name])


@pytest.mark.parametrize("handle", ["", "../1", "1' OR '1'='1", "x" * 100, "cart_1/complete"])
def test_a_handle_that_is_none_of_ours_is_not_sent(
    hostile: Hostile, connector: MerchantConnector, handle: str
) -> None:
    before = hostile.calls
    with pytest.raises(DomainError) as refusal:
        connector.find("leg_1", handle)
    assert refusal.value.code == "handle_invalid"
    assert hostile.calls == before


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("PaymentSettled", OrderStatus.PLACED),
        ("PartiallyShipped", OrderStatus.IN_PREPARATION),
        ("PartiallyDelivered", OrderStatus.IN_PREPARATION),
        ("Shipped", OrderStatus.SHIPPED),
        ("Delivered", OrderStatus.SHIPPED),
    ],
)
def test_a_vendure_order_is_shipped_once_all_of_it_has_left(word: str, status: OrderStatus) -> None:
    assert read(vendure.Order, {**VENDURE_ORDER, "state": word}).as_placed().status is status


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("not_fulfilled", OrderStatus.PLACED),
        ("fulfilled", OrderStatus.IN_PREPARATION),
        ("partially_shipped", OrderStatus.IN_PREPARATION),
        ("partially_delivered", OrderStatus.IN_PREPARATION),
        ("shipped", OrderStatus.SHIPPED),
        ("delivered", OrderStatus.SHIPPED),
    ],
)
def test_a_medusa_order_is_shipped_once_all_of_it_has_left(word: str, status: OrderStatus) -> None:
    order = {
        "id": "order_1",
        "status": "pending",
        "fulfillment_status": word,
        "currency_code": "eur",
        "total": Decimal("74.85"),
        "created_at": "2026-11-23T12:00:00Z",
        "metadata": None,
    }
    assert read(medusa.Order, order).as_placed().status is status
