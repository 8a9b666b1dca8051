"""Every way in which a provider fails, at every step: what we say in the end is what its books say.

The payment is driven as a purchase does: what was left in doubt is looked up, then asked for again
under the same key. Nothing waits: faults strike at once, and silence is short.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from checkout.outcomes import NoAnswer, OutcomeUnknown
from checkout.payment_providers.port import Payment, PaymentProvider, PaymentRequest, PaymentStatus
from comptoir.payment_simulator.cards import CHALLENGE_CODE, SAMPLES, Fate
from comptoir.payment_simulator.faults import (
    REQUEST_KINDS,
    REQUEST_OPERATIONS,
    WEBHOOK_KINDS,
)
from tests.contracts.payment_peers import (
    Provider,
    eur,
    no_faults_left,
    provider,
    request_of,
)
from tests.peers import free_port, http

__all__ = ["no_faults_left", "provider"]

TOTAL, BACK = 5000, 1200
MOST_TRIES = 4
Act = Callable[[], Payment]


def settled(act: Act, look: Callable[[], Payment | None] = lambda: None) -> Payment:
    """The payment once the change is certain."""
    for _ in range(MOST_TRIES):
        try:
            return act()
        except (OutcomeUnknown, NoAnswer):
            found = look()
            if found is not None:
                return found
    raise AssertionError("it never became certain")


def settled_page(provider: Provider, adapter: PaymentProvider, request: PaymentRequest) -> Payment:
    """A page that is open for certain."""
    key = f"{request.reference}/create"
    return settled(
        lambda: adapter.create(request, key), lambda: seen(lambda: provider.find(request))
    )


def seen(look: Callable[[], Payment | None]) -> Payment | None:
    """What a look-up finds; one that is not answered says nothing, and is made again."""
    for _ in range(MOST_TRIES):
        try:
            return look()
        except NoAnswer:
            continue
    raise AssertionError("nobody ever answered")


def now(provider: Provider, payment: Payment) -> Payment:
    """The payment as the provider says it is."""
    found = seen(lambda: provider.adapter.read(payment.id))
    assert found is not None
    return found


def agrees_with_the_books(provider: Provider, payment: Payment, expected: list[str]) -> None:
    """The provider's entries are these, and their sums what the payment says."""
    books = provider.books(payment.reference)
    assert [kind for kind, _ in books] == expected
    for kind, said in (("capture", payment.captured), ("refund", payment.refunded)):
        assert sum(amount for each, amount in books if each == kind) == said.minor


def take_and_give_back(provider: Provider, payment: Payment) -> None:
    """Captured whole, and a part of it given back."""
    adapter, key = provider.adapter, payment.reference
    settled(lambda: adapter.capture(payment.id, payment.amount, f"{key}/capture"))
    provider.remit()
    settled(
        lambda: adapter.refund(payment.id, eur(BACK), f"{key}/refund/1", refunded_before=eur(0))
    )
    agrees_with_the_books(provider, now(provider, payment), ["authorise", "capture", "refund"])


def release(provider: Provider, payment: Payment) -> None:
    """Given up before anything was taken."""
    settled(lambda: provider.adapter.void(payment.id, f"{payment.reference}/void"))
    gone = now(provider, payment)
    assert gone.status is PaymentStatus.VOIDED
    agrees_with_the_books(provider, gone, ["authorise", "void"])


@pytest.mark.parametrize("ending", [take_and_give_back, release])
@pytest.mark.parametrize("kind", REQUEST_KINDS)
def test_a_failing_provider_is_never_misunderstood(
    provider: Provider, kind: str, ending: Callable[[Provider, Payment], None]
) -> None:
    for operation in REQUEST_OPERATIONS:
        provider.simulator.fault(operation, kind, delay_s=0.02)
    request = request_of(TOTAL)
    payment = settled_page(provider, provider.adapter, request)
    provider.pay(payment)
    ending(provider, now(provider, payment))


@pytest.mark.parametrize("kind", WEBHOOK_KINDS)
def test_what_becomes_of_notices_changes_nothing(provider: Provider, kind: str) -> None:
    provider.simulator.fault("webhook", kind, count=9, delay_s=60)
    payment = provider.authorised(TOTAL)
    take_and_give_back(provider, payment)
    release(provider, provider.authorised(TOTAL))


def test_a_provider_that_is_down_has_done_nothing(provider: Provider) -> None:
    nobody = provider.connect(url=f"http://127.0.0.1:{free_port()}")
    request = request_of(TOTAL)
    payment = provider.adapter.create(request, f"{request.reference}/create")
    provider.pay(payment)
    payment = provider.adapter.read(payment.id)
    away: list[Act] = [
        lambda: nobody.create(request_of(TOTAL), "away"),
        lambda: nobody.read(payment.id),
        lambda: nobody.capture(payment.id, payment.amount, "away"),
        lambda: nobody.void(payment.id, "away"),
        lambda: nobody.refund(payment.id, eur(BACK), "away", refunded_before=eur(0)),
    ]
    for act in away:
        with pytest.raises(NoAnswer):
            act()
    agrees_with_the_books(provider, provider.adapter.read(payment.id), ["authorise"])
    take_and_give_back(provider, payment)


@pytest.mark.parametrize("fate", [Fate.CARD_DECLINED, Fate.INSUFFICIENT_FUNDS])
def test_a_declined_card_moves_nothing(provider: Provider, fate: Fate) -> None:
    request = request_of(TOTAL)
    payment = provider.adapter.create(request, f"{request.reference}/create")
    card = next(sample.number for sample in SAMPLES if sample.fate is fate)
    for _ in range(3):
        provider.pay(payment, card)
    closed = provider.adapter.read(payment.id)
    assert closed.status in {PaymentStatus.CANCELLED, PaymentStatus.VOIDED}
    agrees_with_the_books(provider, closed, [])


def test_a_challenge_is_a_payment_once_it_is_answered(provider: Provider) -> None:
    request = request_of(TOTAL)
    payment = provider.adapter.create(request, f"{request.reference}/create")
    card = next(sample.number for sample in SAMPLES if sample.fate is Fate.CHALLENGE)
    check = provider.pay(payment, card)
    waiting = provider.adapter.read(payment.id)
    assert waiting.status is PaymentStatus.REQUIRES_PAYMENT
    http.post(f"{provider.simulator.url}{check}", data={"code": CHALLENGE_CODE})
    take_and_give_back(provider, provider.adapter.read(payment.id))
