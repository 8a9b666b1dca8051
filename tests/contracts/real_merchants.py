"""The merchants that the suites of the connectors run on: each with its real system."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from checkout.merchant_connectors import capabilities_of, connector_names, open_connector
from checkout.merchant_connectors.port import (
    Buyer,
    DeliveryAddress,
    Destination,
    MerchantConnector,
    OrderRequest,
    QuoteLine,
)
from kernel.money import Money
from tests.shops import RealShop

INSTALLED_SHOPS = {"oscar", "vendure", "medusa"}
PARIS = Destination("FR", "75011", "Paris")
_numbers = itertools.count(1)


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


@dataclass
class Merchant:
    """A merchant's system under test, and how to change what it sells."""

    name: str
    shop: RealShop
    connector: MerchantConnector
    skus: Iterator[str]

    def article(
        self, *, price: int = 6995, stock: int = 10, delivery: dict[str, int] | None = None
    ) -> str:
        """Put another article on sale; its SKU."""
        sku = next(self.skus)
        self.shop.set_article(sku, price=price, stock=stock, delivery=delivery)
        return sku

    def order(self, sku: str, quantity: int, total: int) -> OrderRequest:
        return OrderRequest(
            reference=f"pur_test{next(_numbers)}/leg_1",
            lines=(QuoteLine(sku, quantity),),
            address=DeliveryAddress("Élise Ménard", "1 rue de l'Été", "75011", "Paris", "FR"),
            buyer=Buyer("buyer@shopper.example", "+33 1 42 34 56 78"),
            delivery_code="standard",
            expected_total=eur(total),
        )

    def open(self, **settings: str) -> MerchantConnector:
        """Another connector to the same shop, as after a restart: it remembers nothing."""
        return open_connector(self.name, self.shop.settings(**settings))

    def needs_cancelling(self) -> None:
        """Ends the test where the merchant's system cannot cancel."""
        if not capabilities_of(self.name).cancels_orders:
            pytest.skip(f"{self.name} orders are cancelled by the merchant alone")

    def counted(self, pieces: int) -> int | None:
        """So many, where the shop says how many."""
        return pieces if capabilities_of(self.name).counts_stock else None

    def check_stock(self, sku: str, expected: int) -> None:
        """The shop sells so many more, where it says how many."""
        available = self.connector.quote([QuoteLine(sku, 1)], PARIS).lines[0].available
        assert available == self.counted(expected)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=getattr(pytest.mark, name) if name in INSTALLED_SHOPS else ())
        for name in connector_names()
    ],
)
def merchant(request: pytest.FixtureRequest) -> Merchant:
    """Each connector with its real peer; a new connector has to bring one."""
    shop: RealShop = request.getfixturevalue(f"{request.param}_shop")
    batch = next(_numbers)
    skus = [f"CONTRACT-{batch}-{number}" for number in range(60)]
    sheet = {"title": "Grille-pain Lumière", "currency": "EUR", "price_minor": 6995, "stock": 10}
    assert shop.load(*(sheet | {"sku": sku} for sku in skus)) == "60 new, 0 known, 0 refused"
    return Merchant(request.param, shop, open_connector(request.param, shop.settings()), iter(skus))
