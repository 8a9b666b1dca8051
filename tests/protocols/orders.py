"""Orders to place with a protocol merchant, each of an article of its own."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from checkout.merchant_connectors.port import (
    Buyer,
    DeliveryAddress,
    Destination,
    OrderRequest,
    QuoteLine,
)
from kernel.money import Money
from tests.protocols.merchant_server import ProtocolShop

PARIS = Destination("FR", "75011", "Paris")
PRICE, DELIVERY = 6995, 490
_numbers = itertools.count(1)


@dataclass
class Sold:
    """An article and an order of it."""

    sku: str
    order: OrderRequest


def sell(shop: ProtocolShop, *, stock: int = 10, quantity: int = 1) -> Sold:
    """Put another article on sale, and order it."""
    number = next(_numbers)
    sku = f"PROTOCOL-{number}"
    shop.set_article(sku, price=PRICE, stock=stock)
    return Sold(
        sku,
        OrderRequest(
            reference=f"pur_protocol{number}/leg_1",
            lines=(QuoteLine(sku, quantity),),
            address=DeliveryAddress("Élise Ménard", "1 rue de l'Été", "75011", "Paris", "FR"),
            buyer=Buyer("buyer@shopper.example", "+33 1 42 34 56 78"),
            delivery_code="standard",
            expected_total=Money(PRICE * quantity + DELIVERY, "EUR"),
        ),
    )


def made_of(shop: ProtocolShop, handle: str) -> list[str]:
    """The numbers of the orders that a session made."""
    return [row["id"] for row in shop.books()["orders"] if row["session_id"] == handle]
