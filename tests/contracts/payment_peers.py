"""Payment providers for the contract suites: each adapter, its real peer, the buyer at its page."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from html import unescape
from urllib.parse import urlencode, urljoin

import pytest

from checkout.payment_providers import ProviderSettings, open_provider, provider_names
from checkout.payment_providers.port import Payment, PaymentProvider, PaymentRequest, page_form
from checkout.payment_providers.simulator import SimulatorProvider
from checkout.payment_providers.sips import SipsProvider
from checkout.payment_providers.stripe import StripeProvider
from checkout.payment_providers.worldline import WorldlineProvider
from checkout.peer_http import PeerLimits
from kernel.money import Money
from tests.peers import Simulator, http

GOOD_CARD = "4111 1111 1111 1111"
CO_BADGED_CARD = "4000 0025 0000 1001"
_numbers = itertools.count(1)


def eur(minor: int) -> Money:
    """An amount."""
    return Money(minor, "EUR")


def request_of(amount: int = 14480) -> PaymentRequest:
    """A payment to ask for, of a reference that no other test uses."""
    return PaymentRequest(
        reference=f"pur_pay{next(_numbers)}/leg_1",
        amount=eur(amount),
        merchant_account="acct_atelier",
        merchant_name="Atelier Oscar",
        return_url="http://127.0.0.1:8000/back?step=paid",
        cancel_url="http://127.0.0.1:8000/stopped",
        locale="fr",
        metadata={"brand": "aurore"},
    )


@dataclass(frozen=True)
class Traits:
    """What not every provider has. `remembers_pages`: an open page is described when it is read."""

    signature_header: str
    finds_open_pages: bool = True
    finds_payments: bool = True
    closes_pages: bool = True
    remembers_pages: bool = True
    keeps_keys: bool = True
    says_why_declined: bool = True
    signs_the_time: bool = True


TRAITS = {
    "simulator": Traits("Comptoir-Signature"),
    "stripe": Traits("Stripe-Signature"),
    "worldline": Traits(
        "X-GCS-Signature",
        finds_open_pages=False,
        finds_payments=False,
        closes_pages=False,
        remembers_pages=False,
        says_why_declined=False,
        signs_the_time=False,
    ),
    "sips": Traits(
        "",
        finds_open_pages=False,
        closes_pages=False,
        remembers_pages=False,
        keeps_keys=False,
        says_why_declined=False,
        signs_the_time=False,
    ),
}
HastyProvider = SimulatorProvider | StripeProvider | WorldlineProvider | SipsProvider
HASTY: dict[str, type[HastyProvider]] = {
    "simulator": SimulatorProvider,
    "stripe": StripeProvider,
    "worldline": WorldlineProvider,
    "sips": SipsProvider,
}
KEY_IDS = {"worldline": "comptoir:", "sips": "1:"}


def settings_of(name: str, simulator: Simulator) -> ProviderSettings:
    """The settings of an adapter; some providers' keys have an id of their own."""
    settings, key_id = simulator.settings(), KEY_IDS.get(name, "")
    return replace(
        settings,
        api_key=f"{key_id}{settings.api_key}",
        webhook_secret=f"{key_id}{settings.webhook_secret}",
    )


@dataclass
class Provider:
    """A provider under test: the adapter, and the buyer at its hosted page."""

    name: str
    simulator: Simulator
    adapter: PaymentProvider

    @property
    def settings(self) -> ProviderSettings:
        """What the adapter was opened with."""
        return settings_of(self.name, self.simulator)

    @property
    def traits(self) -> Traits:
        """What this provider has."""
        return TRAITS[self.name]

    def connect(self, **others: str) -> PaymentProvider:
        """Another adapter to it, with other settings."""
        return open_provider(self.name, replace(self.settings, **others))

    def hasty(self, silence_s: float) -> HastyProvider:
        """An adapter that waits for no longer than this."""
        return HASTY[self.name](self.settings, PeerLimits(silence_s=silence_s))

    def find(self, request: PaymentRequest) -> Payment | None:
        """The payment of a request."""
        return self.adapter.find(request.reference, request.merchant_account)

    def seen(self, payment: Payment) -> Payment:
        """A payment by what can be compared later."""
        return payment if self.traits.remembers_pages else replace(payment, id="", pay_url="")

    def pay(self, payment: Payment, number: str = GOOD_CARD, **fields: str) -> str:
        """The buyer types a card into the hosted page; where that leads to."""
        form = {"number": number, "expiry": "12/39", "code": "123", **fields}
        return paid_at(payment.pay_url, form)

    def remit(self) -> None:
        """The night passes: what was captured is sent to the bank."""
        assert self.simulator.call("POST", "/v1/test/remittance").status_code == 200

    def authorised(self, amount: int = 14480, **card: str) -> Payment:
        """A payment that the buyer has made."""
        request = request_of(amount)
        payment = self.adapter.create(request, f"{request.reference}/create")
        self.pay(payment, **card)
        return self.adapter.read(payment.id)

    def captured(self, amount: int = 14480) -> Payment:
        """A payment whose money was taken, and can be given back."""
        payment = self.authorised(amount)
        taken = self.adapter.capture(payment.id, payment.amount, f"{payment.id}/capture")
        self.remit()
        return taken

    def books(self, reference: str) -> list[tuple[str, int]]:
        """What moved for a reference, as the provider's own books have it."""
        rows = self.simulator.call("GET", "/v1/test/ledger").json()["payments"]
        return [
            (entry["kind"], entry["amount"])
            for row in rows
            if reference in (row["reference"], *row["metadata"].values())
            for entry in row["entries"]
        ]


def paid_at(pay_url: str, form: dict[str, str]) -> str:
    """Fill in a hosted page; where it leads to, by a link or by a form."""
    address = pay_url
    if (opening := page_form(pay_url)) is not None:
        opened = http.post(opening.action, data=dict(opening.fields))
        address = urljoin(opening.action, opened.headers["location"])
    answer = http.post(address, data=form)
    location = str(answer.headers.get("location", address))
    if opening is None or "/check" in location:
        return location
    page = http.get(urljoin(address, location)).text
    back = re.search(r'action="([^"]+)"', page)
    return unescape(back[1]) if back is not None and not back[1].startswith("/") else location


def notice_at(
    provider: Provider, at: datetime, body: bytes | None = None
) -> tuple[dict[str, str], bytes]:
    """Headers and body of a notice, as the provider makes them."""
    created = int(at.timestamp())
    secret = provider.simulator.keys["webhook_secret"].encode()
    if provider.name == "sips":
        return {}, _sips_notice(secret, at, body)
    event: dict[str, object] = {"id": "evt_1", "type": "payment.captured", "created": created}
    payment: dict[str, object] = {"id": "pay_x", "reference": "pur_x/leg_1"}
    event["data"] = {"payment": payment}
    if provider.name == "stripe":
        labels = {"reference": "pur_x/leg_1"}
        thing = {"object": "checkout.session", "id": "cs_test_x1", "metadata": labels}
        event |= {"account": "acct_atelier", "data": {"object": thing}}
    if provider.name == "worldline":
        about = {"paymentOutput": {"references": {"merchantReference": "pur_x/leg_1"}}}
        event |= {"apiVersion": "v1", "created": at.isoformat(), "payment": about}
    raw = body if body is not None else json.dumps(event).encode()
    header = provider.traits.signature_header
    if provider.name == "worldline":
        signature = base64.b64encode(hmac.new(secret, raw, hashlib.sha256).digest()).decode()
        return {header: signature, "X-GCS-KeyId": "comptoir"}, raw
    digest = hmac.new(secret, f"{created}.".encode() + raw, hashlib.sha256).hexdigest()
    return {header: f"t={created},v1={digest}"}, raw


def _sips_notice(secret: bytes, at: datetime, body: bytes | None) -> bytes:
    fields = {
        "merchantId": "acct_atelier",
        "responseCode": "00",
        "transactionDateTime": at.isoformat(),
        "orderId": "pur_x/leg_1",
    }
    data = "|".join(f"{name}={value}" for name, value in fields.items())
    if body is not None:
        data = f"merchantId=acct_atelier|{body.decode()}"
    seal = hmac.new(secret, data.encode(), hashlib.sha256).hexdigest()
    return urlencode({"Data": data, "Encode": "", "Seal": seal}).encode()


@pytest.fixture(scope="module", params=provider_names())
def provider(request: pytest.FixtureRequest, payment_simulator: Simulator) -> Provider:
    """Each provider with its real peer."""
    name = str(request.param)
    assert name in TRAITS, "a new provider brings its own peer"
    adapter = open_provider(name, settings_of(name, payment_simulator))
    return Provider(name, payment_simulator, adapter)


@pytest.fixture(autouse=True)
def no_faults_left(payment_simulator: Simulator) -> Iterator[None]:
    """What a test has switched on ends with it."""
    yield
    payment_simulator.call("DELETE", "/v1/test/faults")
