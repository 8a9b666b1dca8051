"""Merchants' real shops for the tests, beside Oscar's (`tests.peers`): installed once, reused."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import pytest

from comptoir.merchant_medusa import catalogue as medusa_catalogue
from comptoir.merchant_medusa import install as medusa
from comptoir.merchant_medusa import run as medusa_run
from comptoir.merchant_vendure import catalogue as vendure_catalogue
from comptoir.merchant_vendure import install as vendure
from comptoir.merchant_vendure import run as vendure_run
from comptoir.shop_install import end_with_children, has_node
from kernel.money import Money
from tests.peers import REPOSITORY, free_port


class RealShop(Protocol):
    """A running shop, its connector's settings, and its till.

    `placing` and `cancelling` are words in the request lines of those two calls; `wrong_account`
    is what a stranger's settings say; `overlooks_when_placing`: what may happen to a prepared
    article (`gone`, `dearer`) without the order being refused: it is made as it was confirmed.
    """

    url: str
    placing: str
    cancelling: str
    sells_the_last_item_twice: bool
    overlooks_when_placing: Collection[str]
    wrong_account: Mapping[str, str]

    def load(self, *sheets: dict[str, Any]) -> str:
        """Load sheets into the catalogue; what was done."""
        ...

    def set_article(
        self, sku: str, *, price: int, stock: int, delivery: dict[str, int] | None = None
    ) -> None:
        """Change an article; delivery is 4.90 EUR to France alone where it cannot be set."""
        ...

    def settings(self, **others: str) -> dict[str, str]:
        """The connector's settings."""
        ...


def shop_home(name: str) -> Path:
    """Where a shop is installed for the tests of this checkout."""
    given = os.environ.get(f"COMPTOIR_TEST_{name.upper()}_HOME")
    return Path(given) if given else REPOSITORY / ".comptoir" / f"test-{name}"


def leave_out(reason: str) -> None:
    """Skip loudly; fail where everything is required."""
    if os.environ.get("COMPTOIR_TEST_REQUIRE_ALL"):
        pytest.fail(f"required here: {reason}")
    pytest.skip(f"LEFT OUT: {reason}")


def tell(step: str) -> None:
    """Say what an installation does."""
    print(step, file=sys.stderr)  # noqa: T201


@dataclass
class VendureShop:
    """A running Vendure shop."""

    installation: vendure.VendureInstallation
    url: str
    office: vendure_catalogue.BackOffice
    placing: str = "operation=placeOrder"
    cancelling: str = "operation=cancelOrder"
    sells_the_last_item_twice: bool = False  # unless both buyers pay at the same moment
    overlooks_when_placing: Collection[str] = ("dearer",)
    wrong_account: Mapping[str, str] = field(default_factory=lambda: {"password": "wrong"})

    def load(self, *sheets: dict[str, Any]) -> str:
        """Load sheets into the catalogue."""
        return self.office.load(sheets)

    def set_article(
        self, sku: str, *, price: int, stock: int, delivery: dict[str, int] | None = None
    ) -> None:
        """Change an article by the shop's admin API. The shop delivers to France alone."""
        self.office.set_article(sku, price_minor=price, stock=stock)

    def let_through(self, order_id: str) -> None:
        """As far as the shop lets an order go before its payment."""
        self.office.call(
            """mutation ($order: ID!) {
              transitionOrderToState(id: $order, state: "ArrangingPayment") {
                ... on Order { state }
              }
            }""",
            {"order": order_id},
        )

    def turn(self, number: str, status: str) -> None:
        """Have all of an order leave the house, as the shop's own people would."""
        found = self.office.call(
            """query ($code: String!) {
              orders(options: { filter: { code: { eq: $code } } }) {
                items { lines { id quantity } }
              }
            }""",
            {"code": number},
        )
        (order,) = found["orders"]["items"]
        lines = [
            {"orderLineId": each["id"], "quantity": each["quantity"]} for each in order["lines"]
        ]
        made = self.office.call(
            """mutation ($lines: [OrderLineInput!]!) {
              addFulfillmentToOrder(input: { lines: $lines, handler: {
                code: "manual-fulfillment",
                arguments: [{ name: "method", value: "post" }, { name: "trackingCode", value: "1" }]
              } }) { ... on Fulfillment { id } ... on ErrorResult { message } }
            }""",
            {"lines": lines},
        )
        moved = self.office.call(
            """mutation ($id: ID!, $state: String!) {
              transitionFulfillmentToState(id: $id, state: $state) {
                ... on Fulfillment { state } ... on ErrorResult { message }
              }
            }""",
            {"id": made["addFulfillmentToOrder"]["id"], "state": status.capitalize()},
        )
        assert moved["transitionFulfillmentToState"]["state"] == status.capitalize()

    def register(self, email: str) -> None:
        """Open a customer's account."""
        self.office.call(
            """mutation ($input: CreateCustomerInput!) {
              createCustomer(input: $input, password: "sesame-open") { ... on Customer { id } }
            }""",
            {"input": {"emailAddress": email, "firstName": "É", "lastName": "M"}},
        )

    def settings(self, **others: str) -> dict[str, str]:
        """The connector's settings."""
        return {"url": self.url} | self.installation.account("platform") | others


@contextmanager
def running_vendure() -> Iterator[VendureShop]:
    """A real Vendure shop with an empty catalogue, in memory."""
    if not has_node():
        leave_out("the real Vendure shop, Node.js is absent")
    installation = vendure.install_shop(shop_home("vendure"), tell)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = vendure_run.start_shop(installation, port)
    try:
        vendure_run.wait_ready(installation, url, process)
        office = vendure_catalogue.BackOffice(url, **installation.account("admin"))
        try:
            yield VendureShop(installation, url, office)
        finally:
            office.close()
    finally:
        end_with_children(process)


@dataclass
class MedusaShop:
    """A running Medusa shop."""

    installation: medusa.MedusaInstallation
    url: str
    office: medusa_catalogue.BackOffice
    placing: str = "/complete"
    cancelling: str = "/cancel"
    sells_the_last_item_twice: bool = False
    overlooks_when_placing: Collection[str] = ("dearer",)
    wrong_account: Mapping[str, str] = field(
        default_factory=lambda: {"publishable_key": "pk_wrong", "password": "sk_wrong"}
    )

    def load(self, *sheets: dict[str, Any]) -> str:
        """Load sheets into the catalogue."""
        return self.office.load(sheets)

    def set_article(
        self, sku: str, *, price: int, stock: int, delivery: dict[str, int] | None = None
    ) -> None:
        """Change an article by the shop's admin API. The shop delivers to France alone."""
        self.office.set_article(sku, price_minor=price, stock=stock)

    def sell_in_francs(self, sku: str, price: str, delivery: str) -> str:
        """Sell an article in Switzerland too, at prices without tax; the region's id."""
        post = partial(self.office.call, "POST")
        ids = self.installation.accounts()
        region = post(
            "/admin/regions",
            {
                "name": "Suisse",
                "currency_code": "chf",
                "countries": ["ch"],
                "payment_providers": ["pp_system_default"],
            },
        )["region"]["id"]
        rate = {"rate": 8.1, "code": "TVA", "name": "TVA"}
        post(
            "/admin/tax-regions",
            {"country_code": "ch", "provider_id": "tp_system", "default_tax_rate": rate},
        )
        location = self.office.call(
            "GET",
            f"/admin/stock-locations/{ids['stock_location']}?fields=id,fulfillment_sets.id",
        )["stock_location"]
        zones = post(
            f"/admin/fulfillment-sets/{location['fulfillment_sets'][0]['id']}/service-zones",
            {"name": "Suisse", "geo_zones": [{"type": "country", "country_code": "ch"}]},
        )["fulfillment_set"]["service_zones"]
        post(
            "/admin/shipping-options",
            {
                "name": "Poste",
                "price_type": "flat",
                "provider_id": "manual_manual",
                "service_zone_id": next(each["id"] for each in zones if each["name"] == "Suisse"),
                "shipping_profile_id": ids["shipping_profile"],
                "type": {"label": "Poste", "description": "-", "code": "standard"},
                "prices": [{"currency_code": "chf", "amount": _francs(delivery)}],
                "rules": [
                    {"attribute": "enabled_in_store", "value": "true", "operator": "eq"},
                    {"attribute": "is_return", "value": "false", "operator": "eq"},
                ],
            },
        )
        self.office.set_article(sku, price_minor=6995, stock=5, others=[_francs(price)])
        return str(region)

    def settings(self, **others: str) -> dict[str, str]:
        """The connector's settings."""
        accounts = self.installation.accounts()
        return {
            "url": self.url,
            "publishable_key": accounts["publishable_key"],
            "region": accounts["region"],
            "password": accounts["secret_key"],
        } | others


def _francs(amount: str) -> Money:
    return Money.of(Decimal(amount), "CHF")


@contextmanager
def running_medusa() -> Iterator[MedusaShop]:
    """A real Medusa shop with an empty catalogue, on a database of this run."""
    home = shop_home("medusa")
    if not medusa.is_installed(home) and not os.environ.get("COMPTOIR_TEST_REQUIRE_ALL"):
        pytest.skip(f"LEFT OUT: the real Medusa shop, it is not installed in {home}")
    if not has_node():
        leave_out("the real Medusa shop, Node.js is absent")
    installation = medusa.install_shop(home, tell)
    database = f"shop_{uuid.uuid4().hex[:12]}"
    installation.copy_database(medusa.TEMPLATE, database)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = medusa_run.start_shop(installation, port, database)
    try:
        medusa_run.wait_ready(url, process)
        office = medusa_catalogue.BackOffice(url, installation)
        try:
            yield MedusaShop(installation, url, office)
        finally:
            office.close()
    finally:
        end_with_children(process)
        installation.drop_database(database)
