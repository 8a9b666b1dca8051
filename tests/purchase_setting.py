"""A shop set up for buying: brand, merchants, offers, the real payment simulator, the pages.

Used by the tests of checkout, of the whole flow and of its crashes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.testclient import TestClient

import tenants
from checkout import tables as t
from checkout.basket import put_line, read_basket
from checkout.confirm import Acceptance, AskAgain, Purchased, confirm
from checkout.contact import Contact
from checkout.deps import CheckoutDeps, Windows
from checkout.merchant_connectors.port import MerchantConnector
from checkout.orders import LegRecord, Order, read_purchase
from checkout.payment_providers.port import PaymentProvider
from checkout.peer_http import PeerClient
from checkout.purchase.advance import advance
from checkout.quote import freeze, live_quote
from checkout.quote_document import Quote
from checkout.routes import build_router
from checkout.signed_links import OrderLinks
from comptoir.brand_gate import BrandGate
from kernel.db import Database
from kernel.offer_terms import Execution
from kernel.settings import Settings
from mdm.merchants import Merchant, register_merchant
from tenants.brand import Brand, read_brand_file
from tenants.pages.rendering import page_environment
from tenants.registry import BrandRegistry, apply_brand
from tenants.terms import Terms, current_terms
from tests.peers import Simulator

CONTACT = Contact(
    email="cliente@example.org",
    name="Cliente Exemple",
    phone="",
    line1="12 rue des Tanneurs",
    line2="",
    postcode="69005",
    city="Lyon",
    country="FR",
)
GOOD_CARD = {"number": "4111 1111 1111 1111", "expiry": "12/39", "code": "123"}
SITE = "http://shop.example"
LINKS = OrderLinks(b"an installation's secret")
# A browser's part in a purchase costs next to nothing beside the shop's.
_buyer = PeerClient("")
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Clock:
    """The time, which a test may put forward."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


def bundled_brand(database: Database, name: str = "mirabelle") -> Brand:
    """A brand of ours on record, with its terms."""
    assert tenants.__file__ is not None
    document, terms = read_brand_file(Path(tenants.__file__).parent / "bundled" / f"{name}.toml")
    document = {**document, "catalogue": {"merchants": "*"}}
    with database.platform() as tx:
        return apply_brand(tx, document, terms).brand


def add_merchant(database: Database, merchant_id: str, **others: Any) -> Merchant:
    """A merchant that takes orders."""
    merchant = Merchant(
        id=merchant_id,
        name=merchant_id.title(),
        country="FR",
        execution=others.pop("execution", Execution.EXECUTE),
        connector=others.pop("connector", "small"),
        phone="+33 4 00 00 00 00",
        returns_days=30,
        **others,
    )
    with database.platform() as tx:
        register_merchant(tx, merchant)
    return merchant


def add_offer(database: Database, merchant_id: str, sku: str, price: int, **others: Any) -> str:
    """A live offer with a product of its own; answers the offer's id."""
    offer_id = f"off_{merchant_id}{sku}".replace("-", "")
    golden = {
        "titles": others.get("titles", {"fr": f"Article {sku}"}),
        "descriptions": {},
        "manufacturer": None,
        "gtins": [],
        "mpns": [],
        "category_id": None,
        "attributes": {},
        "image_urls": [],
        "variant_groups": [],
        "provenance": {},
    }
    offer = sa.table("offer", *map(sa.column, _OFFER_COLUMNS), schema="mdm")
    product = sa.table("product", *map(sa.column, _PRODUCT_COLUMNS), schema="mdm")
    now = datetime.now(UTC)
    values = {
        "offer_id": offer_id,
        "source_id": merchant_id,
        "sku": sku,
        "merchant_id": merchant_id,
        "product_id": f"prd_{merchant_id}{sku}",
        "live": True,
        "identity_sha256": b"0",
        "shown_sha256": b"0",
        "title": f"Article {sku}",
        "price_minor": price,
        "currency": "EUR",
        "condition": "new",
        "availability": others.get("availability", "in_stock"),
        "quantity": others.get("quantity"),
        "updated_at": now,
        "confirmed_at": now,
        "expires_at": now + timedelta(days=30),
    }
    json_columns = {"delivery": [], "facts": {}, "golden": golden}
    with database.platform() as tx:
        tx.execute(
            product.insert().values(
                product_id=values["product_id"],
                version=1,
                state="live",
                golden=sa.cast(json_columns["golden"], sa.dialects.postgresql.JSONB),
                updated_at=now,
            )
        )
        tx.execute(
            offer.insert().values(
                **values,
                delivery=sa.cast(json_columns["delivery"], sa.dialects.postgresql.JSONB),
                facts=sa.cast(json_columns["facts"], sa.dialects.postgresql.JSONB),
            )
        )
    return offer_id


_OFFER_COLUMNS = (
    *("offer_id", "source_id", "sku", "merchant_id", "product_id", "live", "identity_sha256"),
    *("shown_sha256", "title", "price_minor", "currency", "condition", "availability"),
    *("quantity", "delivery", "facts", "updated_at", "confirmed_at", "expires_at"),
)
_PRODUCT_COLUMNS = ("product_id", "version", "state", "golden", "updated_at")


@lru_cache(maxsize=8)
def _settings(webhook_secret: str) -> Settings:
    """Reading the environment takes longer than a step of a purchase."""
    return Settings(payment_webhook_secret=SecretStr(webhook_secret))


@dataclass
class Setting:
    """Everything a purchase needs, with the shopper's steps as short calls."""

    database: Database
    brand: Brand
    simulator: Simulator
    connectors: dict[str, MerchantConnector]
    provider: PaymentProvider
    clock: Clock = field(default_factory=Clock)
    windows: Windows = field(default_factory=Windows)

    @property
    def deps(self) -> CheckoutDeps:
        """What checkout is given."""
        secret = self.simulator.keys["webhook_secret"]
        return CheckoutDeps(
            database=self.database,
            settings=_settings(secret),
            connectors=lambda merchant: self.connectors[merchant.id],
            provider=self.provider,
            links=LINKS,
            clock=self.clock,
            windows=self.windows,
        )

    def terms(self) -> Terms:
        """The terms in force."""
        with self.database.brand(self.brand.id) as tx:
            return current_terms(tx, self.brand.id, "fr")

    def quote(self, offers: Mapping[str, int], contact: Contact = CONTACT) -> Quote:
        """A basket of these offers, quoted live and frozen."""
        from checkout.basket import keep_contact

        with self.database.brand(self.brand.id) as tx:
            basket_id = None
            for offer_id, quantity in offers.items():
                basket_id, _ = put_line(tx, self.brand, basket_id, offer_id, quantity)
            assert basket_id is not None
            keep_contact(tx, basket_id, contact)
            basket = read_basket(tx, basket_id)
        quote = live_quote(self.deps, self.brand, basket, contact)
        with self.database.brand(self.brand.id) as tx:
            freeze(tx, self.brand, quote)
        return quote

    def acceptance(self, quote: Quote) -> Acceptance:
        """The click that confirms a quote."""
        terms = self.terms()
        return Acceptance(
            quote.basket_id, quote.quote_id, quote.token, terms.version, terms.sha256, "fr", SITE
        )

    def confirm(self, quote: Quote) -> Purchased:
        """The click, which has to make a purchase."""
        outcome = confirm(self.deps, self.brand, self.acceptance(quote))
        assert not isinstance(outcome, AskAgain)
        return outcome

    def order(self, purchase_id: str) -> Order:
        """The purchase as it stands."""
        with self.database.brand(self.brand.id) as tx:
            return read_purchase(tx, purchase_id)

    def opens(self, order_ref: str) -> str:
        """The signed reference, which opens the order's pages."""
        return LINKS.order(self.brand.id, order_ref)

    def pay(self, purchase_id: str, card: Mapping[str, str] = GOOD_CARD) -> list[str]:
        """Pay what is payable at the provider's page; answers where it leads back to."""
        return [
            pay_at(record.pay_url, card)
            for record in self.order(purchase_id).legs
            if record.is_payable and record.pay_url is not None
        ]

    def buy(self, offers: Mapping[str, int]) -> Purchased:
        """Confirmed and paid for, and carried on as far as it goes then."""
        made = self.confirm(self.quote(offers))
        advance(self.deps, made.purchase_id)
        self.pay(made.purchase_id)
        advance(self.deps, made.purchase_id)
        return made

    def leg(self, purchase_id: str) -> LegRecord:
        """The only leg of a purchase."""
        (record,) = self.order(purchase_id).legs
        return record

    def captured(self, purchase_id: str) -> int:
        """What the provider has taken for its only leg, in minor units."""
        return int(self.payment_of(purchase_id)["captured_amount"])

    def provider_payments(self, *references: str) -> list[dict[str, Any]]:
        """What the provider has in its books for these legs."""
        books = self.simulator.call("GET", "/v1/test/ledger").json()
        return [row for row in books["payments"] if row["reference"] in references]

    def payment_of(self, purchase_id: str) -> dict[str, Any]:
        """The only payment of a purchase with one leg."""
        (leg,) = self.order(purchase_id).legs
        (payment,) = self.provider_payments(leg.leg.leg_id)
        return payment

    def steps(self, purchase_id: str) -> list[tuple[str, str | None]]:
        """The journal of a purchase: step and outcome."""
        with self.database.platform() as tx:
            rows = tx.execute(
                sa.select(t.step.c.name, t.step.c.outcome)
                .join(t.leg, t.leg.c.leg_id == t.step.c.leg_id)
                .where(t.leg.c.purchase_id == purchase_id)
                .order_by(t.step.c.started_at)
            )
            return [(row.name, row.outcome) for row in rows]

    def client(self) -> TestClient:
        """A browser without scripts on the shop."""
        app = FastAPI()
        app.state.pages = page_environment(["checkout.pages"])
        app.include_router(build_router(self.deps))
        app.add_middleware(BrandGate, brands=BrandRegistry(self.database))
        return TestClient(app, base_url=f"http://{self.brand.hosts[0]}", follow_redirects=False)


def pay_at(pay_url: str, card: Mapping[str, str] = GOOD_CARD) -> str:
    """Fill in the card at the provider's page; answers the address that it leads on to."""
    page, form = pay_url.split("?", maxsplit=1)[0], urlencode(card).encode()
    answer = _buyer.exchange("POST", page, content=form, headers=_FORM)
    assert answer.status == 303, answer.raw[:500]
    return answer.headers["location"]


def hidden_fields(html: str) -> dict[str, str]:
    """Hidden fields of a page's forms, by name."""
    found = {}
    for tag in re.findall(r"<input[^>]*type=\"hidden\"[^>]*>", html):
        name = re.search(r"name=\"([^\"]*)\"", tag)
        value = re.search(r"value=\"([^\"]*)\"", tag)
        if name and value:
            found[name[1]] = value[1]
    return found
