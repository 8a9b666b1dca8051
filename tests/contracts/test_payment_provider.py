"""What every payment provider must do, run against the provider's real process."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from checkout.outcomes import NoAnswer, OutcomeUnknown, Refused
from checkout.payment_providers import ProviderSettings, open_provider, provider_names
from checkout.payment_providers.port import (
    Payment,
    PaymentProvider,
    PaymentRequest,
    PaymentStatus,
)
from checkout.payment_providers.simulator import SimulatorProvider
from checkout.payment_providers.stripe import StripeProvider
from checkout.payment_providers.worldline import WorldlineProvider
from checkout.peer_http import PeerLimits
from kernel.errors import NotFound
from kernel.money import Money
from tests.peers import FaultyWire, Listener, Simulator, free_port, http, wait_for

GOOD_CARD = "4111 1111 1111 1111"
_numbers = itertools.count(1)


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def request_of(amount: int = 14480) -> PaymentRequest:
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
    searches: bool = True
    closes_pages: bool = True
    remembers_pages: bool = True
    says_why_declined: bool = True
    signs_the_time: bool = True


TRAITS = {
    "simulator": Traits("Comptoir-Signature"),
    "stripe": Traits("Stripe-Signature"),
    "worldline": Traits(
        "X-GCS-Signature",
        searches=False,
        closes_pages=False,
        remembers_pages=False,
        says_why_declined=False,
        signs_the_time=False,
    ),
}
HASTY = {"simulator": SimulatorProvider, "stripe": StripeProvider, "worldline": WorldlineProvider}


def settings_of(name: str, simulator: Simulator) -> ProviderSettings:
    """The settings of an adapter; Worldline's keys have an id of their own."""
    settings = simulator.settings()
    if name != "worldline":
        return settings
    return replace(
        settings,
        api_key=f"comptoir:{settings.api_key}",
        webhook_secret=f"comptoir:{settings.webhook_secret}",
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

    def hasty(self, silence_s: float) -> SimulatorProvider | StripeProvider | WorldlineProvider:
        """An adapter that waits for no longer than this."""
        return HASTY[self.name](self.settings, PeerLimits(silence_s=silence_s))

    def find(self, request: PaymentRequest) -> Payment | None:
        """The payment of a request."""
        return self.adapter.find(request.reference, request.merchant_account)

    def seen(self, payment: Payment) -> Payment:
        """A payment by what can be compared later."""
        return payment if self.traits.remembers_pages else replace(payment, id="", pay_url="")

    def pay(self, payment: Payment, number: str = GOOD_CARD) -> httpx2.Response:
        """The buyer types a card into the hosted page."""
        form = {"number": number, "expiry": "12/39", "code": "123"}
        return http.post(payment.pay_url, data=form)

    def authorised(self, amount: int = 14480) -> Payment:
        request = request_of(amount)
        payment = self.adapter.create(request, f"{request.reference}/create")
        self.pay(payment)
        return self.adapter.read(payment.id)


@pytest.fixture(scope="module", params=provider_names())
def provider(request: pytest.FixtureRequest, payment_simulator: Simulator) -> Provider:
    """Each provider with its real peer."""
    name = str(request.param)
    assert name in TRAITS, "a new provider brings its own peer"
    adapter = open_provider(name, settings_of(name, payment_simulator))
    return Provider(name, payment_simulator, adapter)


@pytest.fixture(autouse=True)
def no_faults_left(payment_simulator: Simulator) -> Iterator[None]:
    yield
    payment_simulator.call("DELETE", "/v1/test/faults")


def test_the_whole_way_of_a_payment(provider: Provider) -> None:
    request = request_of()
    payment = provider.adapter.create(request, "whole-way/create")
    assert payment.status is PaymentStatus.REQUIRES_PAYMENT
    assert payment.amount == eur(14480)
    assert provider.pay(payment).headers["location"].startswith(request.return_url)
    authorised = provider.adapter.read(payment.id)
    assert authorised.status is PaymentStatus.AUTHORISED
    assert authorised.capture_before is not None
    assert authorised.capture_before > datetime.now(UTC) + timedelta(days=6)
    captured = provider.adapter.capture(payment.id, eur(14480), "whole-way/capture")
    assert (captured.status, captured.captured) == (PaymentStatus.CAPTURED, eur(14480))
    refunded = provider.adapter.refund(payment.id, eur(4000), "whole-way/refund")
    assert (refunded.status, refunded.refunded) == (PaymentStatus.CAPTURED, eur(4000))
    assert provider.adapter.read(refunded.id) == refunded
    if provider.traits.searches:
        assert provider.find(request) == refunded


def test_find_says_none_only_of_an_unknown_reference(provider: Provider) -> None:
    assert provider.adapter.find("pur_never/leg_1", "acct_atelier") is None
    request = request_of()
    payment = provider.adapter.create(request, f"{request.reference}/create")
    assert provider.find(request) == (payment if provider.traits.searches else None)


def test_the_same_key_is_done_once_and_another_request_under_it_refused(
    provider: Provider,
) -> None:
    request = request_of()
    first = provider.adapter.create(request, "once/create")
    again = provider.adapter.create(request, "once/create")
    assert provider.seen(again) == provider.seen(first)
    assert again.pay_url == first.pay_url
    with pytest.raises(Refused) as conflict:
        provider.adapter.create(replace(request, amount=eur(1)), "once/create")
    assert conflict.value.code == "idempotency_conflict"
    if provider.name == "simulator":
        with pytest.raises(Refused) as taken:
            provider.adapter.create(request, "once/create-again")
        assert taken.value.code == "duplicate_reference"


def test_never_more_than_authorised_and_never_twice(provider: Provider) -> None:
    payment = provider.authorised(5000)
    with pytest.raises(Refused) as over:
        provider.adapter.capture(payment.id, eur(5001), f"{payment.id}/too-much")
    assert over.value.code == "over_capture"
    partly = provider.adapter.capture(payment.id, eur(3000), f"{payment.id}/capture")
    assert partly.captured == eur(3000)
    with pytest.raises(Refused) as twice:
        provider.adapter.capture(payment.id, eur(1000), f"{payment.id}/capture-2")
    assert twice.value.code == "already_captured"
    with pytest.raises(Refused) as too_much_back:
        provider.adapter.refund(payment.id, eur(3001), f"{payment.id}/refund")
    assert too_much_back.value.code == "over_refund"


def test_after_a_void_nothing_can_be_taken(provider: Provider) -> None:
    payment = provider.authorised()
    assert provider.adapter.void(payment.id, f"{payment.id}/void").status is PaymentStatus.VOIDED
    with pytest.raises(Refused) as refusal:
        provider.adapter.capture(payment.id, payment.amount, f"{payment.id}/capture")
    assert refusal.value.code == "not_capturable"
    with pytest.raises(Refused) as again:
        provider.adapter.void(payment.id, f"{payment.id}/void-2")
    assert again.value.code == "not_voidable"
    with pytest.raises(Refused) as nothing:
        provider.adapter.refund(payment.id, eur(1), f"{payment.id}/refund")
    assert nothing.value.code == "not_refundable"


def test_an_open_page_can_be_closed_by_a_void(provider: Provider) -> None:
    request = request_of()
    payment = provider.adapter.create(request, f"{request.reference}/create")
    if not provider.traits.closes_pages:
        # It says so, and the money is released once somebody has paid all the same.
        with pytest.raises(NoAnswer):
            provider.adapter.void(payment.id, f"{request.reference}/void")
        provider.pay(payment)
    provider.adapter.void(payment.id, f"{request.reference}/void")
    provider.pay(payment)
    assert provider.adapter.read(payment.id).status is PaymentStatus.VOIDED
    assert provider.adapter.read(payment.id).captured == eur(0)


def test_a_declined_card_leaves_the_page_open_and_says_why(provider: Provider) -> None:
    request = request_of()
    payment = provider.adapter.create(request, f"{request.reference}/create")
    provider.pay(payment, "4000 0000 0000 9995")
    declined = provider.adapter.read(payment.id)
    assert declined.status is PaymentStatus.REQUIRES_PAYMENT
    why = "insufficient_funds" if provider.traits.says_why_declined else None
    assert declined.decline_code == why
    provider.pay(payment)
    assert provider.adapter.read(payment.id).status is PaymentStatus.AUTHORISED


@pytest.mark.parametrize("kind", ["error_before", "error_after", "answer_lost", "timeout_before"])
@pytest.mark.parametrize("operation", ["create", "capture", "void", "refund"])
def test_a_doubtful_outcome_is_unknown_and_the_same_key_settles_it(
    provider: Provider, operation: str, kind: str
) -> None:
    request = request_of()
    key = f"{request.reference}/{operation}"
    payment = provider.authorised()
    if operation == "refund":
        provider.adapter.capture(payment.id, payment.amount, f"{payment.id}/capture")

    def act() -> Payment:
        if operation == "create":
            return provider.adapter.create(request, key)
        if operation == "void":
            return provider.adapter.void(payment.id, key)
        move = provider.adapter.capture if operation == "capture" else provider.adapter.refund
        return move(payment.id, payment.amount, key)

    provider.simulator.fault(operation, kind, delay_s=0.2)
    with pytest.raises(OutcomeUnknown):
        act()
    is_done = kind in ("error_after", "answer_lost")
    if operation == "create" and provider.traits.searches:
        assert (provider.find(request) is not None) == is_done
    done = act()
    assert provider.seen(done) == provider.seen(act())
    expected = {
        "create": (eur(0), eur(0)),
        "capture": (payment.amount, eur(0)),
        "void": (eur(0), eur(0)),
        "refund": (payment.amount, payment.amount),
    }
    assert (done.captured, done.refunded) == expected[operation]
    assert provider.seen(provider.adapter.read(done.id)) == provider.seen(done)


def test_an_answer_that_comes_too_late_is_unknown(provider: Provider) -> None:
    payment = provider.authorised()
    hasty = provider.hasty(0.3)
    provider.simulator.fault("capture", "answer_late", delay_s=1.0)
    with pytest.raises(OutcomeUnknown):
        hasty.capture(payment.id, payment.amount, f"{payment.id}/capture")
    hasty.close()
    assert provider.adapter.read(payment.id).status is PaymentStatus.CAPTURED


def test_the_same_request_still_under_way_is_unknown(provider: Provider) -> None:
    payment = provider.authorised()
    hasty = provider.hasty(0.2)
    provider.simulator.fault("capture", "timeout_before", delay_s=1.5)
    with pytest.raises(OutcomeUnknown):
        hasty.capture(payment.id, payment.amount, f"{payment.id}/capture")
    with pytest.raises(OutcomeUnknown) as under_way:
        hasty.capture(payment.id, payment.amount, f"{payment.id}/capture")
    hasty.close()
    assert under_way.value.retry_after_s == 1
    assert provider.adapter.read(payment.id).status is PaymentStatus.AUTHORISED


def test_silence_is_never_taken_for_no(provider: Provider) -> None:
    request, payment = request_of(), provider.authorised()

    def look(adapter: PaymentProvider) -> object:
        if provider.traits.searches:
            return adapter.find(request.reference, request.merchant_account)
        return adapter.read(payment.id)

    nobody = provider.connect(url=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(NoAnswer):
        look(nobody)
    with pytest.raises(NoAnswer):
        nobody.create(request, "x")
    provider.simulator.fault("read", "error_before", count=2)
    with pytest.raises(NoAnswer):
        look(provider.adapter)
    stranger = provider.connect(api_key=f"{provider.settings.api_key}x")
    with pytest.raises(Refused) as refusal:
        stranger.create(request, "x")
    assert refusal.value.code == "unauthorised"
    with pytest.raises(NoAnswer):
        look(stranger)


def test_a_question_is_asked_again_after_a_lost_answer(provider: Provider) -> None:
    payment = provider.authorised()
    provider.simulator.fault("read", "answer_lost")
    assert provider.adapter.read(payment.id) == payment


def test_a_broken_wire_is_unknown_too(provider: Provider) -> None:
    payment = provider.authorised()
    wire = FaultyWire(provider.simulator.url)
    try:
        adapter = provider.connect(url=wire.url)
        assert adapter.read(payment.id) == payment
        wire.lose = "/capture"
        with pytest.raises(OutcomeUnknown):
            adapter.capture(payment.id, payment.amount, f"{payment.id}/capture")
    finally:
        wire.close()
    assert provider.adapter.read(payment.id).captured == payment.amount


@pytest.mark.parametrize(
    "payment_id",
    [
        *("pay_aaaaaaaaaaaaaaaaaaaaaaaaaa", "acct_atelier:cs_test_aaaaaaaaaaaaaaaaaaaaaaaaaa"),
        *("../test/ledger", "", "acct_atelier/paid/aaaaaaaaaaaaaaaaaaaaaaaaaa_0"),
    ],
)
def test_an_unknown_payment_is_refused(provider: Provider, payment_id: str) -> None:
    with pytest.raises(Refused) as refusal:
        provider.adapter.read(payment_id)
    assert refusal.value.code == "payment_unknown"


def _notice(
    provider: Provider, at: datetime, body: bytes | None = None
) -> tuple[dict[str, str], bytes]:
    """Headers and body of a notice, as the provider makes them."""
    created = int(at.timestamp())
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
    secret = provider.simulator.keys["webhook_secret"].encode()
    header = provider.traits.signature_header
    if provider.name == "worldline":
        signature = base64.b64encode(hmac.new(secret, raw, hashlib.sha256).digest()).decode()
        return {header: signature, "X-GCS-KeyId": "comptoir"}, raw
    digest = hmac.new(secret, f"{created}.".encode() + raw, hashlib.sha256).hexdigest()
    return {header: f"t={created},v1={digest}"}, raw


def test_a_signed_notice_is_read(provider: Provider) -> None:
    now = datetime.now(UTC)
    headers, raw = _notice(provider, now)
    paid = {"stripe": "acct_atelier:cs_test_x1", "simulator": "pay_x"}.get(provider.name, "")
    for given in (headers, {name.lower(): value for name, value in headers.items()}):
        event = provider.adapter.verify_webhook(given, raw, now)
        assert (event.id, event.type) == ("evt_1", "payment.captured")
        assert (event.payment_id, event.reference) == (paid, "pur_x/leg_1")


def test_the_providers_own_notices_are_read(provider: Provider) -> None:
    payment = provider.authorised()
    provider.adapter.capture(payment.id, payment.amount, f"{payment.id}/capture")
    listener = Listener()
    try:
        address = {"url": f"{listener.url}/notices"}
        provider.simulator.call("PUT", "/v1/webhook-endpoint", json=address)
        wait_for(lambda: _has_notice(provider, listener, payment))
    finally:
        listener.close()


def _has_notice(provider: Provider, listener: Listener, payment: Payment) -> bool:
    for each in list(listener.received):
        if provider.traits.signature_header.lower() in {name.lower() for name in each.headers}:
            event = provider.adapter.verify_webhook(each.headers, each.body, datetime.now(UTC))
            if event.reference == payment.reference:
                return True
    return False


@pytest.mark.parametrize(
    ("age_s", "code"), [(0, None), (299, None), (-299, None), (302, "stale"), (-302, "stale")]
)
def test_a_notice_is_good_for_five_minutes(
    provider: Provider, age_s: int, code: str | None
) -> None:
    now = datetime.now(UTC)
    headers, raw = _notice(provider, now - timedelta(seconds=age_s))
    if code is None or not provider.traits.signs_the_time:
        assert provider.adapter.verify_webhook(headers, raw, now).id == "evt_1"
        return
    with pytest.raises(Refused) as refusal:
        provider.adapter.verify_webhook(headers, raw, now)
    assert refusal.value.code == f"webhook_{code}"


def test_a_notice_that_was_touched_is_refused(provider: Provider) -> None:
    now = datetime.now(UTC)
    headers, raw = _notice(provider, now)
    signature = headers[provider.traits.signature_header]
    forged = {**headers, provider.traits.signature_header: signature[:-8] + "0" * 8}
    cases = {
        "webhook_unsigned": [({}, raw)],
        "webhook_forged": [(headers, raw + b" "), (forged, raw)],
        "webhook_malformed": [_notice(provider, now, b"[" * 5000)],
    }
    if provider.traits.signs_the_time:
        stamp = signature.split(",")[0].removeprefix("t=")
        later = signature.replace(stamp, str(int(stamp) + 1))
        cases["webhook_unsigned"].append(({provider.traits.signature_header: "v1=abc"}, raw))
        cases["webhook_forged"].append(({provider.traits.signature_header: later}, raw))
    for code, notices in cases.items():
        for given, body in notices:
            with pytest.raises(Refused) as refusal:
                provider.adapter.verify_webhook(given, body, now)
            assert refusal.value.code == code


def test_an_unknown_provider_is_named_with_those_that_exist(provider: Provider) -> None:
    with pytest.raises(NotFound) as error:
        open_provider("no-such-bank", provider.simulator.settings())
    assert "simulator" in error.value.hint
