"""The Stripe adapter against localstripe, which somebody else wrote: an independent smoke.

Seen here: the official package's own requests for manual capture, cancellation, partial refunds and
their list are what another reading of Stripe's documents takes. localstripe does not understand
Checkout sessions (`tests.localstripe_server` answers for the page), `latest_charge`,
`amount_received`, the networks of a card, lists of the balance by time, `Stripe-Account` and keys
of idempotency (both ignored) and expiry; it gives back more than was taken, and what was released.
All that is held by the strict simulator alone (`tests/contracts/test_payment_provider*.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from checkout.outcomes import Refused
from checkout.payment_providers import ProviderSettings, open_provider
from checkout.payment_providers.port import Payment, PaymentProvider, PaymentStatus
from tests.contracts.payment_peers import eur, request_of
from tests.localstripe_server import Checkout, running_localstripe


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    with running_localstripe(tmp_path_factory.mktemp("localstripe")) as running:
        yield running


@pytest.fixture
def stripe(checkout: Checkout) -> PaymentProvider:
    return open_provider("stripe", ProviderSettings(checkout.url, "sk_test_12345", "whsec_x"))


def authorised(stripe: PaymentProvider, checkout: Checkout, amount: int = 14480) -> Payment:
    request = replace(request_of(amount), merchant_account="acct_atelier1")
    payment = stripe.create(request, f"{request.reference}/create")
    assert payment.status is PaymentStatus.REQUIRES_PAYMENT
    assert checkout.pay(payment.id.partition(":")[2]) == 200
    held = stripe.read(payment.id)
    assert (held.status, held.amount) == (PaymentStatus.AUTHORISED, eur(amount))
    return held


def test_taken_and_given_back_in_parts(stripe: PaymentProvider, checkout: Checkout) -> None:
    held = authorised(stripe, checkout)
    taken = stripe.capture(held.id, held.amount, "capture")
    assert (taken.status, taken.captured) == (PaymentStatus.CAPTURED, eur(14480))
    with pytest.raises(Refused):
        stripe.capture(held.id, held.amount, "capture again")
    first = stripe.refund(held.id, eur(4000), "refund 1")
    second = stripe.refund(held.id, eur(480), "refund 2")
    assert (first.refunded, second.refunded) == (eur(4000), eur(4480))
    with pytest.raises(Refused):
        stripe.void(held.id, "too late")


def test_released_before_it_is_taken(stripe: PaymentProvider, checkout: Checkout) -> None:
    held = authorised(stripe, checkout, 990)
    with pytest.raises(Refused):
        stripe.capture(held.id, eur(991), "too much")
    assert stripe.void(held.id, "void").status is PaymentStatus.VOIDED


def test_what_is_not_there_is_refused(stripe: PaymentProvider) -> None:
    with pytest.raises(Refused) as unknown:
        stripe.read("acct_atelier1:cs_test_never")
    assert unknown.value.code == "payment_unknown"
