"""What every payment provider makes of lost, late and failed answers: never a guess."""

from __future__ import annotations

import pytest

from checkout.outcomes import NoAnswer, OutcomeUnknown, Refused
from checkout.payment_providers.port import Payment, PaymentProvider, PaymentStatus
from tests.contracts.payment_peers import (
    Provider,
    eur,
    no_faults_left,
    provider,
    request_of,
)
from tests.peers import FaultyWire, free_port

__all__ = ["no_faults_left", "provider"]


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
        provider.remit()

    def act() -> Payment:
        if operation == "create":
            return provider.adapter.create(request, key)
        if operation == "void":
            return provider.adapter.void(payment.id, key)
        if operation == "capture":
            return provider.adapter.capture(payment.id, payment.amount, key)
        return provider.adapter.refund(payment.id, payment.amount, key, refunded_before=eur(0))

    provider.simulator.fault(operation, kind, delay_s=0.02)
    with pytest.raises(OutcomeUnknown):
        act()
    is_done = kind in ("error_after", "answer_lost")
    if operation == "create" and provider.traits.finds_open_pages:
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
    if not provider.traits.keeps_keys:
        # Nothing holds it back; what it meets is the payment as it is.
        patient = provider.adapter.capture(payment.id, payment.amount, f"{payment.id}/capture")
        assert patient.captured == payment.amount
        hasty.close()
        return
    with pytest.raises(OutcomeUnknown) as under_way:
        hasty.capture(payment.id, payment.amount, f"{payment.id}/capture")
    hasty.close()
    assert under_way.value.retry_after_s == 1
    assert provider.adapter.read(payment.id).status is PaymentStatus.AUTHORISED


def test_silence_is_never_taken_for_no(provider: Provider) -> None:
    request, payment = request_of(), provider.authorised()

    def look(adapter: PaymentProvider) -> object:
        if provider.traits.finds_payments:
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
        wire.lose = "/validate" if provider.name == "sips" else "/capture"
        with pytest.raises(OutcomeUnknown):
            adapter.capture(payment.id, payment.amount, f"{payment.id}/capture")
    finally:
        wire.close()
    assert provider.adapter.read(payment.id).captured == payment.amount
